#include "core/ops/rms_norm.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "core/kernels/rms_norm.h"
#include "core/ops/cuda/cuda.h"
#include "core/ops/dispatch.h"
#include "core/ops/linear_math.h"
#include "core/ops/node.h"

namespace automodel::ops {
namespace {

constexpr int64_t kRowsPerThread = 16;

struct NormNode {
  Norm norm;
  GradSink* sink;
};

class RmsNormFunction : public torch::autograd::Function<RmsNormFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx,
                            const at::Tensor& x,
                            const at::Tensor& /*anchor*/,
                            const Norm& norm,
                            const OpContext& context) {
    const at::Tensor rows = as_rows(x);
    const auto [y, rstd] = rms_norm_forward(rows, norm);
    ctx->save_for_backward({rows, rstd});
    save_value(ctx, NormNode{norm, context.sink});
    return y.view(x.sizes());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const auto& [norm, sink] = saved_value<NormNode>(ctx);
    const auto saved = ctx->get_saved_variables();
    const at::Tensor dx = rms_norm_backward(as_rows(grads[0]), saved[0], saved[1], norm, *sink);
    return {dx.view(grads[0].sizes()), {}, {}, {}};
  }
};

/// The weight as stored; ones where there is none.
at::Tensor weight_of(const Norm& norm, const at::Tensor& x) {
  return norm.weight ? norm.weight.value() : at::ones({x.size(-1)}, x.options());
}

bool learns(const Norm& norm) {
  return norm.weight && norm.weight.unit->trainable();
}

/// `addend` and `sum` may be undefined.
Normed forward_on_device(const at::Tensor& x,
                         const at::Tensor& addend,
                         const at::Tensor& sum,
                         const Norm& norm) {
  at::Tensor y = at::empty(x.sizes(), x.options());
  at::Tensor rstd = at::empty({x.size(0)}, x.options().dtype(at::kFloat));
  const at::Tensor weight = weight_of(norm, x);
  cuda().rms_norm_forward({.element = element_of(x, "rms_norm"),
                           .x = x.const_data_ptr(),
                           .x_stride = x.stride(0),
                           .addend = addend.defined() ? addend.const_data_ptr() : nullptr,
                           .sum = sum.defined() ? sum.mutable_data_ptr() : nullptr,
                           .weight = weight.const_data_ptr(),
                           .offset = static_cast<float>(norm.weight_offset),
                           .y = y.mutable_data_ptr(),
                           .rstd = mutable_data<float>(rstd),
                           .rows = x.size(0),
                           .d = x.size(1),
                           .eps = static_cast<float>(norm.eps),
                           .stream = cuda().current_stream()});
  return {y, rstd};
}

}  // namespace

AddedNormed add_rms_norm_forward(const at::Tensor& x, const at::Tensor& addend, const Norm& norm) {
  if (x.is_cuda()) {
    at::Tensor sum = at::empty(x.sizes(), x.options());
    return {sum, forward_on_device(x, addend, sum, norm)};
  }
  at::Tensor sum = x + addend;
  return {sum, rms_norm_forward(sum, norm)};
}

Normed rms_norm_forward(const at::Tensor& x, const Norm& norm) {
  if (x.is_cuda()) return forward_on_device(x, {}, {}, norm);
  at::Tensor rstd = at::empty({x.size(0)}, x.options().dtype(sum_type(x)));
  with_element_type(x, "rms_norm", [&]<class T>(T) {
    at::parallel_for(0, x.size(0), kRowsPerThread, [&](int64_t begin, int64_t end) {
      kernels::rms_norm_stats(data<T>(x) + begin * x.stride(0),
                              x.stride(0),
                              mutable_data<kernels::Compute<T>>(rstd) + begin,
                              end - begin,
                              x.size(1),
                              static_cast<kernels::Compute<T>>(norm.eps));
    });
  });
  return {rms_norm_apply(x, rstd, norm), rstd};
}

at::Tensor rms_norm_apply(const at::Tensor& x, const at::Tensor& rstd, const Norm& norm) {
  const at::Tensor weight = weight_of(norm, x);
  at::Tensor y = at::empty(x.sizes(), x.options());
  const int64_t d = x.size(1);
  if (x.is_cuda()) {
    cuda().rms_norm_apply({.element = element_of(x, "rms_norm"),
                           .x = x.const_data_ptr(),
                           .x_stride = x.stride(0),
                           .rstd = data<float>(rstd),
                           .weight = weight.const_data_ptr(),
                           .offset = static_cast<float>(norm.weight_offset),
                           .y = y.mutable_data_ptr(),
                           .rows = x.size(0),
                           .d = d,
                           .stream = cuda().current_stream()});
    return y;
  }
  with_element_type(x, "rms_norm", [&]<class T>(T) {
    at::parallel_for(0, x.size(0), kRowsPerThread, [&](int64_t begin, int64_t end) {
      kernels::rms_norm_apply(data<T>(x) + begin * x.stride(0),
                              x.stride(0),
                              data<kernels::Compute<T>>(rstd) + begin,
                              data<T>(weight),
                              static_cast<kernels::Compute<T>>(norm.weight_offset),
                              mutable_data<T>(y) + begin * d,
                              end - begin,
                              d);
    });
  });
  return y;
}

namespace {

at::Tensor backward_on_device(const at::Tensor& dy,
                              const at::Tensor& x,
                              const at::Tensor& rstd,
                              const Norm& norm,
                              GradSink& sink,
                              const at::Tensor& residual) {
  const int64_t rows = x.size(0);
  const int64_t d = x.size(1);
  at::Tensor dx = at::empty(x.sizes(), x.options());
  at::Tensor parts;
  const at::Tensor weight = weight_of(norm, x);
  if (learns(norm)) parts = at::empty({cuda().rms_norm_parts(rows, d), d}, rstd.options());
  cuda().rms_norm_backward({.element = element_of(x, "rms_norm"),
                            .dy = dy.contiguous().const_data_ptr(),
                            .x = x.const_data_ptr(),
                            .x_stride = x.stride(0),
                            .rstd = data<float>(rstd),
                            .weight = weight.const_data_ptr(),
                            .offset = static_cast<float>(norm.weight_offset),
                            .residual = residual.defined() ? residual.const_data_ptr() : nullptr,
                            .dx = dx.mutable_data_ptr(),
                            .dweight_parts = parts.defined() ? mutable_data<float>(parts) : nullptr,
                            .rows = rows,
                            .d = d,
                            .stream = cuda().current_stream()});
  if (parts.defined()) sink.add(norm.weight, parts.sum({0}));
  return dx;
}

}  // namespace

at::Tensor rms_norm_backward(const at::Tensor& dy,
                             const at::Tensor& x,
                             const at::Tensor& rstd,
                             const Norm& norm,
                             GradSink& sink,
                             const at::Tensor& residual) {
  const at::Tensor past = residual.defined() ? residual.contiguous() : residual;
  if (x.is_cuda()) return backward_on_device(dy, x, rstd, norm, sink, past);
  const int64_t rows = x.size(0);
  const int64_t d = x.size(1);
  const at::Tensor weight = weight_of(norm, x);
  const at::Tensor dy_rows = dy.contiguous();
  at::Tensor dx = at::empty(x.sizes(), x.options());
  // The rows are cut into a fixed number of parts, each with its own sum: the result does not depend on the
  // threads.
  constexpr int64_t kParts = 16;
  const bool weight_learns = learns(norm);
  at::Tensor parts = at::zeros({weight_learns ? kParts : 0, d}, rstd.options());
  with_element_type(x, "rms_norm", [&]<class T>(T) {
    at::parallel_for(0, kParts, 1, [&](int64_t first, int64_t last) {
      for (int64_t part = first; part < last; ++part) {
        const int64_t begin = rows * part / kParts;
        const int64_t end = rows * (part + 1) / kParts;
        kernels::rms_norm_backward(
            data<T>(dy_rows) + begin * d,
            data<T>(x) + begin * x.stride(0),
            x.stride(0),
            data<kernels::Compute<T>>(rstd) + begin,
            data<T>(weight),
            static_cast<kernels::Compute<T>>(norm.weight_offset),
            mutable_data<T>(dx) + begin * d,
            weight_learns ? mutable_data<kernels::Compute<T>>(parts) + part * d : nullptr,
            end - begin,
            d,
            past.defined() ? data<T>(past) + begin * d : nullptr);
      }
    });
  });
  if (weight_learns) sink.add(norm.weight, parts.sum({0}));
  return dx;
}

at::Tensor rms_norm(const at::Tensor& x, const Norm& norm, const OpContext& context) {
  ensure(!norm.bias, "an RMS norm has no bias");
  // An undefined tensor is no input of a node; without a weight x stands in for its anchor.
  return RmsNormFunction::apply(x, norm.weight ? norm.weight.unit->anchor() : x, norm, context);
}

}  // namespace automodel::ops
