#include "core/ops/attention/rope.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include "core/kernels/qkv_rope.h"
#include "core/ops/cuda/cuda.h"
#include "core/ops/dispatch.h"
#include "core/ops/head_rows.h"
#include "core/ops/node.h"

namespace automodel::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// q, k, v side by side [B, T, (N + 2 K) H], q and k rotated; k and v may be undefined.
at::Tensor rotate(const Heads& heads, const RopeAngles& angles, float sign) {
  const at::Tensor q = as_head_rows(heads.q_BTNH);
  const at::Tensor k = heads.k_BTKH.defined() ? as_head_rows(heads.k_BTKH) : at::Tensor();
  const at::Tensor v = heads.v_BTKH.defined() ? as_head_rows(heads.v_BTKH) : at::Tensor();
  const int64_t rows = q.size(0) * q.size(1);
  const at::Tensor &cos = angles.cos, &sin = angles.sin;
  const kernels::QkvRopeShape shape{.positions = cos.size(0),
                                    .q_heads = q.size(2),
                                    .kv_heads = k.defined() ? k.size(2) : 0,
                                    .head_dim = q.size(3),
                                    .rotary_dim = cos.size(1) * 2,
                                    .first_dim = angles.first_dim,
                                    .interleaved = angles.interleaved};
  check_angles(shape, q.sizes().slice(0, 2));
  const int64_t width = (shape.q_heads + 2 * shape.kv_heads) * shape.head_dim;
  at::Tensor y = at::empty({q.size(0), q.size(1), width}, q.options());
  if (q.is_cuda()) {
    cuda().qkv_rope({.element = element_of(q, "rope"),
                     .q = head_rows<void>(q),
                     .k = head_rows<void>(k),
                     .v = head_rows<void>(v),
                     .y = y.mutable_data_ptr(),
                     .cos = data<float>(cos),
                     .sin = data<float>(sin),
                     .sign = sign,
                     .shape = shape,
                     .rows = rows,
                     .stream = cuda().current_stream()});
    return y;
  }
  constexpr int64_t kRowsPerThread = 16;
  with_element_type(q, "rope", [&]<class T>(T) {
    at::parallel_for(0, rows, kRowsPerThread, [&](int64_t begin, int64_t end) {
      kernels::qkv_rope(head_rows<T>(q),
                        head_rows<T>(k),
                        head_rows<T>(v),
                        mutable_data<T>(y),
                        data<float>(cos),
                        data<float>(sin),
                        sign,
                        shape,
                        begin,
                        end);
    });
  });
  return y;
}

/// What both nodes save: cos and sin as tensors, the rest as it is.
void keep_angles(AutogradContext* ctx, const RopeAngles& angles) {
  ctx->save_for_backward({angles.cos, angles.sin});
  ctx->saved_data["interleaved"] = angles.interleaved;
  ctx->saved_data["first_dim"] = angles.first_dim;
}

RopeAngles kept_angles(AutogradContext* ctx) {
  const auto saved = ctx->get_saved_variables();
  return {saved[0],
          saved[1],
          ctx->saved_data.at("interleaved").toBool(),
          ctx->saved_data.at("first_dim").toInt()};
}

class RopeFunction : public torch::autograd::Function<RopeFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const RopeAngles& angles) {
    keep_angles(ctx, angles);
    return rotate({x, {}, {}}, angles, 1).view(x.sizes());
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    return {rotate({grads[0], {}, {}}, kept_angles(ctx), -1).view(grads[0].sizes()), {}};
  }
};

class RopeQkvFunction : public torch::autograd::Function<RopeQkvFunction> {
 public:
  static variable_list forward(AutogradContext* ctx,
                               const at::Tensor& qkv,
                               int64_t num_kv_heads,
                               int64_t head_dim,
                               const RopeAngles& angles) {
    keep_angles(ctx, angles);
    const at::Tensor rotated = rotate(split_heads(qkv, num_kv_heads, head_dim), angles, 1);
    const Heads heads = split_heads(rotated, num_kv_heads, head_dim);
    return {heads.q_BTNH, heads.k_BTKH, heads.v_BTKH};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    return {rotate({grads[0], grads[1], grads[2]}, kept_angles(ctx), -1), {}, {}, {}};
  }
};

}  // namespace

at::Tensor rope(const at::Tensor& x_BTNH, const RopeAngles& angles) {
  return RopeFunction::apply(x_BTNH, angles);
}

Heads rope_qkv(const at::Tensor& qkv_BTW, int64_t num_kv_heads, int64_t head_dim, const RopeAngles& angles) {
  const variable_list heads = RopeQkvFunction::apply(qkv_BTW, num_kv_heads, head_dim, angles);
  return {heads[0], heads[1], heads[2]};
}

}  // namespace automodel::ops
