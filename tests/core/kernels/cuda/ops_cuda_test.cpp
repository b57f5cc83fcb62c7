// Every op on the GPU against the same op on the CPU: values, input gradients, weight gradients, in f32 and
// bf16.
#include <cmath>
#include <functional>

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/outer.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/ops/attention/attention.h"
#include "core/ops/attention/rope.h"
#include "core/ops/cuda/cuda.h"
#include "core/ops/embedding.h"
#include "core/ops/linear_cross_entropy.h"
#include "core/ops/lora.h"
#include "core/ops/rms_norm.h"
#include "core/optim/grad_norm.h"
#include "tests/core/ops/attention/qk_norm_rope_case.h"
#include "tests/core/ops/gradient_check.h"

namespace automodel::ops {
namespace {

using testing::random_tensor;
using testing::random_unit;

/// What one run of an op gives, on the CPU in f32.
struct Outcome {
  at::Tensor y, dx;
  std::vector<at::Tensor> dweights;
};

/// An op that may read weights of `unit` (null where it has none).
using Op =
    std::function<at::Tensor(const at::Tensor& x, tensor::FlatParameter* unit, const OpContext& context)>;

Outcome run(const Op& op,
            const at::Tensor& x,
            const std::vector<tensor::Parameter>& parameters,
            at::Device device,
            at::ScalarType dtype) {
  tensor::FlatParameter::Options options;
  options.device = device;
  options.main_dtype = options.compute_dtype = dtype;
  const auto unit = random_unit(parameters, 3, options);
  GradSink sink;
  at::Tensor leaf = x.detach().clone().to(device, dtype).requires_grad_();
  const at::Tensor y = op(leaf, unit.get(), {&sink, true});
  const at::Tensor dy = y.dim() == 0 ? at::Tensor() : random_tensor(y.sizes(), 4).to(device, dtype);
  torch::autograd::backward({y}, {dy});
  unit->reduce_grads();
  Outcome outcome{y.detach().to(at::kCPU, at::kFloat), leaf.grad().to(at::kCPU, at::kFloat), {}};
  for (size_t i = 0; i < parameters.size(); ++i) outcome.dweights.push_back(unit->grad(i).cpu());
  return outcome;
}

void expect_close(const at::Tensor& got, const at::Tensor& expected, double bound, const std::string& what) {
  ASSERT_EQ(got.sizes(), expected.sizes()) << what;
  const double error = (got - expected).norm().item<double>();
  EXPECT_LE(error, bound * std::max(expected.norm().item<double>(), 1e-6)) << what;
}

void compare(const std::string& what,
             const Op& op,
             const at::Tensor& x,
             const std::vector<tensor::Parameter>& parameters = {{"unused", {1}}}) {
  if (num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  const at::Device device = find_device("cuda");
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    // In bf16 the CPU forms weight gradients in bf16 and the GPU in f32.
    const double bound = dtype == at::kFloat ? 2e-5 : 1e-2;
    const std::string name = what + (dtype == at::kFloat ? ", f32" : ", bf16");
    const Outcome expected = run(op, x, parameters, at::kCPU, dtype);
    const Outcome got = run(op, x, parameters, device, dtype);
    expect_close(got.y, expected.y, bound, name + ": value");
    expect_close(got.dx, expected.dx, bound, name + ": dx");
    for (size_t i = 0; i < parameters.size(); ++i)
      expect_close(got.dweights[i], expected.dweights[i], bound, name + ": d" + parameters[i].name);
  }
}

TEST(OpsCuda, RmsNormOfShortLongAndOddRows) {
  for (const int64_t d : {16, 20, 128, 896, 3584, 5001, 16384}) {
    compare("rms_norm " + std::to_string(d),
            [](const at::Tensor& x, tensor::FlatParameter* unit, const OpContext& c) {
              return rms_norm(x, {{unit, 0}, 1e-6}, c);
            },
            random_tensor({3, 211, d}, 1),
            {{"w", {d}}});
  }
}

TEST(OpsCuda, NormLinearWithBiasAndFuseGroup) {
  compare("norm_linear",
          [](const at::Tensor& x, tensor::FlatParameter* unit, const OpContext& c) {
            return norm_linear(x, {{unit, 4}, 1e-6}, {{unit, 0, 2}, {{unit, 2}, {unit, 3}}, {128, 64}}, c);
          },
          random_tensor({2, 100, 256}, 2),
          {{"q", {128, 256}}, {"k", {64, 256}}, {"bq", {128}}, {"bk", {64}}, {"norm", {256}}});
}

TEST(OpsCuda, AddNormLinear) {
  for (const int64_t d : {64, 896, 3584, 5001}) {
    const at::Tensor other = random_tensor({2, 100, d}, 7);
    compare("add_norm_linear " + std::to_string(d),
            [&](const at::Tensor& x, tensor::FlatParameter* unit, const OpContext& c) {
              const AddedLinear both = add_norm_linear(
                  x, other.to(x.device(), x.scalar_type()), {{unit, 1}, 1e-6}, {{unit, 0}, {}, {64}}, c);
              return at::cat({both.sum, both.y}, 2);
            },
            random_tensor({2, 100, d}, 2),
            {{"w", {64, d}}, {"norm", {d}}});
  }
}

TEST(OpsCuda, LinearWithAdaptersOfTwoParts) {
  compare("lora",
          [](const at::Tensor& x, tensor::FlatParameter* unit, const OpContext& c) {
            Lora lora;
            lora.a = {{unit, 2, 2}, {}, {8, 8}};
            lora.parts = {{{unit, 4}, 0, 0}, {{unit, 5}, 128, 1}};
            lora.scale = 2;
            Linear layer{{unit, 0, 2}, {}, {128, 64}};
            layer.lora = std::make_shared<const Lora>(lora);
            return linear(x, layer, c);
          },
          random_tensor({2, 100, 256}, 2),
          {{"q", {128, 256}},
           {"k", {64, 256}},
           {"qa", {8, 256}},
           {"ka", {8, 256}},
           {"qb", {128, 8}},
           {"kb", {64, 8}}});
}

TEST(OpsCuda, GatedLinearWithEachActivation) {
  using kernels::Activation;
  for (const Activation activation :
       {Activation::kSilu, Activation::kGelu, Activation::kGeluTanh, Activation::kRelu}) {
    for (const int64_t width : {int64_t{96}, int64_t{33}}) {
      compare("gated " + std::to_string(static_cast<int>(activation)),
              [&](const at::Tensor& x, tensor::FlatParameter* unit, const OpContext& c) {
                return glu_linear(x, activation, {{unit, 0}, {}, {64}}, c);
              },
              random_tensor({2, 70, 2 * width}, 5),
              {{"down", {64, width}}});
    }
  }
}

TEST(OpsCuda, RopeAloneAndFused) {
  for (const bool interleaved : {false, true}) {
    for (const int64_t rotary : {64, 32, 10}) {
      const at::Tensor turns =
          at::outer(at::arange(70, at::kFloat) / 7, at::arange(rotary / 2, at::kFloat) / 9);
      const at::Tensor cos = turns.cos(), sin = turns.sin();
      const at::Tensor length = cos.to(at::kDouble).square() + sin.to(at::kDouble).square();
      ASSERT_LE((length - 1).abs().max().item<double>(), 1e-6) << "the host's own cosine and sine";
      const auto angles = [&](const at::Tensor& x, int64_t first) {
        return RopeAngles{cos.to(x.device()), sin.to(x.device()), interleaved, first};
      };
      const std::string name = std::to_string(rotary) + (interleaved ? ", interleaved" : "");
      for (const int64_t first : {0, 2, 3}) {
        if (first + rotary > 64) continue;
        const Op alone = [&](const at::Tensor& x, tensor::FlatParameter*, const OpContext&) {
          return rope(x, angles(x, first));
        };
        compare("rope " + name + " from " + std::to_string(first), alone, random_tensor({2, 70, 3, 64}, 6));
      }
      const Op fused = [&](const at::Tensor& x, tensor::FlatParameter*, const OpContext&) {
        const Heads h = rope_qkv(x, 2, 64, angles(x, 0));
        return at::cat({h.q_BTNH, h.k_BTKH, h.v_BTKH}, 2);
      };
      compare("rope_qkv " + name, fused, random_tensor({2, 70, 7 * 64}, 7));
    }
  }
}

TEST(OpsCuda, QkNormRope) {
  if (num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  for (const int64_t head_dim : {16, 32, 64, 128, 256}) {
    for (const double offset : {0.0, 1.0}) {
      const testing::QkNormRopeCase heads{7, 2, head_dim, head_dim, offset};
      const Op op = [&](const at::Tensor& x, tensor::FlatParameter* unit, const OpContext& c) {
        return heads.in_one_pass(x, unit, c);
      };
      compare("qk_norm_rope " + std::to_string(head_dim),
              op,
              random_tensor({2, 70, heads.width()}, 8),
              heads.parameters());
      for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16})
        testing::expect_as_one_by_one(heads, find_device("cuda"), dtype);
    }
  }
  // Many rows: a thread walks several.
  testing::expect_as_one_by_one({.q_heads = 120, .kv_heads = 4, .head_dim = 128, .rotary_dim = 128},
                                find_device("cuda"),
                                at::kBFloat16);
}

TEST(OpsCuda, AttentionGroupedAndWindowed) {
  for (const int64_t window : {int64_t{0}, int64_t{50}}) {
    for (const int64_t head_dim : {int64_t{64}, int64_t{128}, int64_t{20}}) {
      const at::Tensor kv = random_tensor({2, 192, 2, head_dim}, 8);
      compare(
          "attention " + std::to_string(head_dim) + ", window " + std::to_string(window),
          [&](const at::Tensor& q, tensor::FlatParameter*, const OpContext&) {
            const at::Tensor k = kv.to(q.device(), q.scalar_type());
            return attention(q, k, k.flip(1), {.scale = 0.125, .span = {.sliding_window = window}});
          },
          random_tensor({2, 192, 8, head_dim}, 9));
    }
  }
}

TEST(OpsCuda, LinearCrossEntropyInChunksAndMasked) {
  for (const int64_t vocabulary : {int64_t{1000}, int64_t{1003}}) {
    at::Tensor labels = at::arange(300, at::kLong);
    for (const bool masked : {false, true}) {
      if (masked) labels.narrow(0, 17, 100).fill_(-100);
      compare("cross-entropy " + std::to_string(vocabulary) + (masked ? ", masked" : ""),
              [&](const at::Tensor& x, tensor::FlatParameter* unit, const OpContext& c) {
                const Linear head{{unit, 0}, {}, {vocabulary}};
                return linear_cross_entropy(x, labels, head, {0.01, -100, 128}, c);
              },
              random_tensor({300, 64}, 10),
              {{"head", {vocabulary, 64}}});
    }
  }
}

TEST(OpsCuda, EmbeddingWithRepeatedAndPaddedIds) {
  const at::Tensor ids = at::arange(400, at::kLong).remainder(37).view({4, 100});
  compare("embedding",
          [&](const at::Tensor& x, tensor::FlatParameter* unit, const OpContext& c) {
            return embedding(ids.to(x.device()), {unit, 0}, c, 3) + x;
          },
          random_tensor({4, 100, 72}, 11),
          {{"table", {50, 72}}});
}

TEST(OpsCuda, GradNormAndClip) {
  if (num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  tensor::FlatParameter::Options options;
  options.device = find_device("cuda");
  const auto unit = random_unit({{"a", {1000, 257}}, {"b", {3}}}, 12, options);
  unit->begin_step();
  unit->grad(0).copy_(unit->main_weight(0));
  const double expected = unit->main_weight(0).cpu().norm(2, at::kDouble).item<double>();
  const at::Tensor norm = optim::grad_norm({unit.get()});
  EXPECT_NEAR(norm.item<double>(), expected, 1e-6 * expected);
  EXPECT_NEAR(optim::clip_factor(norm, 1.0).item<double>(), 1 / expected, 1e-6);
  unit->grad(1).fill_(INFINITY);
  EXPECT_TRUE(std::isnan(optim::clip_factor(optim::grad_norm({unit.get()}), 1.0).item<double>()));
}

}  // namespace
}  // namespace automodel::ops
