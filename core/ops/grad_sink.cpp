#include "core/ops/grad_sink.h"

#include <algorithm>
#include <utility>

#include <ATen/Parallel.h>
#include <ATen/ops/_grouped_mm.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include "core/kernels/embedding_grad.h"
#include "core/kernels/widen_add.h"
#include "core/ops/cuda/cuda.h"
#include "core/ops/dispatch.h"
#include "core/ops/gemm.h"
#include "core/ops/moe/groups.h"

namespace automodel::ops {
namespace {

/// Notes that every parameter of the handle has a gradient now; returns whether all of them had one before.
/// Throws when only some had: a fuse group is always written as a whole.
bool written_before(const tensor::Weight& weight) {
  const bool before = weight.unit->grad_written(weight.first);
  for (size_t i = weight.first; i < weight.first + weight.count; ++i) {
    ensure(weight.unit->grad_written(i) == before, weight.unit->name(), ": a fuse group was written in part");
  }
  weight.unit->mark_grad_written(weight.first, weight.count);
  return before;
}

at::Tensor grad_of(const tensor::Weight& weight) {
  return weight.count == 1 ? weight.unit->grad(weight.first)
                           : weight.unit->joined_grad(weight.first, weight.count);
}

/// grad (+)= dy^T x on a CPU that multiplies in bf16: some rows of the gradient at a time, so that their
/// product is still in the cache when it is added.
void product_by_rows(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& dy, bool accumulate) {
  constexpr int64_t kElements = 4 << 20;
  const int64_t width = grad.size(1);
  const int64_t most = std::max<int64_t>(64, kElements / width);
  const at::Tensor buffer = at::empty({std::min(most, grad.size(0)), width}, x.options());
  for (int64_t row = 0; row < grad.size(0); row += most) {
    const int64_t count = std::min(most, grad.size(0) - row);
    at::Tensor product = buffer.narrow(0, 0, count);
    at::mm_out(product, dy.narrow(1, row, count).t(), x);
    float* to = grad.mutable_data_ptr<float>() + row * width;
    const auto* from = data<kernels::BF16>(product);
    at::parallel_for(0, product.numel(), 1 << 14, [&](int64_t begin, int64_t end) {
      kernels::widen_add(from + begin, to + begin, end - begin, accumulate);
    });
  }
}

template <class T>
void scatter_rows(const at::Tensor& ids, const at::Tensor& dy, const at::Tensor& grad) {
  const int64_t rows = dy.size(0);
  const int64_t width = dy.size(1);
  constexpr int64_t kIdsPerThread = 1024;
  at::parallel_for(0, grad.size(0), kIdsPerThread, [&](int64_t begin, int64_t end) {
    kernels::embedding_grad(ids.const_data_ptr<int64_t>(),
                            static_cast<const T*>(dy.const_data_ptr()),
                            mutable_data<kernels::Compute<T>>(grad),
                            rows,
                            width,
                            begin,
                            end);
  });
}

/// Experts that get no product. Where they are not known here, on a GPU, all: but _grouped_mm writes zeros
/// for them.
void zero_without_tokens(const at::Tensor& grad, const Groups& groups, bool at_once) {
  if (groups.host_ends.empty() && !at_once) grad.zero_();
  int64_t begin = 0;
  for (size_t e = 0; e < groups.host_ends.size(); ++e) {
    if (groups.host_ends[e] == begin) grad[static_cast<int64_t>(e)].zero_();
    begin = groups.host_ends[e];
  }
}

}  // namespace

void GradSink::submit(std::function<void()> work) {
  if (when_ == When::kNow) {
    work();
  } else {
    deferred_.push_back(std::move(work));
  }
}

void GradSink::linear(const tensor::Weight& weight, const at::Tensor& x, const at::Tensor& dy) {
  if (!weight.unit->trainable()) return;
  submit([weight, x, dy] {
    const bool accumulate = written_before(weight);
    at::Tensor grad = grad_of(weight);
    if (x.scalar_type() == grad.scalar_type()) {
      gemm_out(dy.t(), x, grad, accumulate);
      return;
    }
    if (grad.is_cuda()) {
      // bf16 operands, f32 sums: the GEMM writes the gradients' type itself.
      accumulate ? at::addmm_out(grad, grad, dy.t(), x, at::kFloat) : at::mm_out(grad, dy.t(), x, at::kFloat);
      return;
    }
    ensure(x.scalar_type() == at::kBFloat16,
           weight.unit->name(),
           ": gradient of inputs of type ",
           x.scalar_type());
    product_by_rows(grad, x, dy, accumulate);
  });
}

void GradSink::add(const tensor::Weight& weight, const at::Tensor& value) {
  if (!weight.unit->trainable()) return;
  submit([weight, value] {
    const bool accumulate = written_before(weight);
    at::Tensor grad = grad_of(weight);
    accumulate ? grad.add_(value) : grad.copy_(value);
  });
}

void GradSink::embedding(const tensor::Weight& table, const at::Tensor& ids, const at::Tensor& dy) {
  if (!table.unit->trainable()) return;
  submit([table, ids, dy] {
    at::Tensor grad = grad_of(table);
    ensure(grad.scalar_type() == sum_type(dy),
           table.unit->name(),
           ": embedding gradients are kept in ",
           sum_type(dy));
    if (!written_before(table)) grad.zero_();
    if (grad.is_cuda()) {
      const auto [sorted, order] =
          ids.sort(/*stable=*/std::optional<bool>(true), /*dim=*/0, /*descending=*/false);
      cuda().embedding_grad({.element = element_of(dy, "embedding"),
                             .sorted_ids = sorted.const_data_ptr<int64_t>(),
                             .order = order.const_data_ptr<int64_t>(),
                             .dy = dy.const_data_ptr(),
                             .dtable = grad.mutable_data_ptr<float>(),
                             .rows = dy.size(0),
                             .d = dy.size(1),
                             .stream = cuda().current_stream()});
    } else {
      with_element_type(dy, "embedding gradient", [&]<class T>(T) { scatter_rows<T>(ids, dy, grad); });
    }
  });
}

void GradSink::experts(const tensor::Weight& stacked,
                       const at::Tensor& x,
                       const at::Tensor& dy,
                       const Groups& groups) {
  if (!stacked.unit->trainable()) return;
  submit([stacked, x, dy, groups] {
    const bool accumulate = written_before(stacked);
    at::Tensor grad = grad_of(stacked);
    const bool direct = x.scalar_type() == grad.scalar_type();
    const bool at_once = multiplies_at_once(x, {x.size(1), dy.size(1)});
    if (!accumulate) zero_without_tokens(grad, groups, at_once);
    const auto put = [accumulate](at::Tensor to, const at::Tensor& product) {
      accumulate ? to.add_(product) : to.copy_(product);
    };
    for_each_span(groups, at_once, [&](const Span& span) {
      if (span.expert < 0) {
        put(grad, at::_grouped_mm(dy.t(), x, groups.ends));
        return;
      }
      const at::Tensor dy_t = dy.narrow(0, span.begin, span.size()).t();
      const at::Tensor x_e = x.narrow(0, span.begin, span.size());
      at::Tensor grad_e = grad[span.expert];
      if (direct) {
        grad_e.addmm_(dy_t, x_e, accumulate ? 1 : 0, 1);
      } else {
        put(grad_e, at::mm(dy_t, x_e));
      }
    });
  });
}

void GradSink::expert_biases(const tensor::Weight& bias,
                             const at::Tensor& dy,
                             const at::Tensor& weights,
                             const Groups& groups) {
  if (!bias.unit->trainable()) return;
  const at::Tensor experts = at::arange(groups.num_experts, groups.order.options());
  at::Tensor member_ES = experts.unsqueeze(1).eq(groups.expert_of_slot().unsqueeze(0)).to(sum_type(dy));
  if (weights.defined()) member_ES = member_ES * weights.unsqueeze(0);
  add(bias, at::mm(member_ES, dy.to(sum_type(dy))));
}

void GradSink::run_deferred() {
  for (const auto& work : std::exchange(deferred_, {})) work();
}

}  // namespace automodel::ops
