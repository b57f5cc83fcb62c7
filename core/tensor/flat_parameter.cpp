#include "core/tensor/flat_parameter.h"

#include <algorithm>
#include <utility>

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

namespace automodel::tensor {

FlatParameter::FlatParameter(std::string name, std::vector<Parameter> parameters, const Options& options)
    : FlatParameter(std::move(name), std::move(parameters), options, nullptr) {}

FlatParameter::FlatParameter(std::string name,
                             std::vector<Parameter> parameters,
                             const Options& options,
                             std::unique_ptr<FlatStorage> storage)
    : name_(std::move(name)),
      layout_(std::move(parameters)),
      options_(options),
      storage_(storage ? std::move(storage) : make_whole_storage(layout_.size(), options)),
      anchor_(at::zeros({}, at::device(options.device).dtype(at::kFloat))),
      grad_written_(layout_.parameters().size(), false) {
  anchor_.requires_grad_(options_.trainable);
}

void FlatParameter::for_each_slice(const std::function<void(const Slice&)>& visit) const {
  const int64_t held_begin = storage_->main_begin();
  const int64_t held_end = held_begin + main_weights().numel();
  for (size_t i = 0; i < parameters().size(); ++i) {
    const Parameter& parameter = parameters()[i];
    const int64_t begin = std::max(parameter.offset, held_begin);
    const int64_t end = std::min(parameter.offset + parameter.numel, held_end);
    if (begin >= end) continue;
    const auto held = [&](const at::Tensor& flat) {
      return flat.defined() ? flat.narrow(0, begin - held_begin, end - begin) : at::Tensor();
    };
    visit({i, begin - parameter.offset, held(main_weights()), held(main_grads())});
  }
}

at::Tensor FlatParameter::main_weight(size_t index) const {
  const Parameter& parameter = parameters().at(index);
  const int64_t begin = parameter.offset - storage_->main_begin();
  ensure(begin >= 0 && begin + parameter.numel <= main_weights().numel(),
         name_,
         ": only a part of ",
         parameter.name,
         " is held here");
  return main_weights().narrow(0, begin, parameter.numel).view(parameter.local_shape);
}

void FlatParameter::write_main_weight(size_t index, const std::function<void(at::Tensor)>& write) {
  const Parameter& parameter = parameters().at(index);
  at::Tensor whole;
  for_each_slice([&](const Slice& slice) {
    if (slice.index == index && slice.main_weights.numel() == parameter.numel)
      whole = slice.main_weights.view(parameter.local_shape);
  });
  if (whole.defined()) {
    write(whole);
  } else {
    whole = at::empty(parameter.local_shape, main_weights().options());
    write(whole);
    for_each_slice([&](const Slice& slice) {
      if (slice.index != index) return;
      at::Tensor held = slice.main_weights;
      held.copy_(whole.view({-1}).narrow(0, slice.begin, held.numel()));
    });
  }
  main_changed();
}

at::Tensor FlatParameter::weight(size_t index) const {
  ensure(gathered(), name_, " is read while it is not gathered");
  return layout_.view(storage_->compute_weights(), index);
}

at::Tensor FlatParameter::joined_weight(size_t first, size_t count) const {
  ensure(gathered(), name_, " is read while it is not gathered");
  return layout_.joined(storage_->compute_weights(), first, count);
}

void FlatParameter::set_grad_dtype(at::ScalarType dtype) {
  storage_->set_grad_dtype(dtype);
  options_.grad_dtype = dtype;
}

void FlatParameter::begin_step() {
  if (!options_.trainable) return;
  storage_->begin_step();
  grad_written_.assign(parameters().size(), false);
}

void FlatParameter::mark_grad_written(size_t first, size_t count) {
  for (size_t i = first; i < first + count; ++i) grad_written_.at(i) = true;
}

void FlatParameter::reduce_grads() {
  if (!options_.trainable) return;
  for (size_t i = 0; i < parameters().size(); ++i) {
    if (!grad_written_[i]) grad(i).zero_();
  }
  storage_->reduce();
}

std::vector<Weight> Weight::pieces() const {
  if (count == 1 || unit->contiguous(first, count)) return {*this};
  std::vector<Weight> single;
  for (size_t i = first; i < first + count; ++i) single.push_back({unit, i, 1});
  return single;
}

}  // namespace automodel::tensor
