#include "core/checkpoint/hf_folder.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/json.h"

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

std::string index_json(const std::map<std::string, std::string>& file_of, int64_t total_bytes) {
  nlohmann::ordered_json index;
  index["metadata"]["total_size"] = total_bytes;
  index["weight_map"] = file_of;
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
