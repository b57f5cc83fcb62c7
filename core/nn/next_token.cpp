// B batch, T tokens, D hidden, V vocabulary
#include "core/nn/next_token.h"

#include <numeric>

#include <ATen/ops/mul.h>
#include <ATen/ops/tanh.h>

#include "core/nn/router_fields.h"
#include "core/ops/linear_cross_entropy.h"

namespace automodel::nn {

std::vector<std::string> NextToken::reads() const {
  std::vector<std::string> names;
  if (aux_loss_coef == 0) return names;
  for (const RouterField& field : kRouterFields) names.emplace_back(field.name);
  return names;
}

std::vector<StateField> NextToken::writes(const BatchShape& shape) const {
  const at::ScalarType compute = projection.weight.unit->options().compute_dtype;
  std::vector<StateField> fields;
  if (shape.labelled) {
    if (aux_loss_coef != 0) fields.push_back({kAuxLoss, {}, sum_dtype(compute)});
    fields.push_back({kLoss, {}, sum_dtype(compute)});
  }
  if (shape.want_logits) {
    const int64_t length = shape.last_logits_only ? 1 : shape.length;
    const std::vector<int64_t>& parts = projection.out_features;
    fields.push_back(
        {kLogits, {shape.rows, length, std::accumulate(parts.begin(), parts.end(), int64_t{0})}, compute});
  }
  return fields;
}

at::Tensor NextToken::loss(const at::Tensor& x_BTD,
                           const State& in,
                           const MicroBatch& batch,
                           const ops::OpContext& context,
                           State& out) const {
  const at::Tensor of_tokens = ops::linear_cross_entropy(x_BTD.reshape({-1, x_BTD.size(2)}),
                                                         batch.labels_BT.reshape({-1}),
                                                         projection,
                                                         {.scale = batch.loss_scale,
                                                          .ignore_index = batch.ignore_index,
                                                          .chunk_rows = batch.loss_chunk_rows,
                                                          .normalised_head = normalised,
                                                          .softcap = logit_softcap},
                                                         context);
  if (aux_loss_coef == 0) return of_tokens;
  RouterStats router;
  read_router(in, router);
  const at::Tensor balance = load_balancing_loss(router);
  out.set(kAuxLoss, balance.detach());
  // Its share of the step, as that of the token losses.
  const auto labels = batch.labels_BT.ne(batch.ignore_index).sum().item<int64_t>();
  return of_tokens + balance * (aux_loss_coef * batch.loss_scale * static_cast<double>(labels));
}

State NextToken::forward(const at::Tensor& normed_BTD,
                         const State& in,
                         const MicroBatch& batch,
                         const ops::OpContext& context) const {
  at::Tensor x_BTD = transform.forward(normed_BTD, context);
  // The projection is linear: scaling what it reads scales the logits.
  if (logit_scale != 1) x_BTD = at::mul(x_BTD, logit_scale);
  State out;
  if (batch.labels_BT.defined()) out.set(kLoss, loss(x_BTD, in, batch, context, out));
  if (batch.want_logits) {
    c10::NoGradGuard no_grad;
    at::Tensor logits_BTV = ops::linear(x_BTD.detach(), projection, context);
    if (normalised) logits_BTV = logits_BTV / ops::head_row_norms(projection);
    if (logit_softcap > 0) logits_BTV = at::tanh(logits_BTV / logit_softcap) * logit_softcap;
    out.set(kLogits, logits_BTV);
  }
  return out;
}

}  // namespace automodel::nn
