#include "core/ops/gated_norm.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "core/ops/cuda/cuda.h"
#include "core/ops/dispatch.h"
#include "core/ops/linear_math.h"
#include "core/ops/node.h"

namespace automodel::ops {
namespace {

using kernels::Compute;
using kernels::GateOrder;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr const char* kWhat = "a gated norm";
constexpr int64_t kRowsPerThread = 16;

/// Tokens of x and gate as rows; those of the gate may lie apart.
struct GatedRows {
  at::Tensor x;     ///< [rows, W], contiguous
  at::Tensor gate;  ///< [rows, W]
};

GatedRows rows_of(const at::Tensor& x, const at::Tensor& gate) {
  const bool even =
      gate.stride(2) == 1 && (gate.size(0) == 1 || gate.stride(0) == gate.stride(1) * gate.size(1));
  return {as_rows(x).contiguous(), as_rows(even ? gate : gate.contiguous())};
}

/// The norm's weight and what the kernels are told.
struct Call {
  at::Tensor weight;
  kernels::GatedNormShape shape;

  Call(const GatedNorm& norm, const GatedRows& rows) {
    if (norm.weight) weight = norm.weight.value();
    const int64_t width = rows.x.size(1);
    check(norm.group > 0 && width % norm.group == 0,
          ErrorCode::kInvalidArgument,
          "a gated norm of groups of ",
          norm.group,
          " got ",
          width,
          " channels");
    shape = {width,
             norm.group,
             weight.defined() ? weight.numel() : width,
             rows.gate.stride(0),
             norm.order,
             norm.eps};
  }

  template <class T>
  const T* weight_data() const {
    return weight.defined() ? data<T>(weight) : nullptr;
  }
};

at::Tensor normalise(const GatedRows& rows, const at::Tensor& rstd, const Call& call) {
  at::Tensor y = at::empty(rows.x.sizes(), rows.x.options());
  if (y.is_cuda()) {
    cuda().gated_norm_forward({.element = element_of(y, kWhat),
                               .x = rows.x.const_data_ptr(),
                               .gate = rows.gate.const_data_ptr(),
                               .rstd = mutable_data<float>(rstd),
                               .weight = call.weight_data<void>(),
                               .y = y.mutable_data_ptr(),
                               .shape = call.shape,
                               .rows = y.size(0),
                               .stream = cuda().current_stream()});
    return y;
  }
  with_element_type(y, kWhat, [&]<class T>(T) {
    at::parallel_for(0, y.size(0), kRowsPerThread, [&](int64_t begin, int64_t end) {
      kernels::gated_norm_apply(data<T>(rows.x),
                                data<T>(rows.gate),
                                data<Compute<T>>(rstd),
                                call.weight_data<T>(),
                                mutable_data<T>(y),
                                call.shape,
                                begin,
                                end);
    });
  });
  return y;
}

/// On a device the values come with the statistics: normalise() writes both.
at::Tensor statistics(const GatedRows& rows, const Call& call) {
  const int64_t groups = call.shape.width / call.shape.group;
  at::Tensor rstd = at::empty({rows.x.size(0), groups}, rows.x.options().dtype(sum_type(rows.x)));
  if (rows.x.is_cuda() || call.shape.order == GateOrder::kGateOnly) return rstd;
  with_element_type(rows.x, kWhat, [&]<class T>(T) {
    at::parallel_for(0, rows.x.size(0), kRowsPerThread, [&](int64_t begin, int64_t end) {
      kernels::gated_norm_stats(
          data<T>(rows.x), data<T>(rows.gate), mutable_data<Compute<T>>(rstd), call.shape, begin, end);
    });
  });
  return rstd;
}

struct Gradients {
  at::Tensor dx, dgate;
  at::Tensor dweight;  ///< [any, weight_length]: its sum over rows; undefined where the weight is frozen
};

Gradients backward_on_device(
    const at::Tensor& dy, const GatedRows& rows, const at::Tensor& rstd, const Call& call, bool learns) {
  Gradients out{at::empty(dy.sizes(), dy.options()), at::empty(dy.sizes(), dy.options()), {}};
  if (learns) out.dweight = at::empty(dy.sizes(), rstd.options());
  cuda().gated_norm_backward({.element = element_of(dy, kWhat),
                              .dy = dy.const_data_ptr(),
                              .x = rows.x.const_data_ptr(),
                              .gate = rows.gate.const_data_ptr(),
                              .rstd = data<float>(rstd),
                              .weight = call.weight_data<void>(),
                              .dx = out.dx.mutable_data_ptr(),
                              .dgate = out.dgate.mutable_data_ptr(),
                              .dweight_rows = learns ? mutable_data<float>(out.dweight) : nullptr,
                              .shape = call.shape,
                              .rows = dy.size(0),
                              .stream = cuda().current_stream()});
  if (learns) out.dweight = out.dweight.view({-1, call.shape.weight_length});
  return out;
}

Gradients backward_of(
    const at::Tensor& dy, const GatedRows& rows, const at::Tensor& rstd, const Call& call, bool learns) {
  if (dy.is_cuda()) return backward_on_device(dy, rows, rstd, call, learns);
  // A fixed number of parts, each with its own sum: the result does not depend on the threads.
  constexpr int64_t kParts = 16;
  Gradients out{at::empty(dy.sizes(), dy.options()), at::empty(dy.sizes(), dy.options()), {}};
  if (learns) out.dweight = at::zeros({kParts, call.shape.weight_length}, rstd.options());
  with_element_type(dy, kWhat, [&]<class T>(T) {
    at::parallel_for(0, kParts, 1, [&](int64_t from, int64_t to) {
      for (int64_t part = from; part < to; ++part) {
        kernels::gated_norm_backward(
            data<T>(dy),
            data<T>(rows.x),
            data<T>(rows.gate),
            data<Compute<T>>(rstd),
            call.weight_data<T>(),
            mutable_data<T>(out.dx),
            mutable_data<T>(out.dgate),
            learns ? mutable_data<Compute<T>>(out.dweight) + part * call.shape.weight_length : nullptr,
            call.shape,
            dy.size(0) * part / kParts,
            dy.size(0) * (part + 1) / kParts);
      }
    });
  });
  return out;
}

struct GatedNormNode {
  GatedNorm norm;
  Linear layer;
  OpContext context;
  std::vector<int64_t> x_sizes;
};

class GatedNormLinearFunction : public torch::autograd::Function<GatedNormLinearFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx,
                            const at::Tensor& x,
                            const at::Tensor& gate,
                            const at::Tensor& /*anchor*/,
                            const GatedNorm& norm,
                            const Linear& layer,
                            const OpContext& context) {
    const GatedRows rows = rows_of(x, gate);
    const Call call(norm, rows);
    const at::Tensor rstd = statistics(rows, call);
    const at::Tensor normed = normalise(rows, rstd, call);
    ctx->save_for_backward({rows.x, rows.gate, rstd, context.recompute_cheap ? at::Tensor() : normed});
    save_value(ctx, GatedNormNode{norm, layer, context, x.sizes().vec()});
    const at::Tensor y = linear_forward(normed, layer, context);
    return y.view({x.size(0), x.size(1), y.size(1)});
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& node = saved_value<GatedNormNode>(ctx);
    const auto saved = ctx->get_saved_variables();
    const GatedRows rows{saved[0], saved[1]};
    const Call call(node.norm, rows);
    const at::Tensor normed = saved[3].defined() ? saved[3] : normalise(rows, saved[2], call);
    const bool learns = node.norm.weight && node.norm.weight.unit->trainable();
    const bool needs_dx = ctx->needs_input_grad(0) || ctx->needs_input_grad(1) || learns;
    const at::Tensor dnormed = linear_backward(normed, as_rows(grads[0]), node.layer, node.context, needs_dx);
    if (!needs_dx) return {{}, {}, {}, {}, {}, {}};
    const Gradients out = backward_of(dnormed.contiguous(), rows, saved[2], call, learns);
    if (learns) node.context.sink->add(node.norm.weight, out.dweight.sum({0}));
    return {out.dx.view(node.x_sizes), out.dgate.view(node.x_sizes), {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor gated_norm_linear(const at::Tensor& x_BTW,
                             const at::Tensor& gate_BTW,
                             const GatedNorm& norm,
                             const Linear& layer,
                             const OpContext& context) {
  const Norm weight{.weight = norm.weight};
  const at::Tensor& anchor = anchor_of(layer, norm.weight ? &weight : nullptr);
  return GatedNormLinearFunction::apply(x_BTW, gate_BTW, anchor, norm, layer, context);
}

}  // namespace automodel::ops
