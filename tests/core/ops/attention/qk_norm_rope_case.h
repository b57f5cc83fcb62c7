#pragma once

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/outer.h>

#include "core/ops/attention/qk_norm_rope.h"
#include "core/ops/rms_norm.h"
#include "tests/core/ops/gradient_check.h"

namespace automodel::ops::testing {

/// Heads of one attention whose queries and keys are normalised and rotated; a unit holds the weights of q's
/// norm and of k's.
struct QkNormRopeCase {
  int64_t q_heads = 4, kv_heads = 2, head_dim = 64, rotary_dim = 64;
  double offset = 0;
  bool interleaved = false;

  int64_t width() const { return (q_heads + 2 * kv_heads) * head_dim; }

  std::vector<tensor::Parameter> parameters() const { return {{"q", {head_dim}}, {"k", {head_dim}}}; }

  Norm norm(tensor::FlatParameter* unit, size_t index) const {
    return {.weight = {unit, index}, .eps = 1e-6, .weight_offset = offset};
  }

  RopeAngles angles(const at::Tensor& x) const {
    const at::Tensor turns =
        at::outer(at::arange(x.size(1), at::kFloat) / 7, at::arange(1, 1 + rotary_dim / 2, at::kFloat) / 9);
    return {turns.cos().to(x.device()), turns.sin().to(x.device()), interleaved};
  }

  /// All heads side by side [B, T, N + 2 K, H].
  at::Tensor in_one_pass(const at::Tensor& x, tensor::FlatParameter* unit, const OpContext& c) const {
    const Heads heads = qk_norm_rope(x, kv_heads, head_dim, norm(unit, 0), norm(unit, 1), angles(x), c);
    return at::cat({heads.q_BTNH, heads.k_BTKH, heads.v_BTKH}, 2);
  }

  /// The same by the ops that it joins.
  at::Tensor one_by_one(const at::Tensor& x, tensor::FlatParameter* unit, const OpContext& c) const {
    const at::Tensor heads = x.view({x.size(0), x.size(1), -1, head_dim});
    return at::cat({rope(rms_norm(heads.narrow(2, 0, q_heads), norm(unit, 0), c), angles(x)),
                    rope(rms_norm(heads.narrow(2, q_heads, kv_heads), norm(unit, 1), c), angles(x)),
                    heads.narrow(2, q_heads + kv_heads, kv_heads)},
                   2);
  }
};

/// Value, gradient of x and of both norms of an op on x [B, T, W], by a fixed gradient.
struct QkOutcome {
  at::Tensor y, dx, dq_norm, dk_norm;
};

template <class Op>
QkOutcome run_qk(const Op& op, const at::Tensor& x, const at::Tensor& dy, tensor::FlatParameter& unit) {
  unit.begin_step();
  GradSink sink;
  const at::Tensor leaf = x.detach().clone().requires_grad_();
  const at::Tensor y = op(leaf, &unit, OpContext{&sink});
  torch::autograd::backward({y}, {dy});
  return {y.detach(), leaf.grad(), unit.grad(0).clone(), unit.grad(1).clone()};
}

/// One pass against one by one: on a CPU the same bits, but for the norms' gradients, which are sums in
/// another order.
inline void expect_as_one_by_one(const QkNormRopeCase& heads, at::Device device, at::ScalarType dtype) {
  tensor::FlatParameter::Options options;
  options.device = device;
  options.main_dtype = options.compute_dtype = dtype;
  const auto unit = random_unit(heads.parameters(), 3, options);
  const at::Tensor x = random_tensor({2, 70, heads.width()}, 1).to(device, dtype);
  const at::Tensor dy =
      random_tensor({2, 70, heads.width() / heads.head_dim, heads.head_dim}, 2).to(device, dtype);
  const auto one_pass = [&](const auto&... args) { return heads.in_one_pass(args...); };
  const auto separate = [&](const auto&... args) { return heads.one_by_one(args...); };
  const QkOutcome got = run_qk(one_pass, x, dy, *unit);
  const QkOutcome expected = run_qk(separate, x, dy, *unit);
  const std::string name = detail::join(heads.head_dim, ", offset ", heads.offset);
  if (device.is_cpu()) {
    EXPECT_TRUE(got.y.equal(expected.y)) << name;
    EXPECT_TRUE(got.dx.equal(expected.dx)) << name;
  }
  // A device sums a head in another order.
  const double bound = device.is_cpu() || dtype == at::kFloat ? 2e-6 : 1e-3;
  const auto close = [&](const at::Tensor& a, const at::Tensor& b, const char* what) {
    const at::Tensor of = b.to(at::kFloat);
    EXPECT_LE((a.to(at::kFloat) - of).norm().item<double>(), bound * of.norm().item<double>())
        << what << " of " << name;
  };
  close(got.y, expected.y, "y");
  close(got.dx, expected.dx, "dx");
  close(got.dq_norm, expected.dq_norm, "dq_norm");
  close(got.dk_norm, expected.dk_norm, "dk_norm");
}

}  // namespace automodel::ops::testing
