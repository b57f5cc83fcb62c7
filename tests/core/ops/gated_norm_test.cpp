#include "core/ops/gated_norm.h"

#include <ATen/ops/silu.h>

#include "tests/core/ops/gradient_check.h"

namespace automodel::ops {
namespace {

using kernels::GateOrder;
using testing::check_gradients;
using testing::random_tensor;
using testing::random_unit;

constexpr int64_t kWidth = 42;
constexpr int64_t kGroup = 21;

at::Tensor plain(const at::Tensor& x, const at::Tensor& gate, const GatedNorm& norm) {
  const at::Tensor s = at::silu(gate);
  if (norm.order == GateOrder::kGateOnly) return x * s;
  const at::Tensor h = (norm.order == GateOrder::kGateFirst ? x * s : x).reshape({2, 5, -1, kGroup});
  const at::Tensor n = h / (h.pow(2).mean({-1}, true) + norm.eps).sqrt();
  const at::Tensor y = (n * norm.weight.value().view({-1, kGroup})).reshape(x.sizes());
  return norm.order == GateOrder::kGateFirst ? y : y * s;
}

TEST(GatedNorm, ValuesAndGradientsOfEachOrder) {
  const auto unit = random_unit({{"w", {3, kWidth}}, {"norm", {kWidth}}}, 1);
  const auto shared = random_unit({{"w", {3, kWidth}}, {"norm", {kGroup}}}, 2);
  const auto bare = random_unit({{"w", {3, kWidth}}}, 3);
  const std::vector<std::pair<tensor::FlatParameter*, GatedNorm>> cases = {
      {unit.get(), {{unit.get(), 1}, 1e-3, kGroup, GateOrder::kGateFirst}},
      {unit.get(), {{unit.get(), 1}, 1e-3, kGroup, GateOrder::kNormFirst}},
      {shared.get(), {{shared.get(), 1}, 1e-3, kGroup, GateOrder::kNormFirst}},
      {bare.get(), {{}, 1e-3, kWidth, GateOrder::kGateOnly}}};
  for (const auto& [weights, norm] : cases) {
    const Linear layer{{weights, 0}, {}, {3}};
    const auto op = [&](const std::vector<at::Tensor>& inputs, const OpContext& context) {
      return gated_norm_linear(inputs[0], inputs[1].narrow(2, 4, kWidth), norm, layer, context);
    };
    const at::Tensor x = random_tensor({2, 5, kWidth}, 4);
    const at::Tensor gate = random_tensor({2, 5, kWidth + 7}, 5);
    GradSink sink;
    const at::Tensor expected = plain(x, gate.narrow(2, 4, kWidth), norm).matmul(layer.weight.value().t());
    EXPECT_LT((op({x, gate}, {&sink}) - expected).abs().max().item<double>(), 1e-12);
    check_gradients(op, {x, gate}, {weights});
  }
}

}  // namespace
}  // namespace automodel::ops
