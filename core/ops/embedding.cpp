#include "core/ops/embedding.h"

#include <ATen/ops/index_select.h>

#include "core/ops/linear_math.h"
#include "core/ops/node.h"

namespace automodel::ops {
namespace {

struct EmbeddingNode {
  tensor::Weight table;
  GradSink* sink;
};

class EmbeddingFunction : public torch::autograd::Function<EmbeddingFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx,
                            const at::Tensor& ids,
                            const at::Tensor& /*anchor*/,
                            const tensor::Weight& table,
                            const OpContext& context,
                            int64_t padding_id) {
    const at::Tensor flat = ids.reshape({-1});
    // A negative id adds to no row.
    ctx->save_for_backward({padding_id < 0 ? flat : flat.masked_fill(flat.eq(padding_id), -1)});
    save_value(ctx, EmbeddingNode{table, context.sink});
    const at::Tensor weight = table.value();
    return at::index_select(weight, 0, flat).view({ids.size(0), ids.size(1), weight.size(1)});
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const auto& [table, sink] = saved_value<EmbeddingNode>(ctx);
    sink->embedding(table, ctx->get_saved_variables()[0], as_rows(grads[0]).contiguous());
    return {{}, {}, {}, {}, {}};
  }
};

}  // namespace

void check_token_ids(const at::Tensor& ids, int64_t vocabulary) {
  if (ids.numel() == 0) return;
  const int64_t largest = ids.max().item<int64_t>();
  const int64_t smallest = ids.min().item<int64_t>();
  check(smallest >= 0 && largest < vocabulary,
        ErrorCode::kData,
        "token id ",
        smallest < 0 ? smallest : largest,
        " is outside the model's vocabulary of ",
        vocabulary,
        "; the tokenizer and the model do not belong together");
}

at::Tensor embedding(const at::Tensor& ids,
                     const tensor::Weight& table,
                     const OpContext& context,
                     int64_t padding_id) {
  if (ids.is_cpu()) check_token_ids(ids, table.value().size(0));
  return EmbeddingFunction::apply(ids, table.unit->anchor(), table, context, padding_id);
}

}  // namespace automodel::ops
