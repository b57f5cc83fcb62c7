#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/base/strings.h"
#include "core/io/json.h"
#include "core/io/safetensors.h"

namespace automodel::io {
namespace {

namespace fs = std::filesystem;

/// What lies in the folder instead of weights, for the message.
std::string listing(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  if (names.size() > 12) {
    names.resize(12);
    names.emplace_back("...");
  }
  return names.empty() ? "the folder is empty" : "it holds " + join(names, ", ");
}

/// Shard names of an index, in order of first mention, each with the tensors that the index puts there.
std::vector<std::pair<std::string, std::vector<std::string>>> read_index(const fs::path& path) {
  const nlohmann::json index = read_json(path);
  check(index.is_object() && index.contains("weight_map") && index["weight_map"].is_object(),
        ErrorCode::kFormat,
        path.string(),
        ": \"weight_map\" is missing; expected an object of tensor name -> file name");
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& [tensor, shard] : index["weight_map"].items()) {
    check(shard.is_string(),
          ErrorCode::kFormat,
          path.string(),
          ": tensor \"",
          tensor,
          "\": expected a file name");
    const auto name = shard.get<std::string>();
    check(!name.empty() && name != ".." && name.find('/') == std::string::npos,
          ErrorCode::kFormat,
          path.string(),
          ": tensor \"",
          tensor,
          "\": \"",
          name,
          "\" is not the name of a file in this folder");
    shards[name].push_back(tensor);
  }
  return {shards.begin(), shards.end()};
}

void add_file(WeightFiles& weights, const fs::path& path) {
  SafetensorsFile& file = weights.files.emplace_back(path);
  for (size_t i = 0; i < file.tensors().size(); ++i) {
    const std::string& name = file.tensors()[i].name;
    const auto [found, added] = weights.index.try_emplace(name, weights.files.size() - 1, i);
    check(added,
          ErrorCode::kFormat,
          path.string(),
          ": tensor \"",
          name,
          "\" stands also in ",
          weights.files[found->second.first].path().string());
  }
}

}  // namespace

const TensorView& WeightFiles::at(const std::string& name) const {
  const auto found = index.find(name);
  check(found != index.end(),
        ErrorCode::kFormat,
        files.empty() ? "no file" : files[0].path().parent_path().string(),
        ": tensor \"",
        name,
        "\" is missing");
  return files[found->second.first].tensors()[found->second.second];
}

WeightFiles open_weight_files(const std::vector<fs::path>& paths) {
  WeightFiles weights;
  for (const fs::path& path : paths) add_file(weights, path);
  return weights;
}

WeightFiles open_weights(const fs::path& folder) {
  check(fs::is_directory(folder),
        ErrorCode::kFormat,
        folder.string(),
        ": not a folder; expected one with model.safetensors");
  WeightFiles weights;
  if (fs::exists(folder / "model.safetensors")) {
    add_file(weights, folder / "model.safetensors");
    return weights;
  }
  const fs::path index_path = folder / "model.safetensors.index.json";
  check(fs::exists(index_path),
        ErrorCode::kFormat,
        folder.string(),
        ": expected model.safetensors or model.safetensors.index.json; ",
        listing(folder),
        "; convert other formats with transformers' save_pretrained");
  for (const auto& [shard, tensors] : read_index(index_path)) {
    check(fs::exists(folder / shard),
          ErrorCode::kFormat,
          (folder / shard).string(),
          ": missing, but ",
          index_path.filename().string(),
          " says that it holds \"",
          tensors.front(),
          "\"");
    add_file(weights, folder / shard);
    for (const std::string& tensor : tensors) {
      const auto found = weights.index.find(tensor);
      check(found != weights.index.end() && found->second.first == weights.files.size() - 1,
            ErrorCode::kFormat,
            (folder / shard).string(),
            ": tensor \"",
            tensor,
            "\" is missing, but ",
            index_path.filename().string(),
            " says that it is here");
    }
  }
  return weights;
}

std::string fingerprint(const WeightFiles& weights) {
  constexpr size_t kMostSampled = 1024;
  constexpr int64_t kBlock = 4096;
  const size_t stride = (weights.index.size() + kMostSampled - 1) / kMostSampled;
  Hash hash;
  size_t i = 0;
  for (const auto& [name, place] : weights.index) {
    const TensorView& tensor = weights.files[place.first].tensors()[place.second];
    hash.add(name + " " + std::string(safetensors_name(tensor.dtype)));
    hash.add(tensor.shape.data(), tensor.shape.size() * sizeof(tensor.shape.front()));
    if (i++ % stride != 0) continue;
    for (const int64_t begin : {int64_t{0}, tensor.size_bytes / 2}) {
      hash.add(tensor.data + begin, static_cast<size_t>(std::min(kBlock, tensor.size_bytes - begin)));
    }
  }
  return std::to_string(weights.index.size()) + " tensors, xxh128 " + hash.hex();
}

}  // namespace automodel::io
