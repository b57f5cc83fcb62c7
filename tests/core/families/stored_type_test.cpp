#include "core/families/stored_type.h"

#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace automodel::families {
namespace {

namespace fs = std::filesystem;

class TypeOfWeights : public ::testing::Test {
 protected:
  TypeOfWeights() : folder_(fs::temp_directory_path() / ("stored_type_test." + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }

  ~TypeOfWeights() override { fs::remove_all(folder_); }

  void write(const std::string& file, const std::vector<std::pair<std::string, DType>>& tensors) const {
    std::vector<io::TensorToWrite> list;
    for (const auto& [name, type] : tensors) list.push_back({name, type, {1}, zeros_});
    io::write_safetensors(folder_ / file, list);
  }

  DType type() const { return type_of_weights(folder_, io::open_weights(folder_)); }

  const char zeros_[8] = {};
  fs::path folder_;
};

TEST_F(TypeOfWeights, IsThatOfTheFirstFloatingTensorByName) {
  write("model.safetensors",
        {{"c", DType::kFloat32}, {"a", DType::kInt64}, {"b", DType::kBFloat16}, {"aa", DType::kFloat8E4M3}});
  EXPECT_EQ(type(), DType::kBFloat16);
}

TEST_F(TypeOfWeights, OfShardsTheFirstFileByNameCounts) {
  write("model-2.safetensors", {{"a", DType::kFloat32}});
  write("model-1.safetensors", {{"b", DType::kFloat16}});
  const std::string map = R"("weight_map": {"a": "model-2.safetensors", "b": "model-1.safetensors"}})";
  const fs::path index = folder_ / "model.safetensors.index.json";
  std::ofstream(index) << R"({"metadata": {"total_size": 6}, )" << map;
  EXPECT_EQ(type(), DType::kFloat16);
  std::ofstream(index) << R"({"metadata": {"dtype": "bfloat16"}, )" << map;
  EXPECT_EQ(type(), DType::kBFloat16);
}

TEST_F(TypeOfWeights, WithoutAFloatingTensorItIsFloat32) {
  write("model.safetensors", {{"a", DType::kInt64}});
  EXPECT_EQ(type(), DType::kFloat32);
}

}  // namespace
}  // namespace automodel::families
