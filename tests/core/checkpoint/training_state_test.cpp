#include "core/checkpoint/training_state.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

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

}  // namespace
}  // namespace automodel::checkpoint
