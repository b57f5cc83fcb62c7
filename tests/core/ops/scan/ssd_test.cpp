#include "core/ops/scan/ssd.h"

#include <limits>

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "core/ops/scan/causal_conv.h"
#include "tests/core/ops/gradient_check.h"

namespace automodel::ops {
namespace {

using testing::check_gradients;
using testing::random_tensor;
using testing::random_unit;

constexpr int64_t kHeads = 4, kWidth = 5, kGroups = 2, kState = 3;
constexpr int64_t kChannels = kHeads * kWidth + 2 * kGroups * kState;

std::unique_ptr<tensor::FlatParameter> space_unit(
    tensor::FlatParameter::Options options = testing::float64_unit()) {
  return random_unit({{"A_log", {kHeads}}, {"dt_bias", {kHeads}}, {"D", {kHeads}}}, 1, options);
}

StateSpace space_of(tensor::FlatParameter* unit, int64_t chunk = 16, bool tiles = true) {
  constexpr double kNoLimit = std::numeric_limits<double>::infinity();
  return {{unit, 0}, {unit, 1}, {unit, 2}, kHeads, kWidth, kGroups, kState, 0.3, kNoLimit, chunk, tiles};
}

/// The recurrence, a token at a time, from a zero state: x [T, X], dt_in [T, H] -> [T, H P].
at::Tensor token_by_token(const at::Tensor& x, const at::Tensor& dt_in, const StateSpace& space) {
  const at::Tensor dt = at::softplus(dt_in + space.dt_bias.value()).clamp(space.dt_min, space.dt_max);
  const at::Tensor decay = (-space.a_log.value().exp() * dt).exp();
  at::Tensor state = at::zeros({kHeads, kWidth, kState}, x.options());
  std::vector<at::Tensor> outputs;
  for (int64_t t = 0; t < x.size(0); ++t) {
    const auto repeated = [&](int64_t from) {
      return x[t]
          .narrow(0, from, kGroups * kState)
          .view({kGroups, 1, kState})
          .expand({kGroups, kHeads / kGroups, kState})
          .reshape({kHeads, 1, kState});
    };
    const at::Tensor value = x[t].narrow(0, 0, kHeads * kWidth).view({kHeads, kWidth, 1});
    state = decay[t].view({kHeads, 1, 1}) * state +
            dt[t].view({kHeads, 1, 1}) * value * repeated(kHeads * kWidth);
    const at::Tensor read = (state * repeated(kHeads * kWidth + kGroups * kState)).sum({2});
    outputs.push_back((read + space.d.value().unsqueeze(1) * value.squeeze(2)).flatten());
  }
  return at::stack(outputs);
}

at::Tensor run(const at::Tensor& x,
               const at::Tensor& dt_in,
               const StateSpace& space,
               const at::Tensor& documents) {
  GradSink sink;
  return ssd(x, dt_in, space, first_of_document(documents), {&sink});
}

/// Documents of these lengths side by side.
at::Tensor documents_of(const std::vector<int64_t>& lengths) {
  std::vector<at::Tensor> parts;
  for (size_t i = 0; i < lengths.size(); ++i)
    parts.push_back(at::empty({1, lengths[i]}, at::kInt).fill_(static_cast<int64_t>(i % 3)));
  return at::cat(parts, 1);
}

TEST(Ssd, EachDocumentOfARowAsTheRecurrenceAlone) {
  const auto unit = space_unit();
  const std::vector<int64_t> lengths = {1, 15, 2, 40, 16, 1, 1, 4};  // across, at and inside chunks of 16
  const at::Tensor x = random_tensor({1, 80, kChannels}, 2);
  const at::Tensor dt_in = random_tensor({1, 80, kHeads}, 3);
  std::vector<at::Tensor> expected;
  int64_t at = 0;
  for (const int64_t length : lengths) {
    expected.push_back(
        token_by_token(x[0].narrow(0, at, length), dt_in[0].narrow(0, at, length), space_of(unit.get())));
    at += length;
  }
  for (const int64_t chunk : {16, 32, 64}) {
    for (const bool tiles : {false, true}) {
      const at::Tensor y = run(x, dt_in, space_of(unit.get(), chunk, tiles), documents_of(lengths));
      EXPECT_LT((y[0] - at::cat(expected)).abs().max().item<double>(), 1e-12) << chunk << tiles;
    }
  }
}

TEST(Ssd, RowsWithoutDocumentsAreOneEach) {
  const auto unit = space_unit();
  const at::Tensor x = random_tensor({2, 37, kChannels}, 4);
  const at::Tensor dt_in = random_tensor({2, 37, kHeads}, 5);
  const StateSpace space = space_of(unit.get());
  const at::Tensor y = run(x, dt_in, space, {});
  for (int64_t row = 0; row < 2; ++row)
    EXPECT_LT((y[row] - token_by_token(x[row], dt_in[row], space)).abs().max().item<double>(), 1e-12);
}

TEST(Ssd, NothingOfADocumentReachesTheNextNotEvenByRounding) {
  tensor::FlatParameter::Options options;
  const auto unit = space_unit(options);
  const StateSpace space = space_of(unit.get());
  const at::Tensor documents = documents_of({23, 41});
  at::Tensor x = random_tensor({1, 64, kChannels}, 6).to(at::kFloat);
  at::Tensor dt_in = random_tensor({1, 64, kHeads}, 7).to(at::kFloat);
  const auto second = [&] { return run(x, dt_in, space, documents).narrow(1, 23, 41).clone(); };
  const at::Tensor before = second();
  x.narrow(1, 0, 23).mul_(100).add_(3);
  dt_in.narrow(1, 0, 23).add_(5);
  EXPECT_TRUE(second().equal(before));
}

TEST(Ssd, Gradients) {
  const auto unit = space_unit();
  for (const bool tiles : {false, true}) {
    const StateSpace space = space_of(unit.get(), 16, tiles);
    for (const bool packed : {true, false}) {
      const at::Tensor documents = packed ? documents_of({5, 30, 16, 3}) : at::Tensor();
      check_gradients(
          [&](const std::vector<at::Tensor>& inputs, const OpContext& context) {
            return ssd(inputs[0], inputs[1], space, first_of_document(documents), context);
          },
          {random_tensor({1, 54, kChannels}, 8), random_tensor({1, 54, kHeads}, 9)},
          {unit.get()});
    }
  }
}

TEST(Ssd, TheResultDoesNotDependOnTheThreads) {
  // Six heads a group in parts of different sizes, rows shorter than their chunks.
  const auto unit = random_unit({{"A_log", {12}}, {"dt_bias", {12}}, {"D", {12}}}, 1, {});
  const StateSpace space = {{unit.get(), 0}, {unit.get(), 1}, {unit.get(), 2}, 12, 8, 2, 16, 0.0, 100.0, 16};
  const at::Tensor x = random_tensor({1, 70, 12 * 8 + 2 * 2 * 16}, 12).to(at::kFloat);
  const at::Tensor dt_in = random_tensor({1, 70, 12}, 13).to(at::kFloat);
  const auto gradients = [&](int threads) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    const at::Tensor a = x.clone().requires_grad_(), b = dt_in.clone().requires_grad_();
    GradSink sink;
    const at::Tensor y = ssd(a, b, space, {}, {&sink});
    (y * y).sum().backward();
    at::set_num_threads(before);
    return std::vector<at::Tensor>{y.detach(), a.grad(), b.grad()};
  };
  const auto one = gradients(1), several = gradients(3);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(several[i])) << i;
}

TEST(Ssd, PiecesWithAStateAreTheWhole) {
  const auto unit = space_unit();
  const StateSpace space = space_of(unit.get());
  const at::Tensor x = random_tensor({2, 45, kChannels}, 10);
  const at::Tensor dt_in = random_tensor({2, 45, kHeads}, 11);
  const at::Tensor whole = run(x, dt_in, space, {});
  at::Tensor state;
  std::vector<at::Tensor> pieces;
  int64_t at = 0;
  for (const int64_t length : {20, 1, 1, 17, 6}) {
    pieces.push_back(ssd_next(x.narrow(1, at, length), dt_in.narrow(1, at, length), space, state));
    at += length;
  }
  EXPECT_LT((at::cat(pieces, 1) - whole).abs().max().item<double>(), 1e-12);
}

}  // namespace
}  // namespace automodel::ops
