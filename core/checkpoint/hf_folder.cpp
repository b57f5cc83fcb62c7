#include "core/checkpoint/hf_folder.h"

#include <array>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/json.h"
#include "core/weights/parameter_spec.h"

namespace automodel::checkpoint {
namespace fs = std::filesystem;

bool is_floating(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kBFloat16 || dtype == DType::kFloat16 ||
         dtype == DType::kFloat64;
}

std::string config_of_plain_weights(const std::string& config_json, DType dtype) {
  auto config = nlohmann::ordered_json::parse(io::with_tagged_infinities(config_json));
  config.erase("quantization_config");
  const std::string name(torch_name(dtype));
  const bool old_form = config.contains("torch_dtype");
  if (old_form) config["torch_dtype"] = name;
  if (!old_form || config.contains("dtype")) config["dtype"] = name;
  return config.dump(2) + "\n";
}

std::string weights_file_name(size_t file, size_t num_files) {
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "model-%05zu-of-%05zu.safetensors", file, num_files);
  return name.data();
}

void WeightFilesWriter::write(const std::string& file,
                              const std::vector<io::TensorToWrite>& tensors,
                              const std::string& name_in_index) {
  io::write_safetensors(folder_ / file, tensors);
  for (const io::TensorToWrite& tensor : tensors) {
    file_of_[tensor.name] = name_in_index;
    total_bytes_ += size_of(tensor.dtype) * weights::num_elements(tensor.shape);
  }
}

std::string WeightFilesWriter::index() const {
  nlohmann::ordered_json index;
  index["metadata"]["total_size"] = total_bytes_;
  index["weight_map"] = file_of_;
  return index.dump(2) + "\n";
}

fs::path new_folder(const std::string& name) {
  fs::path folder = fs::path(name).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  check(!fs::exists(folder) || (fs::is_directory(folder) && fs::is_empty(folder)),
        ErrorCode::kData,
        folder.string(),
        ": is there already; name a folder that does not exist");
  return folder;
}

}  // namespace automodel::checkpoint
