#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>

#include "core/nn/mixer.h"
#include "core/nn/rope_table.h"
#include "tests/core/ops/gradient_check.h"

/// What holds for every mixer, in float64.
namespace automodel::nn::testing {

/// Two rows of nine tokens: documents of 4 and 5 tokens, of 2, 3 and 4.
inline constexpr int64_t kRows = 2, kLength = 9;

inline Tokens packed_tokens() {
  static const std::vector<int32_t> kDocuments = {0, 0, 0, 0, 1, 1, 1, 1, 1, 3, 3, 7, 7, 7, 4, 4, 4, 4};
  static const std::vector<int64_t> kPositions = {0, 1, 2, 3, 0, 1, 2, 3, 4, 0, 1, 0, 1, 2, 0, 1, 2, 3};
  Tokens tokens;
  tokens.documents_BT =
      at::from_blob(const_cast<int32_t*>(kDocuments.data()), {kRows, kLength}, at::kInt).clone();
  tokens.positions_BT =
      at::from_blob(const_cast<int64_t*>(kPositions.data()), {kRows, kLength}, at::kLong).clone();
  return tokens;
}

/// Rope with frequencies 1, 1/3, 1/9, ...
inline std::shared_ptr<const RopeTable> small_rope(int64_t rotary_dim, bool interleaved) {
  arch::RopeConfig config;
  config.rotary_dim = rotary_dim;
  config.interleaved = interleaved;
  for (double frequency = 1; static_cast<int64_t>(config.inv_freq.size()) * 2 < rotary_dim; frequency /= 3)
    config.inv_freq.push_back(frequency);
  return std::make_shared<RopeTable>(config, at::kCPU);
}

inline void expect_near(const at::Tensor& got, const at::Tensor& expected, const std::string& what) {
  ASSERT_EQ(got.sizes(), expected.sizes()) << what;
  EXPECT_LT((got - expected).abs().max().item<double>(), 1e-12) << what;
}

/// Gradients equal finite differences, plain and packed; a document is mixed as if it were alone; so is a row
/// one token after another (unless `generates` is false).
template <class Mixer>
void check_mixer(const Mixer& mixer,
                 int64_t hidden_size,
                 const std::vector<tensor::FlatParameter*>& units,
                 const std::string& what,
                 bool generates = true) {
  SCOPED_TRACE(what);
  const at::Tensor x = ops::testing::random_tensor({kRows, kLength, hidden_size}, 31);
  const Tokens whole_rows, packed = packed_tokens();
  for (const Tokens& tokens : {whole_rows, packed}) {
    ops::testing::check_gradients(
        [&](const std::vector<at::Tensor>& in, const ops::OpContext& context) {
          return mixer.forward(in[0], {context, tokens});
        },
        {x},
        units);
  }
  const c10::NoGradGuard no_grad;
  ops::GradSink sink;
  const ops::OpContext context{&sink, true};
  const at::Tensor together = mixer.forward(x, {context, packed});
  const auto alone = [&](int64_t row, int64_t begin, int64_t length) {
    return mixer.forward(x.narrow(0, row, 1).narrow(1, begin, length), {context, whole_rows});
  };
  expect_near(together[0], at::cat({alone(0, 0, 4), alone(0, 4, 5)}, 1)[0], "documents of row 0");
  expect_near(
      together[1], at::cat({alone(1, 0, 2), alone(1, 2, 3), alone(1, 5, 4)}, 1)[0], "documents of row 1");
  if (!generates) return;
  for (const int64_t first : {1, 4}) {
    Cache cache;
    std::vector<at::Tensor> parts = {mixer.forward(x.narrow(1, 0, first), {context, whole_rows, &cache})};
    for (int64_t t = first; t < kLength; ++t)
      parts.push_back(mixer.forward(x.narrow(1, t, 1), {context, whole_rows, &cache}));
    expect_near(at::cat(parts, 1), mixer.forward(x, {context, whole_rows}), "one token after another");
  }
}

}  // namespace automodel::nn::testing
