#include "core/recipes/sampling.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <ATen/ops/from_blob.h>

namespace automodel::recipes {
namespace {

// tests/parity/generate_test.py compares all filters with transformers'; here are the borders.

at::Tensor tensor_of(std::vector<float> values) {
  return at::from_blob(values.data(), {static_cast<int64_t>(values.size())}, at::kFloat).clone();
}

at::Tensor ids_of(std::vector<int64_t> values) {
  return at::from_blob(values.data(), {static_cast<int64_t>(values.size())}, at::kLong).clone();
}

std::vector<bool> kept(const std::vector<float>& logits, const SamplingOptions& options) {
  const at::Tensor filtered = filter_logits(tensor_of(logits), ids_of({0}), options);
  std::vector<bool> flags;
  for (int64_t i = 0; i < filtered.size(0); ++i) flags.push_back(std::isfinite(filtered[i].item<float>()));
  return flags;
}

using Flags = std::vector<bool>;

TEST(Sampling, TopKKeepsTiesOfTheLast) {
  EXPECT_EQ(kept({1, 3, 2, 2, 0}, {true, 1.0, 2, 1.0, 1.0}), (Flags{false, true, true, true, false}));
  EXPECT_EQ(kept({1, 3, 2}, {true, 1.0, 9, 1.0, 1.0}), (Flags{true, true, true})) << "more than there are";
}

TEST(Sampling, TopPKeepsTheFewestThatReachItAndAtLeastOne) {
  const std::vector<float> logits = {std::log(0.5f), std::log(0.3f), std::log(0.2f)};
  EXPECT_EQ(kept(logits, {true, 1.0, 0, 0.4, 1.0}), (Flags{true, false, false}));
  EXPECT_EQ(kept(logits, {true, 1.0, 0, 0.6, 1.0}), (Flags{true, true, false}));
  EXPECT_EQ(kept(logits, {true, 1.0, 0, 0.9, 1.0}), (Flags{true, true, true}));
  EXPECT_EQ(kept(logits, {true, 1.0, 0, 0.0, 1.0}), (Flags{true, false, false}));
}

TEST(Sampling, TopPLooksAtTheDistributionAfterTemperature) {
  const std::vector<float> logits = {std::log(0.5f), std::log(0.3f), std::log(0.2f)};
  EXPECT_EQ(kept(logits, {true, 0.2, 0, 0.6, 1.0}), (Flags{true, false, false}));
  EXPECT_EQ(kept(logits, {true, 5.0, 0, 0.6, 1.0}), (Flags{true, true, false}));
}

TEST(Sampling, ThePenaltyCountsATokenOnceAndAlsoWhenGreedy) {
  SamplingOptions options;
  options.repetition_penalty = 2.0;
  const at::Tensor logits = filter_logits(tensor_of({4, -1, 3}), ids_of({0, 0, 1}), options);
  EXPECT_TRUE(logits.equal(tensor_of({2, -2, 3})));
}

TEST(Sampling, TheSameSeedDrawsTheSameTokens) {
  const at::Tensor logits = tensor_of({0.1f, 0.2f, 0.3f, 0.4f, 0.5f});
  const SamplingOptions options{true, 1.0, 0, 1.0, 1.0};
  Sampler a(options, 5), b(options, 5), c(options, 6);
  std::vector<int64_t> from_a, from_b, from_c;
  for (int i = 0; i < 40; ++i) {
    from_a.push_back(a.choose(logits, ids_of({0})).id);
    from_b.push_back(b.choose(logits, ids_of({0})).id);
    from_c.push_back(c.choose(logits, ids_of({0})).id);
  }
  EXPECT_EQ(from_a, from_b);
  EXPECT_NE(from_a, from_c);
}

TEST(Sampling, BrokenLogitsAreAnError) {
  Sampler sampler({}, 0);
  for (const float broken :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_THROW(sampler.choose(tensor_of({1, broken, 2}), ids_of({0})), Error) << broken;
  }
}

}  // namespace
}  // namespace automodel::recipes
