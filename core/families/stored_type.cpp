#include "core/families/stored_type.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/io/json.h"

namespace automodel::families {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIndex = "model.safetensors.index.json";

bool is_plain_floating(DType type) {
  return type == DType::kFloat32 || type == DType::kBFloat16 || type == DType::kFloat16 ||
         type == DType::kFloat64;
}

}  // namespace

DType type_of_weights(const fs::path& folder, const io::WeightFiles& files) {
  if (fs::exists(folder / kIndex)) {
    const nlohmann::json index = io::read_json((folder / kIndex).string());
    const auto metadata = index.find("metadata");
    if (metadata != index.end() && metadata->is_object() && metadata->contains("dtype"))
      return dtype_from_torch((*metadata)["dtype"].get<std::string>());
  }
  const auto by_name = [](const io::SafetensorsFile& left, const io::SafetensorsFile& right) {
    return left.path().filename() < right.path().filename();
  };
  const auto first = std::ranges::min_element(files.files, by_name);
  for (const auto& [name, place] : files.index) {  // by name
    if (first != files.files.begin() + static_cast<std::ptrdiff_t>(place.first)) continue;
    const DType type = first->tensors()[place.second].dtype;
    if (is_plain_floating(type)) return type;
  }
  return DType::kFloat32;
}

bool has_weights(const fs::path& folder) {
  return fs::exists(folder / "model.safetensors") || fs::exists(folder / kIndex);
}

}  // namespace automodel::families
