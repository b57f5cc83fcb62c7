#include "core/engine/walk.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>

#include "core/models/decoder.h"
#include "core/nn/decoder_segments.h"
#include "tests/core/families/names.h"

namespace automodel::engine {
namespace {

arch::DecoderConfig small_config(bool tied) {
  arch::DecoderConfig config;
  config.names = families::names_of("llama");
  config.architecture = "LlamaForCausalLM";
  config.vocab_size = 40;
  config.hidden_size = 16;
  config.initializer_range = 0.2;
  config.head.tied = tied;
  arch::RopeConfig rope;
  rope.rotary_dim = 8;
  rope.inv_freq = {1.0, 0.1, 0.01, 0.001};
  config.ropes = {rope};
  arch::LayerConfig layer;
  layer.attention.num_heads = 2;
  layer.attention.num_kv_heads = 1;
  layer.attention.head_dim = 8;
  layer.mlp.intermediate_size = 24;
  config.layers.assign(3, layer);
  return config;
}

/// A decoder with every weight drawn from one seed.
models::Decoder small_decoder(bool tied = false, tensor::Unit::Options options = {}) {
  models::Decoder decoder = models::build_decoder(small_config(tied), options);
  models::init_weights(decoder, 7);
  return decoder;
}

nn::MicroBatch random_batch(uint64_t seed, double loss_scale) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  nn::MicroBatch batch;
  batch.input_ids_BT = at::empty({2, 9}, at::kLong).random_(0, 40, generator);
  batch.labels_BT = at::empty({2, 9}, at::kLong).random_(0, 40, generator);
  batch.labels_BT[0].narrow(0, 5, 4).fill_(-100);
  batch.loss_scale = loss_scale;
  return batch;
}

struct StepResult {
  double loss = 0;
  std::vector<at::Tensor> grads;  ///< by unit, cloned; undefined for frozen ones
};

StepResult run_step(models::Decoder& decoder, const Walk::Options& options, int num_micro_batches = 2) {
  Walk walk(decoder.segment_pointers(), decoder.unit_pointers(), options);
  std::vector<nn::MicroBatch> batches;
  for (int i = 0; i < num_micro_batches; ++i)
    batches.push_back(random_batch(100 + static_cast<uint64_t>(i), 1.0 / 28));
  StepResult result;
  for (const nn::State& state : walk.train(batches)) result.loss += state.at(nn::kLoss).item<double>();
  for (const auto& unit : decoder.units) {
    result.grads.push_back(unit->trainable() ? unit->grads().clone() : at::Tensor());
  }
  return result;
}

void expect_equal(const StepResult& a, const StepResult& b) {
  EXPECT_EQ(a.loss, b.loss);
  ASSERT_EQ(a.grads.size(), b.grads.size());
  for (size_t i = 0; i < a.grads.size(); ++i) EXPECT_TRUE(a.grads[i].equal(b.grads[i])) << "unit " << i;
}

TEST(Walk, RecomputeLevelsGiveTheSameGradientsToTheBit) {
  models::Decoder decoder = small_decoder();
  const StepResult none = run_step(decoder, {Recompute::kNone});
  EXPECT_GT(none.loss, 1);
  expect_equal(none, run_step(decoder, {Recompute::kCheap}));
  expect_equal(none, run_step(decoder, {Recompute::kBlock}));
}

TEST(Walk, DeferredWeightGradientsAreTheSameToTheBit) {
  models::Decoder decoder = small_decoder(/*tied=*/true);
  expect_equal(run_step(decoder, {Recompute::kCheap}), run_step(decoder, {Recompute::kCheap, true}));
}

TEST(Walk, ReleasedWeightsArePoisonedAndGatheredAgainForBackward) {
  models::Decoder resident = small_decoder(/*tied=*/true);
  tensor::Unit::Options options;
  options.placement = tensor::Placement::kTransient;
  options.poison_released = true;
  models::Decoder transient = small_decoder(/*tied=*/true, options);
  for (const Recompute level : {Recompute::kNone, Recompute::kCheap, Recompute::kBlock}) {
    expect_equal(run_step(resident, {level}), run_step(transient, {level}));
    for (const auto& unit : transient.units) EXPECT_FALSE(unit->gathered()) << unit->name();
  }
}

TEST(Walk, AViewKeptAcrossAReleaseReadsNaN) {
  tensor::Unit::Options options;
  options.placement = tensor::Placement::kTransient;
  options.poison_released = true;
  models::Decoder decoder = small_decoder(false, options);
  tensor::Unit& unit = *decoder.units[1];
  unit.gather();
  const at::Tensor kept = unit.weight(0);
  unit.release();
  EXPECT_TRUE(kept.isnan().all().item<bool>());
  EXPECT_THROW(unit.weight(0), Error);
}

TEST(Walk, FrozenEmbeddingStillLetsBlockZeroLearn) {
  models::Decoder learning = small_decoder();
  const StepResult all = run_step(learning, {Recompute::kCheap});
  for (const Recompute level : {Recompute::kNone, Recompute::kBlock}) {
    models::Decoder decoder = small_decoder();
    // The same weights, in a unit that does not learn.
    tensor::Unit::Options frozen;
    frozen.trainable = false;
    tensor::Unit embedding("embed", decoder.units[0]->parameters(), frozen);
    embedding.home().copy_(decoder.units[0]->home());
    nn::Embedding table;
    table.table = {&embedding, 0};
    const nn::EmbedSegment embed("embed", table);
    std::vector<const nn::Segment*> segments = decoder.segment_pointers();
    segments[0] = &embed;
    std::vector<tensor::Unit*> units = decoder.unit_pointers();
    units[0] = &embedding;
    Walk walk(segments, units, {level});
    walk.train({random_batch(100, 1.0 / 28), random_batch(101, 1.0 / 28)});
    EXPECT_FALSE(embedding.grads().defined());
    for (size_t i = 1; i < units.size(); ++i)
      EXPECT_TRUE(units[i]->grads().equal(all.grads[i])) << units[i]->name();
    EXPECT_GT(units[1]->grads().abs().max().item<double>(), 0);
  }
}

TEST(Walk, TiedHeadAddsBothGradientsIntoOneTable) {
  // An untied model with equal tables: its two gradients sum to the tied one.
  models::Decoder untied = small_decoder(false);
  models::Decoder tied = small_decoder(true);
  for (size_t i = 1; i + 1 < untied.units.size(); ++i) tied.units[i]->home().copy_(untied.units[i]->home());
  tied.units[0]->home().copy_(untied.units[0]->home());
  const tensor::Weight head = untied.find("lm_head.weight");
  head.unit->home(head.first).copy_(untied.units[0]->home(0));
  const StepResult apart = run_step(untied, {});
  const StepResult together = run_step(tied, {});
  EXPECT_EQ(apart.loss, together.loss);
  const at::Tensor sum = untied.units[0]->grad(0) + head.unit->grad(head.first);
  EXPECT_LT((tied.units[0]->grad(0) - sum).abs().max().item<double>(), 1e-6);
}

TEST(Walk, GradientsAgreeWithFiniteDifferences) {
  models::Decoder decoder = small_decoder();
  const StepResult step = run_step(decoder, {Recompute::kBlock}, 1);
  Walk walk(decoder.segment_pointers(), decoder.unit_pointers(), {});
  for (size_t u = 0; u < decoder.units.size(); ++u) {
    at::Tensor home = decoder.units[u]->home();
    const int64_t at = step.grads[u].abs().argmax().item<int64_t>();
    const float kept = home[at].item<float>();
    const auto loss_with = [&](float value) {
      home[at].fill_(value);
      decoder.units[u]->home_changed();
      return walk.evaluate({random_batch(100, 1.0 / 28)})[0].at(nn::kLoss).item<double>();
    };
    constexpr float kStep = 2e-3f;
    const double slope = (loss_with(kept + kStep) - loss_with(kept - kStep)) / (2 * kStep);
    loss_with(kept);
    const double expected = step.grads[u][at].item<double>();
    EXPECT_NEAR(slope, expected, 2e-2 * std::abs(expected)) << decoder.units[u]->name();
  }
}

TEST(Walk, AccumulationIsTheSumOfItsMicroBatches) {
  models::Decoder decoder = small_decoder();
  const StepResult both = run_step(decoder, {}, 2);
  Walk walk(decoder.segment_pointers(), decoder.unit_pointers(), {});
  std::vector<at::Tensor> sums;
  for (const uint64_t seed : {uint64_t{100}, uint64_t{101}}) {
    walk.train({random_batch(seed, 1.0 / 28)});
    for (size_t i = 0; i < decoder.units.size(); ++i) {
      if (sums.size() <= i) {
        sums.push_back(decoder.units[i]->grads().clone());
      } else {
        sums[i].add_(decoder.units[i]->grads());
      }
    }
  }
  for (size_t i = 0; i < sums.size(); ++i) {
    EXPECT_LT((sums[i] - both.grads[i]).abs().max().item<double>(), 1e-6) << "unit " << i;
  }
}

TEST(Walk, BlockRecomputeKeepsNoGraphAndEvaluationKeepsNothing) {
  models::Decoder decoder = small_decoder();
  Walk walk(decoder.segment_pointers(), decoder.unit_pointers(), {Recompute::kBlock});
  walk.evaluate({random_batch(100, 1.0)});
  EXPECT_EQ(walk.take_peak_kept(), 0u);
  walk.train({random_batch(100, 1.0), random_batch(101, 1.0)});
  EXPECT_EQ(walk.take_peak_kept(), decoder.segments.size()) << "activations of one micro-batch at a time";
}

}  // namespace
}  // namespace automodel::engine
