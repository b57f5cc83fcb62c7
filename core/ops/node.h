#pragma once

// For core/ops/*.cpp only: what a node of the autograd graph keeps besides tensors.

#include <utility>

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/custom_function.h>

namespace automodel::ops {

template <class T>
struct SavedValue : torch::CustomClassHolder {
  explicit SavedValue(T v) : value(std::move(v)) {}

  T value;
};

/// An argument of a node's forward that autograd does not look at; it may be undefined.
struct Untracked {
  at::Tensor value;
};

/// Stores a C++ value in the node; saved_value<T>(ctx) reads it back.
template <class T>
void save_value(torch::autograd::AutogradContext* ctx, T value) {
  c10::intrusive_ptr<torch::CustomClassHolder> holder = c10::make_intrusive<SavedValue<T>>(std::move(value));
  ctx->saved_data["kept"] = c10::IValue::make_capsule(std::move(holder));
}

template <class T>
const T& saved_value(torch::autograd::AutogradContext* ctx) {
  const auto capsule = ctx->saved_data.at("kept").toCapsule();
  return static_cast<const SavedValue<T>*>(capsule.get())->value;
}

}  // namespace automodel::ops
