#include "core/ops/linear_cross_entropy.h"

#include <algorithm>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/_log_softmax.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "core/kernels/softmax_grad.h"
#include "core/ops/cuda/cuda.h"
#include "core/ops/dispatch.h"
#include "core/ops/gemm.h"
#include "core/ops/linear_math.h"
#include "core/ops/lora.h"
#include "core/ops/node.h"
#include "core/tensor/host_copy.h"

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

/// The context of some of the rows.
OpContext with_rows(OpContext context, const at::Tensor& rows) {
  if (context.dropout_keys.defined()) context.dropout_keys = context.dropout_keys.index_select(0, rows);
  return context;
}

OpContext with_range(OpContext context, int64_t begin, int64_t count) {
  if (context.dropout_keys.defined()) context.dropout_keys = context.dropout_keys.narrow(0, begin, count);
  return context;
}

/// Rows of logits at a time: as many as fit a bound, the chunks of equal size.
int64_t default_chunk_rows(int64_t rows, int64_t vocabulary, bool on_device) {
  // A GPU wants few, large GEMMs.
  const int64_t chunk_bytes = int64_t{on_device ? 4096 : 160} << 20;
  const int64_t most =
      std::max<int64_t>(16, chunk_bytes / (vocabulary * static_cast<int64_t>(sizeof(float))));
  const int64_t num_chunks = std::max<int64_t>(1, (rows + most - 1) / most);
  return (rows + num_chunks - 1) / num_chunks;
}

/// The logits of one chunk of rows after another, in memory that is allocated once: on a CPU fresh pages cost
/// as much as the arithmetic.
class ChunkLosses {
 public:
  /// Chunks of up to `rows` rows.
  ChunkLosses(const Linear& head, int64_t rows, const CrossEntropyOptions& options, bool gradient, bool reuse)
      : head_(head),
        weight_(head.weight.value()),
        bias_(head.bias.empty() ? at::Tensor() : head.bias[0].value()),
        rows_(rows),
        scale_(options.scale),
        softcap_(options.softcap),
        norms_(options.normalised_head ? head_row_norms(head) : at::Tensor()),
        gradient_(gradient),
        reuse_(reuse) {
    const bool widens = weight_.is_cpu() && weight_.scalar_type() != sum_type(weight_);
    if (widens) wide_ = at::empty({rows, weight_.size(0)}, weight_.options().dtype(at::kFloat));
  }

  /// Sum of the token losses of x [count, D], a scalar f64. With `gradient` dlogits() holds scale * their
  /// gradient.
  at::Tensor sum(const at::Tensor& x, const at::Tensor& targets, const OpContext& context) {
    if (!logits_.defined() || !reuse_) logits_ = at::empty({rows_, weight_.size(0)}, weight_.options());
    at::Tensor logits = logits_.narrow(0, 0, x.size(0));
    if (bias_.defined()) {
      at::addmm_out(logits, bias_, x, weight_.t());
    } else {
      gemm_out(x, weight_.t(), logits);
    }
    if (head_.lora) lora_forward(x, *head_.lora, context, logits);
    dlogits_ = logits;
    if (norms_.defined()) return of_normalised(logits, targets);
    if (softcap_ == 0) return of_logits(logits, targets);
    const at::Tensor bent = logits.div_(softcap_).tanh_().clone();
    const at::Tensor losses = of_logits(logits.mul_(softcap_), targets);
    // d cap tanh(z / cap) / dz = 1 - tanh(z / cap)^2
    if (gradient_) logits.mul_(bent.square().neg_().add_(1));
    return losses;
  }

  const at::Tensor& dlogits() const { return dlogits_; }

  /// What the lengths of a normalised head's rows add to the gradient of its weight [V, D], after all chunks.
  at::Tensor dweight_of_norms() const { return weight_ * dnorms_.div(norms_).unsqueeze(1); }

 private:
  /// logits = x W^T / |W| by columns: with n = |W|, dn = - sum of dlogits * logits / n over rows.
  at::Tensor of_normalised(at::Tensor logits, const at::Tensor& targets) {
    const at::Tensor kept = logits.div_(norms_).clone();
    const at::Tensor losses = of_logits(logits, targets);
    if (!gradient_) return losses;
    const at::Tensor sums = (kept * logits).sum(0).div_(norms_).neg_();
    dnorms_ = dnorms_.defined() ? dnorms_ + sums : sums;
    logits.div_(norms_);
    return losses;
  }

  /// Overwrites the logits with their gradient when there is one.
  at::Tensor of_logits(const at::Tensor& logits, const at::Tensor& targets) const {
    return logits.is_cuda() ? on_device(logits, targets) : on_host(logits, targets);
  }

  at::Tensor on_device(const at::Tensor& logits, const at::Tensor& targets) const {
    at::Tensor losses = at::empty({logits.size(0)}, logits.options().dtype(at::kFloat));
    cuda().cross_entropy({.element = element_of(logits, "cross-entropy"),
                          .logits = logits.mutable_data_ptr(),
                          .targets = targets.const_data_ptr<int64_t>(),
                          .losses = losses.mutable_data_ptr<float>(),
                          .rows = logits.size(0),
                          .vocabulary = logits.size(1),
                          .scale = static_cast<float>(scale_),
                          .gradient = gradient_,
                          .stream = cuda().current_stream()});
    return losses.sum(at::kDouble);
  }

  at::Tensor on_host(at::Tensor logits, const at::Tensor& targets) const {
    const at::Tensor columns = targets.unsqueeze(1);
    at::Tensor log_probs = logits;
    if (wide_.defined()) log_probs = wide_.narrow(0, 0, logits.size(0)).copy_(logits);
    // ATen's own log-softmax: its float32 rounding is part of the losses that users compare with.
    at::_log_softmax_out(log_probs, log_probs, 1, /*half_to_float=*/false);
    const at::Tensor sum = log_probs.gather(1, columns).sum(at::kDouble).neg();
    if (!gradient_) return sum;
    const int64_t width = logits.size(1);
    with_element_type(logits, "cross-entropy", [&]<class T>(T) {
      using C = kernels::Compute<T>;
      at::parallel_for(0, logits.size(0), 1, [&](int64_t begin, int64_t end) {
        kernels::softmax_grad(data<C>(log_probs) + begin * width,
                              data<int64_t>(targets) + begin,
                              mutable_data<T>(logits) + begin * width,
                              end - begin,
                              width,
                              static_cast<C>(scale_));
      });
    });
    return sum;
  }

  const Linear& head_;
  at::Tensor weight_;
  at::Tensor bias_;  ///< undefined: none
  int64_t rows_;
  double scale_;
  double softcap_;
  at::Tensor norms_;   ///< of a normalised head
  at::Tensor dnorms_;  ///< summed over the chunks
  bool gradient_;
  bool reuse_;
  at::Tensor logits_, wide_, dlogits_;
};

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
    const at::Tensor rows = labelled_rows(labels, options.ignore_index, weight.size(0));
    const bool all = rows.size(0) == labels.size(0);
    const bool needs_dx = needs_grad && x.requires_grad();
    const at::Tensor targets = tensor::upload(labels.index_select(0, rows), x.device());
    const at::Tensor indices = all ? at::Tensor() : tensor::upload(rows, x.device());
    const OpContext of_rows = all ? context : with_rows(context, indices);
    const int64_t chunk = options.chunk_rows > 0
                              ? options.chunk_rows
                              : default_chunk_rows(rows.size(0), weight.size(0), x.is_cuda());
    at::Tensor dx = !needs_dx ? at::Tensor() : all ? at::empty_like(x) : at::zeros_like(x);
    at::Tensor total = at::zeros({}, x.options().dtype(at::kDouble));
    ChunkLosses losses(head, std::min(chunk, rows.size(0)), options, needs_grad, !context.sink->defers());
    for (int64_t begin = 0; begin < rows.size(0); begin += chunk) {
      const int64_t count = std::min(chunk, rows.size(0) - begin);
      const at::Tensor chunk_x =
          all ? x.narrow(0, begin, count) : x.index_select(0, indices.narrow(0, begin, count));
      const OpContext of_chunk = with_range(of_rows, begin, count);
      total.add_(losses.sum(chunk_x, targets.narrow(0, begin, count), of_chunk));
      if (!needs_grad) continue;
      const at::Tensor chunk_dx = linear_backward(chunk_x, losses.dlogits(), head, of_chunk, needs_dx);
      if (!needs_dx) continue;
      if (all) {
        dx.narrow(0, begin, count).copy_(chunk_dx);
      } else {
        dx.index_copy_(0, indices.narrow(0, begin, count), chunk_dx);
      }
    }
    const bool norms_learn = options.normalised_head && needs_grad && rows.size(0) > 0;
    if (norms_learn && head.weight.unit->trainable())
      context.sink->add(head.weight, losses.dweight_of_norms());
    ctx->save_for_backward({dx});
    return total.mul_(options.scale).to(sum_type(x));
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
  const at::Tensor& anchor = anchor_of(head);
  const bool needs_grad = c10::GradMode::is_enabled() && (x.requires_grad() || anchor.requires_grad());
  return LinearCrossEntropyFunction::apply(x, anchor, labels, head, options, context, needs_grad);
}

at::Tensor head_row_norms(const Linear& head) {
  return at::linalg_vector_norm(head.weight.value(), 2, at::IntArrayRef{1}).clamp_min_(1e-12);
}

}  // namespace automodel::ops
