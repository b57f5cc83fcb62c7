#include "core/ops/scan/causal_conv.h"

#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cummax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include "core/kernels/causal_conv.h"
#include "core/ops/cuda/cuda.h"
#include "core/ops/dispatch.h"
#include "core/ops/node.h"

namespace automodel::ops {
namespace {

using kernels::Compute;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr const char* kWhat = "a causal convolution";
constexpr int64_t kTokensPerThread = 64;

/// The weights as the kernels read them.
struct Taps {
  at::Tensor taps_KC;
  at::Tensor bias_C;  ///< undefined: none
};

Taps taps_of(const CausalConv& conv, const at::Tensor& x) {
  const at::Tensor weight = conv.weight.value();
  const at::Tensor taps = weight.view({weight.size(0), weight.size(-1)}).t().to(sum_type(x)).contiguous();
  return {taps, conv.bias ? conv.bias.value().to(sum_type(x)) : at::Tensor()};
}

/// Itself where tokens are evenly spaced, rows too.
at::Tensor as_token_rows(const at::Tensor& x) {
  const bool even = x.stride(2) == 1 && (x.size(0) == 1 || x.stride(0) == x.stride(1) * x.size(1));
  return even ? x : x.contiguous();
}

kernels::CausalConvShape shape_of(const at::Tensor& x, const Taps& taps, const CausalConv& conv) {
  check(taps.taps_KC.size(1) == x.size(2),
        ErrorCode::kInvalidArgument,
        "a causal convolution of ",
        taps.taps_KC.size(1),
        " channels got ",
        x.sizes());
  return {x.size(0), x.size(1), x.size(2), taps.taps_KC.size(0), x.stride(1), conv.silu};
}

template <class T>
const T* data_or_null(const at::Tensor& x) {
  return x.defined() ? data<T>(x) : nullptr;
}

at::Tensor convolve(const at::Tensor& x,
                    const CausalConv& conv,
                    const at::Tensor& first,
                    const at::Tensor& state) {
  const Taps taps = taps_of(conv, x);
  const kernels::CausalConvShape shape = shape_of(x, taps, conv);
  at::Tensor y = at::empty(x.sizes(), x.options());
  if (x.is_cuda()) {
    cuda().causal_conv({.element = element_of(x, kWhat),
                        .x = x.const_data_ptr(),
                        .taps = data<float>(taps.taps_KC),
                        .bias = data_or_null<float>(taps.bias_C),
                        .state = data_or_null<void>(state),
                        .first = data_or_null<int32_t>(first),
                        .y = y.mutable_data_ptr(),
                        .shape = shape,
                        .stream = cuda().current_stream()});
    return y;
  }
  with_element_type(x, kWhat, [&]<class T>(T) {
    at::parallel_for(0, shape.batch * shape.length, kTokensPerThread, [&](int64_t begin, int64_t end) {
      kernels::causal_conv(data<T>(x),
                           data<Compute<T>>(taps.taps_KC),
                           data_or_null<Compute<T>>(taps.bias_C),
                           data_or_null<T>(state),
                           data_or_null<int32_t>(first),
                           mutable_data<T>(y),
                           shape,
                           begin,
                           end);
    });
  });
  return y;
}

struct Gradients {
  at::Tensor dx;
  at::Tensor dtaps;  ///< [parts, K + 1, C], the bias last; undefined where nothing learns
};

Gradients backward_on_device(const at::Tensor& dy,
                             const at::Tensor& x,
                             const Taps& taps,
                             const at::Tensor& first,
                             const kernels::CausalConvShape& shape,
                             bool learns) {
  Gradients out{at::empty(x.sizes(), x.options()), {}};
  const auto f32 = x.options().dtype(at::kFloat);
  const at::Tensor dpre = at::empty(x.sizes(), f32);
  if (learns) out.dtaps = at::empty({cuda().causal_conv_parts(shape), shape.kernel + 1, shape.channels}, f32);
  cuda().causal_conv_backward({.element = element_of(x, kWhat),
                               .dy = dy.const_data_ptr(),
                               .x = x.const_data_ptr(),
                               .taps = data<float>(taps.taps_KC),
                               .bias = data_or_null<float>(taps.bias_C),
                               .first = data_or_null<int32_t>(first),
                               .dx = out.dx.mutable_data_ptr(),
                               .dpre = mutable_data<float>(dpre),
                               .dtaps_parts = learns ? mutable_data<float>(out.dtaps) : nullptr,
                               .shape = shape,
                               .stream = cuda().current_stream()});
  return out;
}

Gradients backward_of(
    const at::Tensor& dy, const at::Tensor& x, const CausalConv& conv, const at::Tensor& first, bool learns) {
  const Taps taps = taps_of(conv, x);
  const kernels::CausalConvShape shape = shape_of(x, taps, conv);
  if (x.is_cuda()) return backward_on_device(dy, x, taps, first, shape, learns);
  // The tokens are cut into a fixed number of parts, each with its own sum: the result does not depend on the
  // threads.
  constexpr int64_t kParts = 16;
  const auto wide = x.options().dtype(sum_type(x));
  Gradients out{at::empty(x.sizes(), x.options()), {}};
  if (learns) out.dtaps = at::zeros({kParts, shape.kernel + 1, shape.channels}, wide);
  const at::Tensor scratch = at::empty({kParts, shape.kernel, shape.channels}, wide);
  const int64_t tokens = shape.batch * shape.length;
  with_element_type(x, kWhat, [&]<class T>(T) {
    at::parallel_for(0, kParts, 1, [&](int64_t from, int64_t to) {
      for (int64_t part = from; part < to; ++part) {
        kernels::causal_conv_backward(
            data<T>(dy),
            data<T>(x),
            data<Compute<T>>(taps.taps_KC),
            data_or_null<Compute<T>>(taps.bias_C),
            data_or_null<int32_t>(first),
            mutable_data<T>(out.dx),
            learns ? mutable_data<Compute<T>>(out.dtaps) + part * (shape.kernel + 1) * shape.channels
                   : nullptr,
            mutable_data<Compute<T>>(scratch) + part * shape.kernel * shape.channels,
            shape,
            tokens * part / kParts,
            tokens * (part + 1) / kParts);
      }
    });
  });
  return out;
}

struct ConvNode {
  CausalConv conv;
  at::Tensor first;
  GradSink* sink;
};

bool learns(const CausalConv& conv) {
  return conv.weight.unit->trainable() || (conv.bias && conv.bias.unit->trainable());
}

class CausalConvFunction : public torch::autograd::Function<CausalConvFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx,
                            const at::Tensor& x_any,
                            const at::Tensor& /*anchor*/,
                            const CausalConv& conv,
                            const Untracked& first,
                            const OpContext& context) {
    const at::Tensor x = as_token_rows(x_any);
    ctx->save_for_backward({x});
    save_value(ctx, ConvNode{conv, first.value, context.sink});
    return convolve(x, conv, first.value, {});
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& [conv, first, sink] = saved_value<ConvNode>(ctx);
    const at::Tensor x = ctx->get_saved_variables()[0];
    const Gradients gradients = backward_of(grads[0].contiguous(), x, conv, first, learns(conv));
    if (gradients.dtaps.defined()) {
      const at::Tensor dtaps = gradients.dtaps.sum({0});
      const int64_t kernel = dtaps.size(0) - 1;
      sink->add(conv.weight, dtaps.narrow(0, 0, kernel).t().unsqueeze(1));
      if (conv.bias) sink->add(conv.bias, dtaps.select(0, kernel));
    }
    return {gradients.dx, {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor first_of_document(const at::Tensor& documents_BT) {
  if (!documents_BT.defined()) return {};
  const int64_t length = documents_BT.size(1);
  const at::Tensor positions =
      at::arange(length, documents_BT.options().dtype(at::kInt)).expand_as(documents_BT);
  const at::Tensor same = documents_BT.narrow(1, 1, length - 1).eq(documents_BT.narrow(1, 0, length - 1));
  at::Tensor starts = at::zeros(documents_BT.sizes(), positions.options());
  starts.narrow(1, 1, length - 1).copy_(positions.narrow(1, 1, length - 1).masked_fill(same, 0));
  return std::get<0>(at::cummax(starts, 1));
}

at::Tensor causal_conv(const at::Tensor& x_BTC,
                       const CausalConv& conv,
                       const at::Tensor& first_BT,
                       const OpContext& context) {
  const at::Tensor& anchor =
      learns(conv) && !conv.weight.unit->trainable() ? conv.bias.unit->anchor() : conv.weight.unit->anchor();
  return CausalConvFunction::apply(x_BTC, anchor, conv, Untracked{first_BT}, context);
}

at::Tensor causal_conv_next(const at::Tensor& x_BTC, const CausalConv& conv, at::Tensor& state) {
  const c10::NoGradGuard no_grad;
  const int64_t kept = conv.weight.value().size(-1) - 1;
  if (!state.defined()) state = at::zeros({x_BTC.size(0), kept, x_BTC.size(2)}, x_BTC.options());
  at::Tensor y = convolve(as_token_rows(x_BTC), conv, {}, state);
  const at::Tensor inputs = at::cat({state, x_BTC}, 1);
  state = inputs.narrow(1, inputs.size(1) - kept, kept).contiguous();
  return y;
}

}  // namespace automodel::ops
