// B batch, T tokens, D hidden
#include "core/nn/decoder_segments.h"

#include <type_traits>
#include <utility>

#include <ATen/ops/add.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/zeros_like.h>

#include "core/nn/router_fields.h"
#include "core/ops/dropout.h"
#include "core/ops/embedding.h"
#include "core/ops/norm.h"

namespace automodel::nn {
namespace {

constexpr uint64_t kEmbeddingSite = 0xe3bed;

}  // namespace

EmbedSegment::EmbedSegment(std::string name, Embedding embedding, std::vector<tensor::FlatParameter*> units)
    : name_(std::move(name)), embedding_(embedding), units_(std::move(units)) {}

std::vector<StateField> EmbedSegment::writes(const BatchShape& shape) const {
  const tensor::Weight& table = embedding_.table;
  const int64_t hidden_size = table.unit->parameters()[table.first].shape[1];
  return {{kHidden,
           {shape.rows, shape.length, hidden_size},
           table.unit->options().compute_dtype,
           /*needs_grad=*/true}};
}

namespace {

/// [B, T]: rows of the table of positions.
at::Tensor position_rows(const MicroBatch& batch, const Embedding& embedding) {
  const at::Tensor& ids_BT = batch.input_ids_BT;
  const int64_t before = batch.cache ? batch.cache->length() : 0;
  at::Tensor positions_BT = batch.tokens.positions_BT;
  if (!positions_BT.defined())
    positions_BT = at::arange(before, before + ids_BT.size(1), ids_BT.options()).expand(ids_BT.sizes());
  if (!embedding.positions_skip_padding) return positions_BT + embedding.position_offset;
  ensure(before == 0, "positions that skip padding do not go on behind a cache");
  const at::Tensor counts_BT = ids_BT.ne(embedding.padding_id).to(at::kLong);
  const at::Tensor count_before_BT = counts_BT.cumsum(1) - counts_BT;
  const at::Tensor starts_BT = at::arange(ids_BT.size(1), ids_BT.options()) - positions_BT;
  const at::Tensor in_document_BT = count_before_BT - count_before_BT.gather(1, starts_BT);
  return (in_document_BT + 1) * counts_BT + (embedding.position_offset - 1);
}

}  // namespace

State EmbedSegment::forward(const State& /*in*/,
                            const MicroBatch& batch,
                            const ops::OpContext& context) const {
  at::Tensor x_BTD = ops::embedding(batch.input_ids_BT, embedding_.table, context, embedding_.padding_id);
  if (embedding_.scale != 1) x_BTD = at::mul(x_BTD, embedding_.scale);
  if (embedding_.positions) {
    const at::Tensor rows_BT = position_rows(batch, embedding_);
    const int64_t no_gradient = embedding_.positions_skip_padding ? embedding_.position_offset - 1 : -1;
    x_BTD = x_BTD + ops::embedding(rows_BT, embedding_.positions, context, no_gradient);
  }
  if (embedding_.token_types) {
    const at::Tensor& types_BT = batch.token_types_BT;
    x_BTD = x_BTD + ops::embedding(types_BT.defined() ? types_BT : at::zeros_like(batch.input_ids_BT),
                                   embedding_.token_types,
                                   context);
  }
  x_BTD = ops::norm(x_BTD, embedding_.norm, context);
  State out;
  out.set(kHidden, ops::dropout(x_BTD, embedding_.dropout, kEmbeddingSite, context));
  return out;
}

namespace {

at::Tensor mix(const ResidualBranch& branch, const at::Tensor& x_BTD, const MixerInput& in) {
  return std::visit([&](const auto& mixer) { return mixer.forward(x_BTD, in); }, branch.mixer);
}

}  // namespace

at::Tensor SubLayer::forward(const at::Tensor& x_BTD, const MixerInput& in) const {
  const at::Tensor normed_BTD = ops::norm(x_BTD, input_norm, in.context);
  at::Tensor sum_BTD = x_BTD;
  for (const ResidualBranch& branch : branches) {
    const at::Tensor read_BTD =
        branch.in_multiplier == 1 ? normed_BTD : at::mul(normed_BTD, branch.in_multiplier);
    at::Tensor mixed_BTD = ops::norm(mix(branch, read_BTD, in), branch.output_norm, in.context);
    mixed_BTD = ops::dropout(mixed_BTD, branch.dropout, branch.dropout_site, in.context);
    sum_BTD = at::add(sum_BTD, mixed_BTD, multiplier * branch.out_multiplier);
  }
  return ops::norm(sum_BTD, sum_norm, in.context);
}

bool SubLayer::is_plain() const {
  return branches.size() == 1 && !branches[0].output_norm && branches[0].dropout == 0 &&
         branches[0].in_multiplier == 1 && branches[0].out_multiplier == 1 && !input_norm && !sum_norm &&
         multiplier == 1;
}

DecoderBlock::DecoderBlock(std::string name,
                           std::vector<SubLayer> sub_layers,
                           std::vector<tensor::FlatParameter*> units,
                           int64_t hidden_size,
                           bool adds_to_router)
    : name_(std::move(name)),
      sub_layers_(std::move(sub_layers)),
      units_(std::move(units)),
      hidden_size_(hidden_size),
      adds_to_router_(adds_to_router) {
  for (const SubLayer& sub_layer : sub_layers_) {
    for (const ResidualBranch& branch : sub_layer.branches) {
      if (const Moe* moe = std::get_if<Moe>(&branch.mixer)) moe_ = &moe->config;
    }
  }
}

std::vector<std::string> DecoderBlock::reads() const {
  std::vector<std::string> names = {kHidden};
  if (moe_ && moe_->aux_loss_coef != 0 && adds_to_router_) {
    for (const RouterField& field : kRouterFields) names.emplace_back(field.name);
  }
  return names;
}

std::vector<StateField> DecoderBlock::writes(const BatchShape& shape) const {
  const at::ScalarType compute = units_[0]->options().compute_dtype;
  std::vector<StateField> fields = {
      {kHidden, {shape.rows, shape.length, hidden_size_}, compute, /*needs_grad=*/true}};
  if (!moe_) return fields;
  const int64_t experts = moe_->router.num_experts;
  fields.push_back({tokens_per_expert_field(name_), {experts}, at::kFloat});
  if (moe_->aux_loss_coef == 0) return fields;
  for (const RouterField& field : kRouterFields) {
    const bool is_count = field.member == &RouterStats::tokens;
    fields.push_back({field.name,
                      is_count ? std::vector<int64_t>{} : std::vector<int64_t>{experts},
                      field.needs_grad ? sum_dtype(compute) : at::kFloat,
                      field.needs_grad});
  }
  return fields;
}

State DecoderBlock::forward(const State& in, const MicroBatch& batch, const ops::OpContext& context) const {
  RouterStats router;
  if (in.has(kRouterFields[0].name)) read_router(in, router);
  const MixerInput input{context, batch.tokens, batch.cache ? &batch.cache->of(name_) : nullptr, &router};
  at::Tensor x_BTD = in.at(kHidden);
  for (size_t i = 0; i < sub_layers_.size(); ++i) {
    const bool joins =
        i + 1 < sub_layers_.size() && sub_layers_[i].is_plain() && sub_layers_[i + 1].is_plain();
    const Mlp* const next = joins ? std::get_if<Mlp>(&sub_layers_[i + 1].branches[0].mixer) : nullptr;
    if (next == nullptr) {
      x_BTD = sub_layers_[i].forward(x_BTD, input);
      continue;
    }
    // The mixer's output is added inside the MLP's norm.
    x_BTD = next->add_forward_add(x_BTD, mix(sub_layers_[i].branches[0], x_BTD, input), input);
    ++i;
  }
  State out;
  out.set(kHidden, x_BTD);
  if (!moe_) return out;
  out.set(tokens_per_expert_field(name_), router.tokens_per_expert_E);
  if (moe_->aux_loss_coef == 0) return out;
  for (const RouterField& field : kRouterFields) out.set(field.name, router.*field.member);
  return out;
}

HeadSegment::HeadSegment(std::string name,
                         ops::Norm norm,
                         Objective objective,
                         std::vector<tensor::FlatParameter*> units)
    : name_(std::move(name)), norm_(norm), objective_(std::move(objective)), units_(std::move(units)) {}

std::vector<std::string> HeadSegment::reads() const {
  std::vector<std::string> names = {kHidden};
  if (const auto* next_token = std::get_if<NextToken>(&objective_)) {
    for (std::string& name : next_token->reads()) names.push_back(std::move(name));
  }
  return names;
}

std::vector<StateField> HeadSegment::writes(const BatchShape& shape) const {
  return std::visit([&](const auto& objective) { return objective.writes(shape); }, objective_);
}

State HeadSegment::forward(const State& in, const MicroBatch& batch, const ops::OpContext& context) const {
  at::Tensor hidden_BTD = in.at(kHidden);
  if (batch.last_logits_only) {
    ensure(!batch.labels_BT.defined(), "a loss needs every position");
    hidden_BTD = hidden_BTD.narrow(1, hidden_BTD.size(1) - 1, 1);
  }
  const at::Tensor normed_BTD = ops::norm(hidden_BTD, norm_, context);
  return std::visit(
      [&]<class T>(const T& objective) {
        if constexpr (std::is_same_v<T, NextToken>) {
          return objective.forward(normed_BTD, in, batch, context);
        } else if constexpr (std::is_same_v<T, RowLabels>) {
          return objective.forward(normed_BTD, batch, context);
        } else {
          return objective.forward(normed_BTD, batch);
        }
      },
      objective_);
}

}  // namespace automodel::nn
