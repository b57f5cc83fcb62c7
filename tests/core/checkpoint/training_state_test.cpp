#include "core/checkpoint/training_state.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>

#include "core/io/safetensors.h"
#include "tests/core/families/names.h"

namespace automodel::checkpoint {
namespace {

namespace fs = std::filesystem;

/// Two units, of which the first is kept in the type that is stored, the second in float32.
struct Mixed {
  models::Decoder decoder;
  optim::Optimizer optimizer;

  explicit Mixed(at::ScalarType first, at::ScalarType second, float value)
      : decoder(make(first, second)), optimizer({}, decoder.unit_pointers()) {
    for (const auto& unit : decoder.units) unit->main_weights().fill_(value);
  }

  static models::Decoder make(at::ScalarType first, at::ScalarType second) {
    models::Decoder decoder;
    tensor::FlatParameter::Options options;
    options.main_dtype = options.compute_dtype = first;
    decoder.units.push_back(
        std::make_unique<tensor::FlatParameter>("a", std::vector<tensor::Parameter>{{"a", {3}}}, options));
    options.main_dtype = second;
    decoder.units.push_back(
        std::make_unique<tensor::FlatParameter>("b", std::vector<tensor::Parameter>{{"b", {5}}}, options));
    return decoder;
  }
};

class TrainingState : public ::testing::Test {
 protected:
  TrainingState() { fs::remove_all(folder_); }

  ~TrainingState() override { fs::remove_all(folder_); }

  std::vector<std::string> names() const {
    const io::SafetensorsFile file(folder_ / "shard-00001-of-00001.safetensors");
    std::vector<std::string> names;
    for (const io::TensorView& tensor : file.tensors()) {
      if (tensor.name.starts_with("master.")) names.push_back(tensor.name);
    }
    return names;
  }

  const fs::path folder_ = fs::temp_directory_path() / ("training_state_test_" + std::to_string(::getpid()));
};

TEST_F(TrainingState, KeepsTheMastersOfThoseUnitsThatHaveThem) {
  constexpr float kValue = 1.001f;  // bfloat16 makes 1 of it
  for (const auto& [first, second, masters] :
       {std::tuple{at::kBFloat16, at::kFloat, std::vector<std::string>{"master.b"}},
        std::tuple{at::kFloat, at::kBFloat16, std::vector<std::string>{"master.a"}},
        std::tuple{at::kFloat, at::kFloat, std::vector<std::string>{"master.a", "master.b"}},
        std::tuple{at::kBFloat16, at::kBFloat16, std::vector<std::string>{}}}) {
    fs::remove_all(folder_);
    Mixed written(first, second, kValue), read(first, second, 7);
    write_optimizer(folder_, written.decoder, written.optimizer, DType::kBFloat16);
    EXPECT_EQ(names(), masters);
    read_optimizer(folder_, read.decoder, read.optimizer);
    for (size_t i = 0; i < 2; ++i) {
      const bool has_master = read.decoder.units[i]->main_weights().scalar_type() == at::kFloat;
      EXPECT_EQ(read.decoder.units[i]->main_weight(0)[0].item<float>(), has_master ? kValue : 7);
    }
  }
}

/// A decoder of one unit and its optimizer, with the biases in a group of their own.
struct Grouped {
  models::Decoder decoder;
  optim::Optimizer optimizer;

  explicit Grouped(optim::ParamGroup weights, optim::ParamGroup biases)
      : decoder(make()),
        optimizer(
            {std::move(weights), std::move(biases)},
            [](const tensor::Parameter& parameter) { return size_t{parameter.name.ends_with("bias")}; },
            decoder.unit_pointers()) {}

  static models::Decoder make() {
    models::Decoder decoder;
    std::vector<tensor::Parameter> parameters = {
        {"w", {4, 70}}, {"w.bias", {4}}, {"v", {3, 5}}, {"v.bias", {3}}};
    decoder.units.push_back(
        std::make_unique<tensor::FlatParameter>("a", parameters, tensor::FlatParameter::Options()));
    for (size_t i = 0; i < decoder.units[0]->parameters().size(); ++i)
      decoder.units[0]->main_weight(i).fill_(1);
    return decoder;
  }

  /// Updates number `first` and the next, by gradients of their own.
  void train(int64_t first) {
    tensor::FlatParameter& unit = *decoder.units[0];
    for (int64_t step = first; step < first + 2; ++step) {
      unit.begin_step();
      for (size_t i = 0; i < unit.parameters().size(); ++i) {
        const at::Tensor grad = unit.grad(i);
        grad.copy_(at::arange(grad.numel()).add(3 * step).view(grad.sizes()).cos());
      }
      unit.mark_grad_written(0, unit.parameters().size());
      unit.reduce_grads();
      optimizer.step(0.01, 0.1, at::ones({}, at::kFloat));
    }
  }
};

TEST_F(TrainingState, TrainingGoesOnToTheBitWithEveryOptimizerAndAcrossGroups) {
  using Kind = config::OptimizerConfig::Kind;
  const auto group = [](Kind kind) {
    config::OptimizerConfig config;
    config.kind = kind;
    config.momentum = 0.9;
    return optim::ParamGroup{config};
  };
  for (const auto& [weights, biases] : {std::pair{Kind::kAdamW, Kind::kAdamW},
                                        std::pair{Kind::kSgd, Kind::kSgd},
                                        std::pair{Kind::kAdam, Kind::kSgd},
                                        std::pair{Kind::kLion, Kind::kAdamW}}) {
    fs::remove_all(folder_);
    Grouped whole(group(weights), group(biases)), stopped(group(weights), group(biases));
    Grouped resumed(group(weights), group(biases));
    whole.train(0);
    whole.train(2);
    stopped.train(0);
    write_optimizer(folder_, stopped.decoder, stopped.optimizer, DType::kFloat32);
    resumed.decoder.units[0]->main_weights().copy_(stopped.decoder.units[0]->main_weights());
    read_optimizer(folder_, resumed.decoder, resumed.optimizer);
    resumed.train(2);
    EXPECT_TRUE(resumed.decoder.units[0]->main_weights().equal(whole.decoder.units[0]->main_weights()));
    EXPECT_FALSE(resumed.decoder.units[0]->main_weights().equal(stopped.decoder.units[0]->main_weights()));
  }
}

}  // namespace
}  // namespace automodel::checkpoint
