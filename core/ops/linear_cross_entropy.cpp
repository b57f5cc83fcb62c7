#include "core/ops/linear_cross_entropy.h"

#include <algorithm>
#include <vector>

#include <ATen/ops/_log_softmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "core/ops/node.h"

namespace automodel::ops {
namespace {

/// Indices of the rows that have a label.
at::Tensor labelled_rows(const at::Tensor& labels, int64_t ignore_index, int64_t vocabulary) {
  const int64_t* label = labels.const_data_ptr<int64_t>();
  std::vector<int64_t> rows;
  for (int64_t r = 0; r < labels.numel(); ++r) {
    if (label[r] == ignore_index) continue;
    check(label[r] >= 0 && label[r] < vocabulary,
          ErrorCode::kData,
          "label ",
          label[r],
          " is outside the model's vocabulary of ",
          vocabulary);
    rows.push_back(r);
  }
  at::Tensor indices = at::empty({static_cast<int64_t>(rows.size())}, labels.options());
  std::copy(rows.begin(), rows.end(), indices.mutable_data_ptr<int64_t>());
  return indices;
}

int64_t default_chunk_rows(int64_t vocabulary) {
  constexpr int64_t kChunkBytes = int64_t{64} << 20;
  return std::max<int64_t>(16, kChunkBytes / (vocabulary * static_cast<int64_t>(sizeof(float))));
}

class LinearCrossEntropyFunction : public torch::autograd::Function<LinearCrossEntropyFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx,
                            const at::Tensor& x,
                            const at::Tensor& /*anchor*/,
                            const at::Tensor& labels,
                            const Linear& head,
                            const CrossEntropyOptions& options,
                            const OpContext& context,
                            bool needs_grad) {
    const at::Tensor weight = head.weight.value();
    const at::Tensor rows = labelled_rows(labels, options.ignore_index, weight.size(0)).to(x.device());
    const at::Tensor targets = labels.to(x.device()).index_select(0, rows).unsqueeze(1);
    const int64_t chunk = options.chunk_rows > 0 ? options.chunk_rows : default_chunk_rows(weight.size(0));
    at::Tensor dx = needs_grad ? at::zeros_like(x) : at::Tensor();
    at::Tensor total = at::zeros({}, x.options().dtype(at::kDouble));
    for (int64_t begin = 0; begin < rows.size(0); begin += chunk) {
      const int64_t count = std::min(chunk, rows.size(0) - begin);
      const at::Tensor chunk_rows = rows.narrow(0, begin, count);
      const at::Tensor chunk_targets = targets.narrow(0, begin, count);
      const at::Tensor chunk_x = x.index_select(0, chunk_rows);
      // ATen's own log-softmax: its float32 rounding is part of the losses that users compare with.
      at::Tensor log_probs =
          at::_log_softmax(at::mm(chunk_x, weight.t()).to(at::kFloat), 1, /*half_to_float=*/false);
      total.sub_(log_probs.gather(1, chunk_targets).sum(at::kDouble));
      if (!needs_grad) continue;
      // d loss / d logits = softmax - onehot, in the same buffer.
      log_probs.exp_();
      log_probs.scatter_add_(1, chunk_targets, at::full({count, 1}, -1.0, log_probs.options()));
      const at::Tensor dlogits = log_probs.mul_(options.scale).to(x.scalar_type());
      context.sink->linear(head.weight, chunk_x, dlogits);
      dx.index_copy_(0, chunk_rows, at::mm(dlogits, weight));
    }
    ctx->save_for_backward({dx});
    return total.mul_(options.scale).to(at::kFloat);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list /*grads*/) {
    return {ctx->get_saved_variables()[0], {}, {}, {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor linear_cross_entropy(const at::Tensor& x,
                                const at::Tensor& labels,
                                const Linear& head,
                                const CrossEntropyOptions& options,
                                const OpContext& context) {
  const at::Tensor& anchor = head.weight.unit->anchor();
  const bool needs_grad = c10::GradMode::is_enabled() && (x.requires_grad() || anchor.requires_grad());
  return LinearCrossEntropyFunction::apply(x, anchor, labels, head, options, context, needs_grad);
}

}  // namespace automodel::ops
