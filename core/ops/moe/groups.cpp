#include "core/ops/moe/groups.h"

#include <algorithm>
#include <atomic>

#include <ATen/Parallel.h>
#include <ATen/ops/_grouped_mm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/floor_divide.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/searchsorted.h>

#include "core/ops/dispatch.h"
#include "core/tensor/matrix_product.h"

namespace automodel::ops {
namespace {

/// Counting sort.
Groups groups_on_host(const at::Tensor& experts, int64_t num_experts) {
  const int64_t k = experts.size(1);
  const int64_t size = experts.numel();
  Groups groups;
  groups.num_experts = num_experts;
  groups.order = at::empty({size}, at::kLong);
  groups.rows = at::empty({size}, at::kLong);
  groups.slots = at::empty(experts.sizes(), at::kLong);
  groups.ends = at::empty({num_experts}, at::kInt);
  const int64_t* of = experts.const_data_ptr<int64_t>();
  std::vector<int64_t> next(static_cast<size_t>(num_experts) + 1);
  for (int64_t i = 0; i < size; ++i) {
    ensure(of[i] >= 0 && of[i] < num_experts, "expert ", of[i], " of ", num_experts);
    ++next[static_cast<size_t>(of[i]) + 1];
  }
  for (size_t e = 1; e < next.size(); ++e) next[e] += next[e - 1];
  groups.host_ends.assign(next.begin() + 1, next.end());
  for (int64_t e = 0; e < num_experts; ++e)
    groups.ends.mutable_data_ptr<int32_t>()[e] =
        static_cast<int32_t>(groups.host_ends[static_cast<size_t>(e)]);
  for (int64_t i = 0; i < size; ++i) {
    const int64_t slot = next[static_cast<size_t>(of[i])]++;
    groups.order.mutable_data_ptr<int64_t>()[slot] = i;
    groups.rows.mutable_data_ptr<int64_t>()[slot] = i / k;
    groups.slots.mutable_data_ptr<int64_t>()[i] = slot;
  }
  return groups;
}

Groups groups_on_device(const at::Tensor& experts, int64_t num_experts) {
  Groups groups;
  groups.num_experts = num_experts;
  const auto [sorted, order] =
      experts.reshape({-1}).sort(/*stable=*/std::optional<bool>(true), /*dim=*/0, /*descending=*/false);
  groups.order = order;
  groups.rows = at::floor_divide(order, experts.size(1));
  groups.slots = at::empty_like(order)
                     .scatter_(0, order, at::arange(order.size(0), order.options()))
                     .view(experts.sizes());
  groups.ends =
      at::searchsorted(sorted, at::arange(num_experts, order.options()), /*out_int32=*/true, /*right=*/true);
  return groups;
}

std::vector<Span> spans_of(const Groups& groups) {
  std::vector<int64_t> ends = groups.host_ends;
  if (ends.empty()) {
    const at::Tensor copied = groups.ends.to(at::kCPU, at::kLong);
    ends.assign(copied.const_data_ptr<int64_t>(), copied.const_data_ptr<int64_t>() + copied.numel());
  }
  std::vector<Span> spans;
  int64_t begin = 0;
  for (size_t e = 0; e < ends.size(); ++e) {
    if (ends[e] > begin) spans.push_back({static_cast<int64_t>(e), begin, ends[e]});
    begin = ends[e];
  }
  return spans;
}

/// Whether experts share the threads evenly enough when each runs on one: the largest is what the others can
/// wait for.
bool side_by_side(const std::vector<Span>& spans) {
  const int threads = at::get_num_threads();
  if (threads == 1 || at::in_parallel_region()) return false;
  int64_t all = 0;
  int64_t largest = 0;
  for (const Span& span : spans) {
    all += span.size();
    largest = std::max(largest, span.size());
  }
  constexpr int64_t kFewSlots = 64;  // not worth waking threads
  return all >= kFewSlots && largest * threads <= all;
}

bool multiplies_on_host(const at::Tensor& x) {
  return x.is_cpu() && x.is_contiguous() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

/// Of one expert.
template <class T>
void product_on_host(const Span& span,
                     const at::Tensor& x,
                     const at::Tensor& stacked,
                     bool transposed,
                     const at::Tensor& out) {
  const int64_t inner = x.size(1), width = out.size(1);
  const T* matrix = data<T>(stacked) + span.expert * inner * width;
  multiply(span.size(),
           width,
           inner,
           tensor::Matrix<T>{data<T>(x), inner},
           tensor::Matrix<T>{matrix, transposed ? inner : width, transposed},
           T(0),
           mutable_data<T>(out) + span.begin * width,
           width);
}

}  // namespace

at::Tensor Groups::expert_of_slot() const {
  return at::searchsorted(
      ends, at::arange(order.size(0), ends.options()), /*out_int32=*/false, /*right=*/true);
}

Groups make_groups(const at::Tensor& experts, int64_t num_experts) {
  return experts.is_cuda() ? groups_on_device(experts, num_experts) : groups_on_host(experts, num_experts);
}

bool multiplies_at_once(const at::Tensor& x, std::initializer_list<int64_t> widths) {
  constexpr int64_t kElements = 8;  // _grouped_mm reads 16 bytes at a time
  return x.is_cuda() && x.scalar_type() == at::kBFloat16 &&
         std::all_of(widths.begin(), widths.end(), [](int64_t width) { return width % kElements == 0; });
}

void for_each_span(const Groups& groups, bool at_once, const std::function<void(const Span&)>& body) {
  const c10::NoGradGuard no_grad;
  if (groups.order.is_cuda() && at_once) {
    body({-1, 0, groups.order.size(0)});
    return;
  }
  std::vector<Span> spans = spans_of(groups);
  if (groups.order.is_cuda() || !side_by_side(spans)) {
    for (const Span& span : spans) body(span);
    return;
  }
  // The largest first: a thread that is free takes the next.
  std::stable_sort(
      spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.size() > b.size(); });
  std::atomic<size_t> next{0};
  at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
    const c10::NoGradGuard no_grad_here;
    for (size_t i = next++; i < spans.size(); i = next++) body(spans[i]);
  });
}

void grouped_product(const Span& span,
                     const Groups& groups,
                     const at::Tensor& x,
                     const at::Tensor& stacked,
                     bool transposed,
                     at::Tensor& out) {
  const at::Tensor matrices = transposed ? stacked.transpose(1, 2) : stacked;
  if (span.expert < 0) {
    out = at::_grouped_mm(x, matrices, groups.ends);
    return;
  }
  if (multiplies_on_host(x)) {
    x.scalar_type() == at::kFloat ? product_on_host<float>(span, x, stacked, transposed, out)
                                  : product_on_host<double>(span, x, stacked, transposed, out);
    return;
  }
  at::Tensor part = out.narrow(0, span.begin, span.size());
  at::mm_out(part, x, matrices[span.expert]);
}

}  // namespace automodel::ops
