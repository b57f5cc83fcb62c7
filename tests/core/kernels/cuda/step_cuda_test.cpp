// A whole optimizer step of a small decoder on the GPU: it does not wait for the device, allocates nothing
// new once warm, and gives what the CPU gives.
#include <gtest/gtest.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/remainder.h>

#include "core/engine/graphed_executor.h"
#include "core/families/family.h"
#include "core/models/decoder.h"
#include "core/ops/cuda/cuda.h"
#include "core/optim/grad_norm.h"
#include "core/optim/optimizer.h"
#include "core/tensor/host_copy.h"

namespace automodel {
namespace {

std::string config(bool tied) {
  return std::string(
             R"({"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": 1000,
  "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 3, "num_attention_heads": 4,
  "num_key_value_heads": 2, "hidden_act": "silu", "max_position_embeddings": 512, "rms_norm_eps": 1e-6,
  "rope_theta": 10000.0, "initializer_range": 0.02, "use_sliding_window": false, "tie_word_embeddings": )") +
         (tied ? "true}" : "false}");
}

/// A model, its optimizer and a batch on one device.
class Trainee {
 public:
  Trainee(at::Device device,
          at::ScalarType dtype,
          engine::Graphs graphs = engine::Graphs::kOff,
          bool tied = true)
      : decoder_(models::build_decoder(families::read_decoder_config(config(tied), "test", "", ""),
                                       options(device, dtype))),
        executor_(decoder_.segment_pointers(), decoder_.unit_pointers(), device, {.graphs = graphs}),
        optimizer_({}, decoder_.unit_pointers()),
        ids_(at::arange(4 * 128, at::kLong).remainder(997).view({4, 128})),
        device_(device) {
    models::init_weights(decoder_, 5);
  }

  /// Kinds of micro-batch that are replayed.
  size_t num_graphs() const { return executor_.num_graphs(); }

  /// The sum of losses and gradient norm of one step, on its way.
  tensor::HostCopy step() { return step({batch_of(ids_), batch_of(ids_)}); }

  /// The same of a step whose rows, length and labels differ from the last's.
  tensor::HostCopy step(int64_t number) {
    const int64_t length = number % 2 == 0 ? 128 : 64;
    const at::Tensor ids = at::remainder(ids_ + number, 997).narrow(1, 0, length).contiguous();
    nn::MicroBatch masked = batch_of(ids);
    masked.labels_BT.narrow(1, 0, 1 + number).fill_(masked.ignore_index);
    nn::MicroBatch unlabelled = batch_of(ids);
    unlabelled.labels_BT.fill_(unlabelled.ignore_index);
    if (number % 3 == 0) return step({unlabelled, masked});
    if (number % 3 == 1) return step({masked, unlabelled, batch_of(ids)});
    return step({batch_of(ids.narrow(0, 0, 3)), masked, unlabelled, batch_of(ids)});
  }

 private:
  nn::MicroBatch batch_of(const at::Tensor& ids) const {
    nn::MicroBatch batch;
    batch.input_ids_BT = tensor::upload(ids, device_);
    batch.labels_BT = ids.roll({-1}, {1});
    batch.loss_scale = 1.0 / static_cast<double>(ids_.numel());
    return batch;
  }

  tensor::HostCopy step(const std::vector<nn::MicroBatch>& batches) {
    const auto results = executor_.train(batches);
    const at::Tensor norm = optim::grad_norm(decoder_.unit_pointers());
    optimizer_.step(1e-3, 0.01, optim::clip_factor(norm, 1.0));
    at::Tensor sum = norm;
    for (const nn::State& result : results) sum = sum + result.at(nn::kLoss).to(at::kDouble);
    return tensor::HostCopy(sum.view({1}));
  }

  static tensor::FlatParameter::Options options(at::Device device, at::ScalarType dtype) {
    tensor::FlatParameter::Options options;
    options.device = device;
    options.main_dtype = options.compute_dtype = dtype;
    return options;
  }

  models::Decoder decoder_;
  engine::GraphedExecutor executor_;
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

void expect_no_wait_and_no_allocation(Trainee& trainee, at::Device device) {
  const int64_t allocations = ops::cuda().num_device_allocations(device.index());
  ops::cuda().forbid_synchronisation(true);
  EXPECT_NO_THROW(trainee.step());
  const tensor::HostCopy last = trainee.step();
  ops::cuda().forbid_synchronisation(false);
  EXPECT_GT(last.read()[0], 0);
  EXPECT_EQ(ops::cuda().num_device_allocations(device.index()), allocations);
}

TEST(StepCuda, NeitherWaitsNorAllocatesOnceWarm) {
  if (ops::num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  const at::Device device = ops::find_device("cuda");
  Trainee trainee(device, at::kBFloat16);
  for (int step = 0; step < 3; ++step) trainee.step().read();
  expect_no_wait_and_no_allocation(trainee, device);
}

TEST(StepCuda, TheSameStepsGiveTheSameBits) {
  if (ops::num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  Trainee one(ops::find_device("cuda"), at::kFloat);
  Trainee two(ops::find_device("cuda"), at::kFloat);
  for (int step = 0; step < 4; ++step) EXPECT_EQ(one.step().read(), two.step().read()) << "step " << step;
}

TEST(StepCuda, ReplayedStepsGiveTheSameBits) {
  if (ops::num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  const at::Device device = ops::find_device("cuda");
  ops::cuda().leave_default_stream(device.index());
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    for (const bool tied : {true, false}) {
      Trainee as_ever(device, dtype, engine::Graphs::kOff, tied);
      Trainee replayed(device, dtype, engine::Graphs::kOn, tied);
      for (int64_t step = 0; step < 24; ++step)
        EXPECT_EQ(replayed.step(step).read(), as_ever.step(step).read()) << "step " << step;
      // By length: first of a step with three rows, with four, without labels; later with and without; where
      // the head has a weight of its own, also later when that has no gradient yet.
      EXPECT_EQ(replayed.num_graphs(), tied ? 10 : 12);
    }
  }
}

TEST(StepCuda, ADeviceOtherThanTheFirstGivesTheSameBits) {
  if (ops::num_cuda_devices() < 2) GTEST_SKIP() << "no CUDA device beside the first";
  for (const engine::Graphs graphs : {engine::Graphs::kOff, engine::Graphs::kOn}) {
    std::vector<std::vector<double>> norms;
    for (const char* name : {"cuda:0", "cuda:1"}) {
      const at::Device device = ops::find_device(name);
      ops::cuda().leave_default_stream(device.index());
      Trainee trainee(device, at::kBFloat16, graphs);
      norms.emplace_back();
      for (int step = 0; step < 6; ++step) norms.back().push_back(trainee.step().read()[0]);
      EXPECT_GT(ops::cuda().allocated(device.index()), 0) << name;
    }
    EXPECT_EQ(norms[0], norms[1]);
  }
  ops::find_device("cuda:0");
}

TEST(StepCuda, ReplayedStepsNeitherWaitNorAllocate) {
  if (ops::num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  const at::Device device = ops::find_device("cuda");
  ops::cuda().leave_default_stream(device.index());
  Trainee trainee(device, at::kBFloat16, engine::Graphs::kOn);
  for (int step = 0; step < 4; ++step) trainee.step().read();
  expect_no_wait_and_no_allocation(trainee, device);
}

}  // namespace
}  // namespace automodel
