#include "core/ops/attention/qk_norm_rope.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "core/kernels/qk_norm_rope.h"
#include "core/ops/cuda/cuda.h"
#include "core/ops/dispatch.h"
#include "core/ops/head_rows.h"
#include "core/ops/node.h"

namespace automodel::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kRowsPerThread = 16;

/// What the passes are told beside tensors.
struct QkNode {
  Norm q_norm, k_norm;
  kernels::QkvRopeShape shape;
  GradSink* sink = nullptr;
};

kernels::QkvRopeShape shape_of(const at::Tensor& qkv_BTW,
                               int64_t num_kv_heads,
                               int64_t head_dim,
                               const RopeAngles& angles) {
  return {.positions = angles.cos.size(0),
          .q_heads = qkv_BTW.size(2) / head_dim - 2 * num_kv_heads,
          .kv_heads = num_kv_heads,
          .head_dim = head_dim,
          .rotary_dim = angles.cos.size(1) * 2,
          .first_dim = angles.first_dim,
          .interleaved = angles.interleaved};
}

template <class T>
kernels::HeadNorm<T> head_norm(const Norm& norm, const at::Tensor& weight) {
  return {static_cast<const T*>(weight.const_data_ptr()), norm.eps, norm.weight_offset};
}

bool learns(const Norm& norm) {
  return norm.weight.unit->trainable();
}

/// y [B, T, W] and the statistics [rows, N + K].
std::pair<at::Tensor, at::Tensor> pass(const at::Tensor& qkv, const RopeAngles& angles, const QkNode& node) {
  const kernels::QkvRopeShape& shape = node.shape;
  const int64_t rows = qkv.size(0) * qkv.size(1);
  const at::Tensor q_weight = node.q_norm.weight.value(), k_weight = node.k_norm.weight.value();
  at::Tensor y = at::empty(qkv.sizes(), qkv.options());
  at::Tensor rstd = at::empty({rows, shape.q_heads + shape.kv_heads}, qkv.options().dtype(sum_type(qkv)));
  if (qkv.is_cuda()) {
    cuda().qk_norm_rope({.element = element_of(qkv, "qk_norm_rope"),
                         .qkv = qkv.const_data_ptr(),
                         .q_norm = head_norm<void>(node.q_norm, q_weight),
                         .k_norm = head_norm<void>(node.k_norm, k_weight),
                         .cos = data<float>(angles.cos),
                         .sin = data<float>(angles.sin),
                         .y = y.mutable_data_ptr(),
                         .rstd = mutable_data<float>(rstd),
                         .shape = shape,
                         .rows = rows,
                         .stream = cuda().current_stream()});
    return {y, rstd};
  }
  with_element_type(qkv, "qk_norm_rope", [&]<class T>(T) {
    at::parallel_for(0, rows, kRowsPerThread, [&](int64_t begin, int64_t end) {
      kernels::qk_norm_rope(data<T>(qkv),
                            head_norm<T>(node.q_norm, q_weight),
                            head_norm<T>(node.k_norm, k_weight),
                            data<float>(angles.cos),
                            data<float>(angles.sin),
                            mutable_data<T>(y),
                            mutable_data<kernels::Compute<T>>(rstd),
                            shape,
                            begin,
                            end);
    });
  });
  return {y, rstd};
}

/// The gradient of qkv, and those of the norms' weights [parts, 2, H]; undefined when they are frozen.
std::pair<at::Tensor, at::Tensor> pass_back(const Heads& grads,
                                            const at::Tensor& qkv,
                                            const at::Tensor& rstd,
                                            const RopeAngles& angles,
                                            const QkNode& node) {
  const kernels::QkvRopeShape& shape = node.shape;
  const int64_t rows = qkv.size(0) * qkv.size(1);
  const bool learning = learns(node.q_norm) || learns(node.k_norm);
  const at::Tensor q_weight = node.q_norm.weight.value(), k_weight = node.k_norm.weight.value();
  const at::Tensor dq = as_head_rows(grads.q_BTNH), dk = as_head_rows(grads.k_BTKH),
                   dv = as_head_rows(grads.v_BTKH);
  at::Tensor dqkv = at::empty(qkv.sizes(), qkv.options());
  at::Tensor parts;
  if (qkv.is_cuda()) {
    const kernels::Element element = element_of(qkv, "qk_norm_rope");
    const int64_t num_parts = cuda().qk_norm_rope_parts(element, shape, rows);
    if (learning) parts = at::empty({num_parts, 2, shape.head_dim}, rstd.options());
    cuda().qk_norm_rope_backward({.element = element,
                                  .dq = head_rows<void>(dq),
                                  .dk = head_rows<void>(dk),
                                  .dv = head_rows<void>(dv),
                                  .qkv = qkv.const_data_ptr(),
                                  .rstd = data<float>(rstd),
                                  .q_norm = head_norm<void>(node.q_norm, q_weight),
                                  .k_norm = head_norm<void>(node.k_norm, k_weight),
                                  .cos = data<float>(angles.cos),
                                  .sin = data<float>(angles.sin),
                                  .dqkv = dqkv.mutable_data_ptr(),
                                  .dnorm_parts = learning ? mutable_data<float>(parts) : nullptr,
                                  .shape = shape,
                                  .rows = rows,
                                  .stream = cuda().current_stream()});
    return {dqkv, parts};
  }
  // A fixed number of parts, each with its own sum: the result does not depend on the threads.
  constexpr int64_t kParts = 16;
  if (learning) parts = at::zeros({kParts, 2, shape.head_dim}, rstd.options());
  with_element_type(qkv, "qk_norm_rope", [&]<class T>(T) {
    using C = kernels::Compute<T>;
    at::parallel_for(0, kParts, 1, [&](int64_t first, int64_t last) {
      for (int64_t part = first; part < last; ++part) {
        C* const sums = learning ? mutable_data<C>(parts) + part * 2 * shape.head_dim : nullptr;
        kernels::qk_norm_rope_backward(head_rows<T>(dq),
                                       head_rows<T>(dk),
                                       head_rows<T>(dv),
                                       data<T>(qkv),
                                       data<C>(rstd),
                                       head_norm<T>(node.q_norm, q_weight),
                                       head_norm<T>(node.k_norm, k_weight),
                                       data<float>(angles.cos),
                                       data<float>(angles.sin),
                                       mutable_data<T>(dqkv),
                                       sums,
                                       learning ? sums + shape.head_dim : nullptr,
                                       shape,
                                       rows * part / kParts,
                                       rows * (part + 1) / kParts);
      }
    });
  });
  return {dqkv, parts};
}

class QkNormRopeFunction : public torch::autograd::Function<QkNormRopeFunction> {
 public:
  static variable_list forward(AutogradContext* ctx,
                               const at::Tensor& qkv_BTW,
                               const at::Tensor& /*anchor*/,
                               const RopeAngles& angles,
                               const QkNode& node) {
    const at::Tensor qkv = qkv_BTW.contiguous();
    const auto [y, rstd] = pass(qkv, angles, node);
    ctx->save_for_backward({qkv, rstd, angles.cos, angles.sin});
    save_value(ctx, node);
    const Heads heads = split_heads(y, node.shape.kv_heads, node.shape.head_dim);
    return {heads.q_BTNH, heads.k_BTKH, heads.v_BTKH};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& node = saved_value<QkNode>(ctx);
    const auto saved = ctx->get_saved_variables();
    const RopeAngles angles{saved[2], saved[3], node.shape.interleaved, node.shape.first_dim};
    const auto [dqkv, parts] = pass_back({grads[0], grads[1], grads[2]}, saved[0], saved[1], angles, node);
    if (parts.defined()) {
      const at::Tensor sums = parts.sum({0});
      node.sink->add(node.q_norm.weight, sums[0]);
      node.sink->add(node.k_norm.weight, sums[1]);
    }
    return {dqkv, {}, {}, {}};
  }
};

bool is_plain(const Norm& norm) {
  return norm.kind == NormKind::kRms && norm.weight && !norm.bias;
}

}  // namespace

bool can_norm_and_rotate(const at::Tensor& qkv_BTW,
                         int64_t num_kv_heads,
                         int64_t head_dim,
                         const Norm& q_norm,
                         const Norm& k_norm,
                         const RopeAngles& angles) {
  if (!is_plain(q_norm) || !is_plain(k_norm)) return false;
  return qkv_BTW.is_cpu() || kernels::qk_norm_rope_fits(element_of(qkv_BTW, "qk_norm_rope"),
                                                        shape_of(qkv_BTW, num_kv_heads, head_dim, angles));
}

Heads qk_norm_rope(const at::Tensor& qkv_BTW,
                   int64_t num_kv_heads,
                   int64_t head_dim,
                   const Norm& q_norm,
                   const Norm& k_norm,
                   const RopeAngles& angles,
                   const OpContext& context) {
  const QkNode node{q_norm, k_norm, shape_of(qkv_BTW, num_kv_heads, head_dim, angles), context.sink};
  check_angles(node.shape, qkv_BTW.sizes().slice(0, 2));
  const variable_list heads = QkNormRopeFunction::apply(qkv_BTW, q_norm.weight.unit->anchor(), angles, node);
  return {heads[0], heads[1], heads[2]};
}

}  // namespace automodel::ops
