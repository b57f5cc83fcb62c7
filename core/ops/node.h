#pragma once

// For core/ops/*.cpp only: what a node of the autograd graph keeps besides tensors.

#include <utility>

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/custom_function.h>

namespace automodel::ops {

template <class T>
struct Kept : torch::CustomClassHolder {
  explicit Kept(T v) : value(std::move(v)) {}

  T value;
};

/// An argument of a node's forward that autograd does not look at; it may be undefined.
struct Untracked {
  at::Tensor value;
};

/// Stores a C++ value in the node; kept<T>(ctx) reads it back.
template <class T>
void keep(torch::autograd::AutogradContext* ctx, T value) {
  c10::intrusive_ptr<torch::CustomClassHolder> holder = c10::make_intrusive<Kept<T>>(std::move(value));
  ctx->saved_data["kept"] = c10::IValue::make_capsule(std::move(holder));
}

template <class T>
const T& kept(torch::autograd::AutogradContext* ctx) {
  const auto capsule = ctx->saved_data.at("kept").toCapsule();
  return static_cast<const Kept<T>*>(capsule.get())->value;
}

}  // namespace automodel::ops
