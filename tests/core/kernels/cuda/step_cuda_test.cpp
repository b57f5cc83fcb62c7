// A whole optimizer step of a small decoder on the GPU: it does not wait for the device, allocates nothing
// new once warm, and gives what the CPU gives.
#include <gtest/gtest.h>

#include <ATen/ops/arange.h>

#include "core/engine/walk.h"
#include "core/models/decoder.h"
#include "core/models/family.h"
#include "core/ops/cuda.h"
#include "core/optim/grad_norm.h"
#include "core/optim/optimizer.h"
#include "core/tensor/readback.h"

namespace automodel {
namespace {

constexpr const char* kConfig =
    R"({"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": 1000,
  "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 3, "num_attention_heads": 4,
  "num_key_value_heads": 2, "hidden_act": "silu", "max_position_embeddings": 512, "rms_norm_eps": 1e-6,
  "rope_theta": 10000.0, "tie_word_embeddings": true, "initializer_range": 0.02, "use_sliding_window": false})";

/// A model, its optimizer and a batch on one device.
class Trainee {
 public:
  Trainee(at::Device device, at::ScalarType dtype)
      : decoder_(models::build_decoder(models::read_decoder_config(kConfig, "test", "", ""),
                                       options(device, dtype))),
        walk_(decoder_.segment_pointers(), decoder_.unit_pointers(), {}),
        optimizer_({}, decoder_.unit_pointers()),
        ids_(at::arange(4 * 128, at::kLong).remainder(997).view({4, 128})),
        device_(device) {
    models::init_weights(decoder_, 5);
  }

  /// Loss and gradient norm of one step, on their way.
  tensor::Readback step() {
    nn::MicroBatch batch;
    batch.input_ids_BT = tensor::upload(ids_, device_);
    batch.labels_BT = ids_.roll({-1}, {1});
    batch.loss_scale = 1.0 / static_cast<double>(ids_.numel());
    const auto results = walk_.train({batch, batch});
    const at::Tensor norm = optim::grad_norm(decoder_.unit_pointers());
    optimizer_.step(1e-3, 0.01, optim::clip_factor(norm, 1.0));
    return tensor::Readback(results[0].at(nn::kLoss).to(at::kDouble).add(norm).view({1}));
  }

 private:
  static tensor::Unit::Options options(at::Device device, at::ScalarType dtype) {
    tensor::Unit::Options options;
    options.device = device;
    options.home_dtype = options.compute_dtype = dtype;
    return options;
  }

  models::Decoder decoder_;
  engine::Walk walk_;
  optim::Optimizer optimizer_;
  at::Tensor ids_;
  at::Device device_;
};

TEST(StepCuda, EqualsTheCpus) {
  if (ops::num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  for (const auto& [dtype, bound] : {std::pair{at::kFloat, 1e-4}, std::pair{at::kBFloat16, 3e-2}}) {
    Trainee on_cpu(at::kCPU, dtype);
    Trainee on_gpu(ops::find_device("cuda"), dtype);
    for (int step = 0; step < 4; ++step) {
      const double expected = on_cpu.step().read()[0];
      EXPECT_NEAR(on_gpu.step().read()[0], expected, bound * expected) << "step " << step;
    }
  }
}

TEST(StepCuda, NeitherWaitsNorAllocatesOnceWarm) {
  if (ops::num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  const at::Device device = ops::find_device("cuda");
  Trainee trainee(device, at::kBFloat16);
  for (int step = 0; step < 3; ++step) trainee.step().read();
  const int64_t allocations = ops::cuda().num_device_allocations(device.index());
  ops::cuda().forbid_synchronisation(true);
  EXPECT_NO_THROW(trainee.step());
  const tensor::Readback last = trainee.step();
  ops::cuda().forbid_synchronisation(false);
  EXPECT_GT(last.read()[0], 0);
  EXPECT_EQ(ops::cuda().num_device_allocations(device.index()), allocations);
}

TEST(StepCuda, TheSameStepsGiveTheSameBits) {
  if (ops::num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  Trainee one(ops::find_device("cuda"), at::kFloat);
  Trainee two(ops::find_device("cuda"), at::kFloat);
  for (int step = 0; step < 4; ++step) EXPECT_EQ(one.step().read(), two.step().read()) << "step " << step;
}

}  // namespace
}  // namespace automodel
