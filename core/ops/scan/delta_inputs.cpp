#include "core/ops/scan/delta_inputs.h"

#include <cmath>

#include <ATen/ops/empty.h>
#include <ATen/ops/softplus.h>

#include "core/kernels/delta_rule.h"
#include "core/ops/batched_product.h"

namespace automodel::ops {

using kernels::Compute;

DeltaInputs::DeltaInputs(const at::Tensor& qkv,
                         const at::Tensor& b_BTH,
                         const at::Tensor& a_BTH,
                         const DeltaRule& delta_rule,
                         const at::Tensor& first_BT,
                         bool goes_on)
    : rule(delta_rule), qkv_BTX(qkv.contiguous()) {
  check_inputs(b_BTH, a_BTH);
  const int64_t groups = rule.num_key_heads;
  shape = cut(qkv.size(0), qkv.size(1), groups, rule.num_value_heads / groups, rule.chunk);
  raw_BTH = a_BTH.to(type()) + rule.dt_bias.value().to(type());
  softplus_BTH = at::softplus(raw_BTH);
  a_H = rule.a_log.value().to(type()).exp().neg_();
  decays = chunk_decays(per_head(softplus_BTH * a_H, shape), shape, first_BT, goes_on);
  beta = per_head(b_BTH.to(type()).sigmoid(), shape);
  split_keys();
  scores = batched_product(qk.flatten(0, 1), keys().flatten(0, 1).transpose(1, 2));
}

double DeltaInputs::query_scale() const {
  return 1 / std::sqrt(static_cast<double>(rule.key_head_dim));
}

at::Tensor DeltaInputs::empty_outputs() const {
  return at::empty({shape.batch, shape.length, rule.num_value_heads * rule.value_head_dim},
                   qkv_BTX.options());
}

void DeltaInputs::check_inputs(const at::Tensor& b_BTH, const at::Tensor& a_BTH) const {
  const int64_t width =
      2 * rule.num_key_heads * rule.key_head_dim + rule.num_value_heads * rule.value_head_dim;
  check(rule.num_key_heads > 0 && rule.num_value_heads % rule.num_key_heads == 0,
        ErrorCode::kInvalidArgument,
        "a gated delta rule of ",
        rule.num_value_heads,
        " value heads and ",
        rule.num_key_heads,
        " key heads: not a whole number each");
  check(qkv_BTX.dim() == 3 && qkv_BTX.size(2) == width && b_BTH.size(2) == rule.num_value_heads &&
            a_BTH.size(2) == rule.num_value_heads,
        ErrorCode::kInvalidArgument,
        "a gated delta rule of ",
        width,
        " channels and ",
        rule.num_value_heads,
        " heads got ",
        qkv_BTX.sizes(),
        ", ",
        b_BTH.sizes(),
        " and ",
        a_BTH.sizes());
}

void DeltaInputs::split_keys() {
  const auto options = qkv_BTX.options().dtype(type());
  qk = at::empty({rows(), shape.chunks, 2 * shape.chunk, rule.key_head_dim}, options);
  with_element_type(qkv_BTX, kDeltaWhat, [&]<class T>(T) {
    using F = Compute<T>;
    run_body(qk,
             kernels::DeltaKeys<T>{shape,
                                   rule.key_head_dim,
                                   data<T>(qkv_BTX),
                                   data<T>(qkv_BTX) + key_width(),
                                   qkv_BTX.size(2),
                                   static_cast<F>(query_scale()),
                                   mutable_data<F>(qk)},
             rows() * shape.padded(),
             kHeadTokensPerThread);
  });
}

DeltaGradients::DeltaGradients(const DeltaInputs& inputs)
    : d_log_decay_sum(empty_as(inputs.beta)),
      dout(empty_as(inputs.beta)),
      dbeta(empty_as(inputs.beta)),
      dwhole(empty_as(inputs.decays.whole)),
      dqkv_BTX(empty_as(inputs.qkv_BTX)) {}

void DeltaGradients::write_keys(const DeltaInputs& inputs,
                                const at::Tensor& dqk,
                                const at::Tensor& dscores) const {
  const int64_t chunk = inputs.shape.chunk;
  const int64_t key_width = inputs.key_width();
  const at::Tensor pairs = dqk.flatten(0, 1);
  batched_product_out(dscores, inputs.keys().flatten(0, 1), pairs, /*accumulate=*/true);
  batched_product_out(dscores.transpose(1, 2),
                      inputs.qk.flatten(0, 1),
                      pairs.narrow(1, chunk, chunk),
                      /*accumulate=*/true);
  with_element_type(inputs.qkv_BTX, kDeltaWhat, [&]<class T>(T) {
    using F = Compute<T>;
    run_body(dqk,
             kernels::DeltaKeysBackward<T>{inputs.shape,
                                           inputs.rule.key_head_dim,
                                           data<T>(inputs.qkv_BTX),
                                           data<T>(inputs.qkv_BTX) + key_width,
                                           inputs.qkv_BTX.size(2),
                                           static_cast<F>(inputs.query_scale()),
                                           data<F>(dqk),
                                           mutable_data<T>(dqkv_BTX),
                                           mutable_data<T>(dqkv_BTX) + key_width},
             inputs.rows() * inputs.shape.padded(),
             kHeadTokensPerThread);
  });
}

DeltaGradients::Gates DeltaGradients::finish(const DeltaInputs& inputs, GradSink& sink) const {
  const DeltaRule& rule = inputs.rule;
  const at::Tensor dg_BTH =
      per_token(chunk_decays_backward(inputs.decays, d_log_decay_sum, dout, dwhole), inputs.shape);
  if (rule.a_log.unit->trainable())
    sink.add(rule.a_log, (dg_BTH * inputs.softplus_BTH).sum(at::IntArrayRef({0, 1})).mul_(inputs.a_H));
  const at::Tensor da = dg_BTH * inputs.a_H * inputs.raw_BTH.sigmoid();
  if (rule.dt_bias.unit->trainable()) sink.add(rule.dt_bias, da.sum(at::IntArrayRef({0, 1})));
  return {per_token(dbeta * inputs.beta * (1 - inputs.beta), inputs.shape), da};
}

}  // namespace automodel::ops
