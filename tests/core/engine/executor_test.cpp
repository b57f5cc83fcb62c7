#include "core/engine/executor.h"

#include <cmath>
#include <exception>
#include <functional>
#include <limits>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include "core/dist/thread_communicator.h"
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
models::Decoder small_decoder(bool tied = false, tensor::FlatParameter::Options options = {}) {
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

StepResult run_step(models::Decoder& decoder, const Executor::Options& options, int num_micro_batches = 2) {
  Executor executor(decoder.segment_pointers(), decoder.unit_pointers(), options);
  std::vector<nn::MicroBatch> batches;
  for (int i = 0; i < num_micro_batches; ++i)
    batches.push_back(random_batch(100 + static_cast<uint64_t>(i), 1.0 / 28));
  StepResult result;
  for (const nn::State& state : executor.train(batches)) result.loss += state.at(nn::kLoss).item<double>();
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

TEST(Executor, RecomputeLevelsGiveTheSameGradientsToTheBit) {
  models::Decoder decoder = small_decoder();
  const StepResult none = run_step(decoder, {Recompute::kNone});
  EXPECT_GT(none.loss, 1);
  expect_equal(none, run_step(decoder, {Recompute::kCheap}));
  expect_equal(none, run_step(decoder, {Recompute::kBlock}));
}

TEST(Executor, DeferredWeightGradientsAreTheSameToTheBit) {
  models::Decoder decoder = small_decoder(/*tied=*/true);
  expect_equal(run_step(decoder, {Recompute::kCheap}), run_step(decoder, {Recompute::kCheap, true}));
}

TEST(Executor, ReleasedWeightsArePoisonedAndGatheredAgainForBackward) {
  models::Decoder resident = small_decoder(/*tied=*/true);
  tensor::FlatParameter::Options options;
  options.placement = tensor::Placement::kTransient;
  options.poison_released = true;
  models::Decoder transient = small_decoder(/*tied=*/true, options);
  for (const Recompute level : {Recompute::kNone, Recompute::kCheap, Recompute::kBlock}) {
    expect_equal(run_step(resident, {level}), run_step(transient, {level}));
    for (const auto& unit : transient.units) EXPECT_FALSE(unit->gathered()) << unit->name();
  }
}

TEST(Executor, AViewKeptAcrossAReleaseReadsNaN) {
  tensor::FlatParameter::Options options;
  options.placement = tensor::Placement::kTransient;
  options.poison_released = true;
  models::Decoder decoder = small_decoder(false, options);
  tensor::FlatParameter& unit = *decoder.units[1];
  unit.gather();
  const at::Tensor kept = unit.weight(0);
  unit.release();
  EXPECT_TRUE(kept.isnan().all().item<bool>());
  EXPECT_THROW(unit.weight(0), Error);
}

TEST(Executor, FrozenEmbeddingStillLetsBlockZeroLearn) {
  models::Decoder learning = small_decoder();
  const StepResult all = run_step(learning, {Recompute::kCheap});
  for (const Recompute level : {Recompute::kNone, Recompute::kBlock}) {
    models::Decoder decoder = small_decoder();
    // The same weights, in a unit that does not learn.
    tensor::FlatParameter::Options frozen;
    frozen.trainable = false;
    tensor::FlatParameter embedding("embed", decoder.units[0]->parameters(), frozen);
    embedding.main_weights().copy_(decoder.units[0]->main_weights());
    nn::Embedding table;
    table.table = {&embedding, 0};
    const nn::EmbedSegment embed("embed", table, {&embedding});
    std::vector<const nn::Segment*> segments = decoder.segment_pointers();
    segments[0] = &embed;
    std::vector<tensor::FlatParameter*> units = decoder.unit_pointers();
    units[0] = &embedding;
    Executor executor(segments, units, {level});
    executor.train({random_batch(100, 1.0 / 28), random_batch(101, 1.0 / 28)});
    EXPECT_FALSE(embedding.grads().defined());
    for (size_t i = 1; i < units.size(); ++i)
      EXPECT_TRUE(units[i]->grads().equal(all.grads[i])) << units[i]->name();
    EXPECT_GT(units[1]->grads().abs().max().item<double>(), 0);
  }
}

TEST(Executor, TiedHeadAddsBothGradientsIntoOneTable) {
  // An untied model with equal tables: its two gradients sum to the tied one.
  models::Decoder untied = small_decoder(false);
  models::Decoder tied = small_decoder(true);
  for (const auto& unit : tied.units) {
    for (size_t i = 0; i < unit->parameters().size(); ++i) {
      const tensor::Weight same = untied.find(unit->parameters()[i].name);
      unit->main_weight(i).copy_(same.unit->main_weight(same.first));
    }
  }
  const tensor::Weight head = untied.find("lm_head.weight");
  head.unit->main_weight(head.first).copy_(untied.units[0]->main_weight(0));
  const StepResult apart = run_step(untied, {});
  const StepResult together = run_step(tied, {});
  EXPECT_EQ(apart.loss, together.loss);
  const at::Tensor sum = untied.units[0]->grad(0) + head.unit->grad(head.first);
  EXPECT_LT((tied.units[0]->grad(0) - sum).abs().max().item<double>(), 1e-6);
}

TEST(Executor, GradientsAgreeWithFiniteDifferences) {
  models::Decoder decoder = small_decoder();
  const StepResult step = run_step(decoder, {Recompute::kBlock}, 1);
  Executor executor(decoder.segment_pointers(), decoder.unit_pointers(), {});
  for (size_t u = 0; u < decoder.units.size(); ++u) {
    at::Tensor home = decoder.units[u]->main_weights();
    const int64_t at = step.grads[u].abs().argmax().item<int64_t>();
    const float kept = home[at].item<float>();
    const auto loss_with = [&](float value) {
      home[at].fill_(value);
      decoder.units[u]->main_changed();
      return executor.evaluate({random_batch(100, 1.0 / 28)})[0].at(nn::kLoss).item<double>();
    };
    constexpr float kStep = 2e-3f;
    const double slope = (loss_with(kept + kStep) - loss_with(kept - kStep)) / (2 * kStep);
    loss_with(kept);
    const double expected = step.grads[u][at].item<double>();
    EXPECT_NEAR(slope, expected, 2e-2 * std::abs(expected)) << decoder.units[u]->name();
  }
}

TEST(Executor, AccumulationIsTheSumOfItsMicroBatches) {
  models::Decoder decoder = small_decoder();
  const StepResult both = run_step(decoder, {}, 2);
  Executor executor(decoder.segment_pointers(), decoder.unit_pointers(), {});
  std::vector<at::Tensor> sums;
  for (const uint64_t seed : {uint64_t{100}, uint64_t{101}}) {
    executor.train({random_batch(seed, 1.0 / 28)});
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

TEST(Executor, BlockRecomputeKeepsNoGraphAndEvaluationKeepsNothing) {
  models::Decoder decoder = small_decoder();
  Executor executor(decoder.segment_pointers(), decoder.unit_pointers(), {Recompute::kBlock});
  executor.evaluate({random_batch(100, 1.0)});
  EXPECT_EQ(executor.take_peak_saved(), 0u);
  executor.train({random_batch(100, 1.0), random_batch(101, 1.0)});
  EXPECT_EQ(executor.take_peak_saved(), decoder.segments.size())
      << "activations of one micro-batch at a time";
}

/// Runs `body` for each rank in a thread of its own; what one throws fails the test and ends the others'
/// wait.
void run_ranks(int64_t size, const std::function<void(dist::Communicator&)>& body) {
  const auto communicators = dist::make_thread_communicators(size);
  std::vector<std::jthread> threads;
  for (const auto& communicator : communicators) {
    threads.emplace_back([&] {
      at::set_num_threads(1);
      try {
        body(*communicator);
      } catch (const std::exception& error) {
        ADD_FAILURE() << "rank " << communicator->rank() << ": " << error.what();
        communicator->abort(error.what());
      }
    });
  }
}

/// By name of the parameter.
using NamedGrads = std::map<std::string, at::Tensor>;

NamedGrads named_grads(const models::Decoder& decoder) {
  NamedGrads grads;
  for (const auto& unit : decoder.units) {
    for (size_t i = 0; i < unit->parameters().size(); ++i)
      grads[unit->parameters()[i].name] = unit->grad(i).clone();
  }
  return grads;
}

std::vector<nn::MicroBatch> random_batches(int count) {
  std::vector<nn::MicroBatch> batches;
  for (int i = 0; i < count; ++i) batches.push_back(random_batch(100 + static_cast<uint64_t>(i), 1.0 / 28));
  return batches;
}

NamedGrads grads_of_one_rank(int num_micro_batches) {
  models::Decoder decoder = small_decoder();
  run_step(decoder, {}, num_micro_batches);
  return named_grads(decoder);
}

TEST(Executor, TwoStagesOfAPipelineGiveTheGradientsOfOneToTheBit) {
  at::set_num_threads(1);
  constexpr int kMicroBatches = 3;
  const NamedGrads expected = grads_of_one_rank(kMicroBatches);
  for (const size_t cut : {size_t{1}, size_t{3}, size_t{4}}) {
    for (const bool defer : {false, true}) {
      run_ranks(2, [&](dist::Communicator& ranks) {
        models::Decoder decoder = small_decoder();
        const std::vector<const nn::Segment*> all = decoder.segment_pointers();
        const auto at_cut = [&](const nn::BatchShape& shape) { return nn::boundary(all, cut, shape); };
        const bool first = ranks.rank() == 0;
        Executor::Options options{.defer_weight_grads = defer,
                                  .pipeline = {.stage = first ? 0 : 1, .num_stages = 2, .ranks = &ranks}};
        (first ? options.pipeline.outgoing : options.pipeline.incoming) = at_cut;
        const auto middle = all.begin() + static_cast<std::ptrdiff_t>(cut);
        const std::vector<const nn::Segment*> mine(first ? all.begin() : middle, first ? middle : all.end());
        Executor executor(mine, decoder.unit_pointers(), options);
        const Executor::Results results = executor.train(random_batches(kMicroBatches));
        EXPECT_EQ(results[0].has(nn::kLoss), !first);
        for (const nn::Segment* segment : mine) {
          for (const tensor::FlatParameter* unit : segment->units()) {
            for (size_t i = 0; i < unit->parameters().size(); ++i) {
              const std::string& name = unit->parameters()[i].name;
              EXPECT_TRUE(unit->grad(i).equal(expected.at(name))) << name << ", cut before segment " << cut;
            }
          }
        }
      });
    }
  }
}

/// A flat parameter shared by the ranks of a communicator: each holds an equal run of the main weights;
/// compute weights are gathered from all and gradients summed into their owners.
class SharedStorage : public tensor::FlatStorage {
 public:
  SharedStorage(int64_t size, dist::Communicator& ranks, std::string name)
      : ranks_(ranks),
        name_(std::move(name)),
        size_(size),
        shard_((size + ranks.size() - 1) / ranks.size()),
        main_(at::zeros({shard_})),
        main_grads_(at::zeros({shard_})) {}

  const at::Tensor& main_weights() const override { return main_; }

  int64_t main_begin() const override { return ranks_.rank() * shard_; }

  const at::Tensor& compute_weights() const override { return compute_; }

  void gather() override {
    const at::Tensor whole = at::empty({shard_ * ranks_.size()});
    ranks_.all_gather("gather " + name_, main_, whole);
    compute_ = whole.narrow(0, 0, size_);
  }

  void release() override { compute_.reset(); }

  void main_changed() override {}

  const at::Tensor& grads() const override { return grads_; }

  void begin_step() override {
    whole_grads_ = at::zeros({shard_ * ranks_.size()});
    grads_ = whole_grads_.narrow(0, 0, size_);
  }

  void reduce() override { ranks_.reduce_scatter("reduce " + name_, whole_grads_, main_grads_); }

  const at::Tensor& main_grads() const override { return main_grads_; }

  void set_grad_dtype(at::ScalarType) override {}

 private:
  dist::Communicator& ranks_;
  std::string name_;
  int64_t size_, shard_;
  at::Tensor main_, main_grads_, compute_, whole_grads_, grads_;
};

TEST(Executor, ThreeRanksThatShareEveryParameterGiveTheGradientsOfOne) {
  at::set_num_threads(1);
  const NamedGrads expected = grads_of_one_rank(3);
  run_ranks(3, [&](dist::Communicator& ranks) {
    // Rank r takes micro-batch r of three.
    models::Decoder whole = small_decoder();
    models::Decoder decoder = models::build_decoder(small_config(false), {}, {}, models::UnitSplit::kKind);
    std::vector<std::unique_ptr<tensor::FlatParameter>> shared;
    for (auto& unit : decoder.units) {
      auto storage = std::make_unique<SharedStorage>(unit->layout().size(), ranks, unit->name());
      shared.push_back(std::make_unique<tensor::FlatParameter>(
          unit->name(), unit->parameters(), unit->options(), std::move(storage)));
    }
    std::swap(decoder.units, shared);
    models::rebuild_segments(decoder);
    for (const auto& unit : decoder.units) {
      for (size_t i = 0; i < unit->parameters().size(); ++i) {
        const tensor::Weight source = whole.find(unit->parameters()[i].name);
        unit->write_main_weight(
            i, [&](const at::Tensor& weight) { weight.copy_(source.unit->main_weight(source.first)); });
      }
    }
    Executor executor(decoder.segment_pointers(), decoder.unit_pointers(), {});
    executor.train({random_batch(100 + static_cast<uint64_t>(ranks.rank()), 1.0 / 28)});
    int64_t elements = 0;
    for (const auto& unit : decoder.units) {
      unit->for_each_slice([&](const tensor::Slice& slice) {
        const std::string& name = unit->parameters()[slice.index].name;
        const int64_t count = slice.main_grads.numel();
        const at::Tensor of_one = expected.at(name).view({-1}).narrow(0, slice.begin, count);
        EXPECT_LT((slice.main_grads - of_one).abs().max().item<double>(), 1e-6) << name;
        elements += count;
      });
    }
    at::Tensor total = at::full({1}, elements, at::kLong);
    ranks.all_reduce("elements", total);
    int64_t whole_model = 0;
    for (const auto& [name, grad] : expected) whole_model += grad.numel();
    EXPECT_EQ(total.item<int64_t>(), whole_model) << "every element of every parameter once";
  });
}

/// Says one shape and writes another.
class Liar : public nn::Segment {
 public:
  explicit Liar(const nn::Segment& segment) : segment_(segment) {}

  const std::string& name() const override { return segment_.name(); }

  std::vector<tensor::FlatParameter*> units() const override { return segment_.units(); }

  std::vector<std::string> reads() const override { return segment_.reads(); }

  std::vector<nn::StateField> writes(const nn::BatchShape& shape) const override {
    std::vector<nn::StateField> fields = segment_.writes(shape);
    fields[0].shape.back() += 1;
    return fields;
  }

  bool recomputable() const override { return segment_.recomputable(); }

  nn::State forward(const nn::State& in,
                    const nn::MicroBatch& batch,
                    const ops::OpContext& context) const override {
    return segment_.forward(in, batch, context);
  }

 private:
  const nn::Segment& segment_;
};

TEST(Executor, ASegmentThatWritesOtherFieldsThanItSaidIsAnError) {
  models::Decoder decoder = small_decoder();
  std::vector<const nn::Segment*> segments = decoder.segment_pointers();
  const Liar liar(*segments[1]);
  segments[1] = &liar;
  Executor executor(segments, decoder.unit_pointers(), {});
  try {
    executor.evaluate({random_batch(100, 1.0)});
    FAIL() << "not noticed";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("layers.0 wrote hidden [2, 9, 16]"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace automodel::engine
