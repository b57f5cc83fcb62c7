#include "core/nn/decoder_segments.h"

#include <algorithm>
#include <utility>

#include "core/ops/embedding.h"
#include "core/ops/linear_cross_entropy.h"
#include "core/ops/rms_norm.h"

namespace automodel::nn {
namespace {

/// Every unit once, in the order of first use.
std::vector<tensor::Unit*> units_of_all(const std::vector<const ops::Linear*>& layers) {
  std::vector<tensor::Unit*> units;
  for (const ops::Linear* layer : layers) {
    for (tensor::Unit* unit : ops::units_of(*layer)) {
      if (std::find(units.begin(), units.end(), unit) == units.end()) units.push_back(unit);
    }
  }
  return units;
}

}  // namespace

EmbedSegment::EmbedSegment(std::string name, tensor::Weight table, int64_t hidden_size, int64_t padding_id)
    : name_(std::move(name)), table_(table), hidden_size_(hidden_size), padding_id_(padding_id) {}

std::vector<StateField> EmbedSegment::writes(int64_t rows, int64_t length) const {
  return {{kHidden, {rows, length, hidden_size_}, table_.unit->options().compute_dtype}};
}

State EmbedSegment::forward(const State& /*in*/,
                            const MicroBatch& batch,
                            const ops::OpContext& context) const {
  State out;
  out.set(kHidden, ops::embedding(batch.input_ids_BT, table_, context, padding_id_));
  return out;
}

DecoderBlock::DecoderBlock(std::string name, Attention attention, Mlp mlp, int64_t hidden_size)
    : name_(std::move(name)),
      attention_(std::move(attention)),
      mlp_(std::move(mlp)),
      hidden_size_(hidden_size) {}

std::vector<tensor::Unit*> DecoderBlock::units() const {
  return units_of_all({&attention_.qkv, &attention_.output, &mlp_.gate_up, &mlp_.down});
}

std::vector<StateField> DecoderBlock::writes(int64_t rows, int64_t length) const {
  return {{kHidden, {rows, length, hidden_size_}, attention_.qkv.weight.unit->options().compute_dtype}};
}

State DecoderBlock::forward(const State& in, const MicroBatch& batch, const ops::OpContext& context) const {
  Cache* const cache = batch.cache ? &batch.cache->of(name_) : nullptr;
  const at::Tensor& x_BTD = in.at(kHidden);
  const at::Tensor attended_BTD = x_BTD + attention_.forward(x_BTD, context, cache);
  State out;
  out.set(kHidden, attended_BTD + mlp_.forward(attended_BTD, context));
  return out;
}

HeadSegment::HeadSegment(std::string name, ops::Norm norm, ops::Linear projection)
    : name_(std::move(name)), norm_(norm), projection_(std::move(projection)) {}

std::vector<tensor::Unit*> HeadSegment::units() const {
  std::vector<tensor::Unit*> units = {norm_.weight.unit};
  for (tensor::Unit* unit : ops::units_of(projection_)) {
    if (unit != units[0]) units.push_back(unit);
  }
  return units;
}

std::vector<StateField> HeadSegment::writes(int64_t /*rows*/, int64_t /*length*/) const {
  return {{kLoss, {}, at::kFloat}};
}

State HeadSegment::forward(const State& in, const MicroBatch& batch, const ops::OpContext& context) const {
  at::Tensor hidden_BTD = in.at(kHidden);
  if (batch.last_logits_only) {
    ensure(!batch.labels_BT.defined(), "a loss needs every position");
    hidden_BTD = hidden_BTD.narrow(1, hidden_BTD.size(1) - 1, 1);
  }
  const at::Tensor normed_BTD = ops::rms_norm(hidden_BTD, norm_, context);
  State out;
  if (batch.labels_BT.defined()) {
    const at::Tensor loss =
        ops::linear_cross_entropy(normed_BTD.reshape({-1, normed_BTD.size(2)}),
                                  batch.labels_BT.reshape({-1}),
                                  projection_,
                                  {batch.loss_scale, batch.ignore_index, batch.loss_chunk_rows},
                                  context);
    out.set(kLoss, loss);
  }
  if (batch.want_logits) {
    c10::NoGradGuard no_grad;
    out.set(kLogits, ops::linear(normed_BTD.detach(), projection_, context));
  }
  return out;
}

}  // namespace automodel::nn
