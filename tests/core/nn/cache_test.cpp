#include "core/nn/cache.h"

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "core/engine/executor.h"
#include "core/models/decoder.h"
#include "tests/core/families/names.h"

namespace automodel::nn {
namespace {

constexpr int64_t kVocabulary = 40;

/// Three layers: all before, a window of 5, a window of 1; grouped heads, norms of q and k.
arch::DecoderConfig small_config() {
  arch::DecoderConfig config;
  config.names = families::names_of("llama");
  config.vocab_size = kVocabulary;
  config.hidden_size = 16;
  config.initializer_range = 0.3;
  arch::RopeConfig rope;
  rope.rotary_dim = 8;
  rope.inv_freq = {1.0, 0.1, 0.01, 0.001};
  config.ropes = {rope};
  arch::LayerConfig layer;
  layer.attention.num_heads = 4;
  layer.attention.num_kv_heads = 2;
  layer.attention.head_dim = 8;
  layer.attention.qk_norm = arch::QkNorm::kPerHead;
  layer.mlp.intermediate_size = 24;
  config.layers.assign(3, layer);
  config.layers[1].attention.sliding_window = 5;
  config.layers[2].attention.sliding_window = 1;
  return config;
}

class CachedModel : public ::testing::TestWithParam<int64_t> {
 protected:
  CachedModel()
      : decoder_(models::build_decoder(small_config(), {})),
        executor_(decoder_.segment_pointers(), decoder_.unit_pointers(), {}) {
    models::init_weights(decoder_, 7);
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
    ids_BT_ = at::empty({2, 150}, at::kLong).random_(0, kVocabulary, generator);
  }

  at::Tensor logits(const at::Tensor& ids_BT, SequenceCache* cache, bool last_only = false) {
    MicroBatch batch;
    batch.input_ids_BT = ids_BT;
    batch.want_logits = true;
    batch.last_logits_only = last_only;
    batch.cache = cache;
    return executor_.evaluate({batch}).front().at(kLogits);
  }

  models::Decoder decoder_;
  engine::Executor executor_;
  at::Tensor ids_BT_;
};

TEST_P(CachedModel, PiecesOfASequenceGiveTheLogitsOfTheWhole) {
  const at::Tensor whole = logits(ids_BT_, nullptr);
  SequenceCache cache;
  std::vector<at::Tensor> pieces = {logits(ids_BT_.narrow(1, 0, 30), &cache)};
  for (int64_t begin = 30; begin < ids_BT_.size(1); begin += GetParam()) {
    EXPECT_EQ(cache.length(), begin);
    const int64_t length = std::min(GetParam(), ids_BT_.size(1) - begin);
    pieces.push_back(logits(ids_BT_.narrow(1, begin, length), &cache));
  }
  const double error = (at::cat(pieces, 1) - whole).abs().max().item<double>();
  EXPECT_LT(error, 1e-5) << "largest logit " << whole.abs().max().item<double>();
}

INSTANTIATE_TEST_SUITE_P(StepsOf, CachedModel, ::testing::Values(1, 2, 7, 120));

TEST_F(CachedModel, TheLastLogitsAloneAreThoseOfTheLastPosition) {
  const at::Tensor whole = logits(ids_BT_, nullptr);
  const at::Tensor last = logits(ids_BT_, nullptr, true);
  EXPECT_EQ(last.sizes(), (at::IntArrayRef{2, 1, kVocabulary}));
  EXPECT_LT((last - whole.narrow(1, 149, 1)).abs().max().item<double>(), 1e-5);
}

TEST(Cache, KeepsWhatItHoldsWhenItGrows) {
  Cache cache;
  at::Tensor all = at::empty({2, 300, 3, 4}).normal_(0, 1, at::make_generator<at::CPUGeneratorImpl>(1));
  for (int64_t begin = 0; begin < 300; begin += 50) {
    const at::Tensor next = all.narrow(1, begin, 50);
    const auto [k, v] = cache.append(next, next.neg());
    ASSERT_EQ(cache.length(), begin + 50);
    EXPECT_TRUE(k.equal(all.narrow(1, 0, begin + 50)));
    EXPECT_TRUE(v.equal(all.narrow(1, 0, begin + 50).neg()));
  }
}

TEST(Cache, RefusesAnotherNumberOfRows) {
  Cache cache;
  cache.append(at::zeros({2, 1, 3, 4}), at::zeros({2, 1, 3, 4}));
  EXPECT_THROW(cache.append(at::zeros({1, 1, 3, 4}), at::zeros({1, 1, 3, 4})), Error);
}

}  // namespace
}  // namespace automodel::nn
