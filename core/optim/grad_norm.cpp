#include "core/optim/grad_norm.h"

#include <algorithm>
#include <limits>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>

#include "core/kernels/sum_squares.h"
#include "core/ops/cuda/cuda.h"

namespace automodel::optim {

namespace {

/// [number of parts] f64, of f32 or bf16 on a GPU.
at::Tensor parts_on_device(const at::Tensor& x) {
  at::Tensor parts = at::empty({kernels::kSumSquaresParts}, x.options().dtype(at::kDouble));
  ops::cuda().sum_squares(
      x.scalar_type() == at::kFloat ? kernels::Element::kFloat32 : kernels::Element::kBFloat16,
      x.const_data_ptr(),
      x.numel(),
      parts.mutable_data_ptr<double>(),
      ops::cuda().current_stream());
  return parts;
}

/// The same of T on a CPU.
template <class T>
at::Tensor parts_on_host(const at::Tensor& x) {
  constexpr int64_t kChunk = kernels::kSumSquaresChunk;
  at::Tensor parts = at::empty({(x.numel() + kChunk - 1) / kChunk}, at::kDouble);
  const auto* values = static_cast<const T*>(x.const_data_ptr());
  double* part = parts.mutable_data_ptr<double>();
  at::parallel_for(0, parts.numel(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      part[i] = kernels::sum_squares(values + i * kChunk, std::min(kChunk, x.numel() - i * kChunk));
  });
  return parts;
}

}  // namespace

at::Tensor sum_of_squares(const at::Tensor& flat) {
  const bool is_float = flat.scalar_type() == at::kFloat;
  const bool is_bfloat = flat.scalar_type() == at::kBFloat16;
  if (flat.is_cuda() && (is_float || is_bfloat)) return parts_on_device(flat).sum();
  if (flat.is_cpu() && is_float) return parts_on_host<float>(flat).sum();
  if (flat.is_cpu() && is_bfloat) return parts_on_host<kernels::BF16>(flat).sum();
  return flat.norm(2, at::kDouble).square_();
}

at::Tensor grad_norm(const std::vector<tensor::FlatParameter*>& units) {
  at::Tensor total;
  for (const tensor::FlatParameter* unit : units) {
    if (!unit->trainable()) continue;
    const at::Tensor sum = sum_of_squares(unit->main_grads());
    total = total.defined() ? total.add_(sum) : sum;
  }
  ensure(total.defined(), "a gradient norm of no trainable parameter");
  return total.sqrt_();
}

at::Tensor clip_factor(const at::Tensor& norm, std::optional<double> max_norm) {
  const at::Tensor nan = at::full_like(norm, std::numeric_limits<double>::quiet_NaN());
  at::Tensor factor = at::ones_like(norm);
  if (max_norm) factor = at::full_like(norm, *max_norm).div_(norm + 1e-6).clamp_max_(1.0);
  return at::where(norm.isfinite(), factor, nan).to(at::kFloat);
}

}  // namespace automodel::optim
