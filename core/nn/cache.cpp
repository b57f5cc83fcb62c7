#include "core/nn/cache.h"

#include <algorithm>

#include <ATen/ops/empty.h>

namespace automodel::nn {
namespace {

constexpr int64_t kSmallestCapacity = 64;

/// A buffer for `capacity` tokens that begins with the first `length` of `kept`.
at::Tensor enlarge(const at::Tensor& kept, const at::Tensor& added, int64_t length, int64_t capacity) {
  at::Tensor larger = at::empty({added.size(0), capacity, added.size(2), added.size(3)}, added.options());
  if (length > 0) larger.narrow(1, 0, length).copy_(kept.narrow(1, 0, length));
  return larger;
}

}  // namespace

std::pair<at::Tensor, at::Tensor> Cache::append(const at::Tensor& k_BTKH, const at::Tensor& v_BTKH) {
  const c10::NoGradGuard no_grad;
  const int64_t added = k_BTKH.size(1);
  const int64_t total = length_ + added;
  if (!k_.defined() || total > k_.size(1)) {
    const int64_t doubled = k_.defined() ? 2 * k_.size(1) : kSmallestCapacity;
    const int64_t capacity = std::max(doubled, total);
    k_ = enlarge(k_, k_BTKH, length_, capacity);
    v_ = enlarge(v_, v_BTKH, length_, capacity);
  }
  check(k_BTKH.size(0) == k_.size(0) && k_BTKH.size(2) == k_.size(2) && k_BTKH.size(3) == k_.size(3),
        ErrorCode::kInvalidArgument,
        "cache: keys ",
        k_BTKH.sizes(),
        " do not continue ",
        k_.sizes());
  k_.narrow(1, length_, added).copy_(k_BTKH);
  v_.narrow(1, length_, added).copy_(v_BTKH);
  length_ = total;
  return {k_.narrow(1, 0, total), v_.narrow(1, 0, total)};
}

}  // namespace automodel::nn
