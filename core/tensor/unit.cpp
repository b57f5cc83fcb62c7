#include "core/tensor/unit.h"

#include <limits>
#include <numeric>
#include <utility>

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "core/tensor/host_memory.h"

namespace automodel::tensor {

Unit::Unit(std::string name, std::vector<Parameter> parameters, const Options& options)
    : name_(std::move(name)), parameters_(std::move(parameters)), options_(options) {
  for (Parameter& parameter : parameters_) {
    parameter.numel =
        std::accumulate(parameter.shape.begin(), parameter.shape.end(), int64_t{1}, std::multiplies<>());
    parameter.offset = size_;
    size_ += (parameter.numel + kAlignment - 1) / kAlignment * kAlignment;
  }
  home_ = zeros(size_, at::device(options_.device).dtype(options_.home_dtype));
  grad_written_.assign(parameters_.size(), false);
  anchor_ = at::zeros({}, at::device(options_.device).dtype(at::kFloat));
  anchor_.requires_grad_(options_.trainable);
}

at::Tensor Unit::view(const at::Tensor& flat, size_t index) const {
  const Parameter& parameter = parameters_.at(index);
  return flat.narrow(0, parameter.offset, parameter.numel).view(parameter.shape);
}

at::Tensor Unit::joined(const at::Tensor& flat, size_t first, size_t count) const {
  ensure(contiguous(first, count), name_, ": parameters from ", parameters_.at(first).name, " have gaps");
  int64_t numel = 0;
  for (size_t i = first; i < first + count; ++i) numel += parameters_[i].numel;
  const at::Tensor all = flat.narrow(0, parameters_[first].offset, numel);
  if (parameters_[first].shape.size() == 1) return all;
  const int64_t columns = parameters_[first].shape[1];
  return all.view({numel / columns, columns});
}

at::Tensor Unit::home(size_t index) const {
  return view(home_, index);
}

at::Tensor Unit::grad(size_t index) const {
  return view(grads_, index);
}

at::Tensor Unit::weight(size_t index) const {
  ensure(gathered(), name_, " is read while it is not gathered");
  return view(gathered_, index);
}

at::Tensor Unit::joined_weight(size_t first, size_t count) const {
  ensure(gathered(), name_, " is read while it is not gathered");
  return joined(gathered_, first, count);
}

at::Tensor Unit::joined_grad(size_t first, size_t count) const {
  return joined(grads_, first, count);
}

bool Unit::contiguous(size_t first, size_t count) const {
  const std::vector<int64_t>& shape = parameters_.at(first).shape;
  for (size_t i = first; i < first + count; ++i) {
    const Parameter& parameter = parameters_.at(i);
    if (parameter.shape.size() != shape.size() || shape.empty() || shape.size() > 2) return false;
    if (shape.size() == 2 && parameter.shape[1] != shape[1]) return false;
    if (i + 1 < first + count && parameter.numel % kAlignment != 0) return false;
  }
  return true;
}

void Unit::gather() {
  const bool same_type = options_.compute_dtype == options_.home_dtype;
  if (options_.placement == Placement::kResident && same_type) {
    gathered_ = home_;
    return;
  }
  if (gathered() && !stale_) return;
  if (!gathered()) gathered_ = at::empty({size_}, home_.options().dtype(options_.compute_dtype));
  gathered_.copy_(home_);
  stale_ = false;
}

void Unit::release() {
  if (options_.placement == Placement::kResident || !gathered()) return;
  if (options_.poison_released) gathered_.fill_(std::numeric_limits<float>::quiet_NaN());
  gathered_.reset();
}

void Unit::set_grad_dtype(at::ScalarType dtype) {
  ensure(!grads_.defined(), name_, ": gradients are kept in ", options_.grad_dtype, " already");
  options_.grad_dtype = dtype;
}

void Unit::begin_step() {
  if (!options_.trainable) return;
  if (!grads_.defined()) grads_ = zeros(size_, home_.options().dtype(options_.grad_dtype));
  grad_written_.assign(parameters_.size(), false);
}

void Unit::mark_grad_written(size_t first, size_t count) {
  for (size_t i = first; i < first + count; ++i) grad_written_.at(i) = true;
}

void Unit::finish_grads() {
  if (!options_.trainable) return;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!grad_written_[i]) grad(i).zero_();
  }
}

std::vector<Weight> Weight::pieces() const {
  if (count == 1 || unit->contiguous(first, count)) return {*this};
  std::vector<Weight> single;
  for (size_t i = first; i < first + count; ++i) single.push_back({unit, i, 1});
  return single;
}

}  // namespace automodel::tensor
