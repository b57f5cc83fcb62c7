#include "core/checkpoint/hf_folder.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/io/json.h"

namespace automodel::checkpoint {
namespace fs = std::filesystem;

namespace {

bool is_weights_file(const fs::path& file) {
  constexpr std::array kEndings = {
      ".safetensors", ".bin", ".pt", ".pth", ".h5", ".msgpack", ".gguf", ".onnx"};
  return std::find(kEndings.begin(), kEndings.end(), file.extension()) != kEndings.end() ||
         file.filename().string().ends_with(".index.json");
}

}  // namespace

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

bool is_tokenizer_file(const fs::path& file) {
  constexpr std::array kNames = {"tokenizer.json",
                                 "tokenizer_config.json",
                                 "tokenizer.model",
                                 "special_tokens_map.json",
                                 "added_tokens.json",
                                 "vocab.json",
                                 "vocab.txt",
                                 "merges.txt",
                                 "chat_template.jinja"};
  return std::find(kNames.begin(), kNames.end(), file.filename()) != kNames.end();
}

void copy_side_files(const fs::path& from,
                     const fs::path& to,
                     const std::function<bool(const fs::path&)>& wanted) {
  for (const auto& entry : fs::directory_iterator(from)) {
    const fs::path& file = entry.path();
    if (fs::is_directory(file) && !file.filename().string().starts_with('.'))
      log::warning(file.string(), ": a folder, not copied");
    if (fs::is_regular_file(file) && !is_weights_file(file) && wanted(file))
      write_file_atomically(to / file.filename(), read_file(file));
  }
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
