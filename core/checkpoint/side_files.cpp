#include "core/checkpoint/side_files.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "core/base/files.h"
#include "core/base/log.h"

namespace automodel::checkpoint {
namespace fs = std::filesystem;

namespace {

constexpr const char* kTemplates = "additional_chat_templates";
/// Folders larger than this are no part of a model: an environment, a checkout.
constexpr size_t kMostFiles = 200;

template <size_t n>
bool ends_as_one_of(const fs::path& file, const std::array<std::string_view, n>& endings) {
  return std::find(endings.begin(), endings.end(), file.extension().string()) != endings.end();
}

bool is_index(const fs::path& file) {
  return file.filename().string().ends_with(".index.json");
}

/// Weights, in whatever format, and rows of data.
bool is_weights_or_data(const fs::path& file) {
  constexpr std::array<std::string_view, 20> kEndings = {
      ".safetensors", ".bin",   ".pt",        ".pth", ".ckpt",   ".h5",   ".msgpack",
      ".gguf",        ".onnx",  ".onnx_data", ".npz", ".tflite", ".nemo", ".jsonl",
      ".parquet",     ".arrow", ".gz",        ".zip", ".tar",    ".zst"};
  return ends_as_one_of(file, kEndings) || is_index(file);
}

/// What a folder in the folder may hold to come along.
bool is_text_for_loading(const fs::path& file) {
  constexpr std::array<std::string_view, 11> kEndings = {
      ".json", ".jinja", ".py", ".txt", ".model", ".tiktoken", ".vocab", ".bpe", ".yaml", ".yml", ".md"};
  return ends_as_one_of(file, kEndings) && !is_index(file);
}

bool is_passed_over(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') || name == "__pycache__";
}

/// Adds the files of a folder, at any depth; false when one of them is no text for loading. Links to folders
/// are not followed: they may lead in a circle.
bool list_text_files(const fs::path& folder, std::vector<fs::path>& files) {
  std::error_code failed;
  if (fs::is_symlink(folder)) return false;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    const fs::path& path = entry.path();
    if (is_passed_over(path)) continue;
    const bool fits = fs::is_directory(path) ? list_text_files(path, files)
                                             : fs::is_regular_file(path) && is_text_for_loading(path);
    if (!fits || files.size() >= kMostFiles) return false;
    if (!fs::is_directory(path)) files.push_back(path);
  }
  return !failed;
}

void copy(const fs::path& from, const fs::path& to, const fs::path& relative) {
  fs::create_directories((to / relative).parent_path());
  write_file_atomically(to / relative, read_file(from / relative));
}

}  // namespace

bool is_tokenizer_file(const fs::path& file) {
  constexpr std::array<std::string_view, 9> kNames = {"special_tokens_map.json",
                                                      "added_tokens.json",
                                                      "vocab.json",
                                                      "vocab.txt",
                                                      "merges.txt",
                                                      "encoder.json",
                                                      "tekken.json",
                                                      "chat_template.jinja",
                                                      "chat_template.json"};
  constexpr std::array<std::string_view, 5> kEndings = {".model", ".tiktoken", ".spm", ".bpe", ".vocab"};
  const std::string name = file.filename().string();
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || ends_as_one_of(file, kEndings) ||
         name.starts_with("tokenizer.") || name == "tokenizer_config.json" ||
         *file.begin() == fs::path(kTemplates) || file.parent_path().filename() == kTemplates;
}

std::vector<fs::path> copy_side_files(const fs::path& from,
                                      const fs::path& to,
                                      const std::function<bool(const fs::path&)>& wanted) {
  std::vector<fs::path> files, left_out;
  for (const auto& entry : fs::directory_iterator(from)) {
    const fs::path& path = entry.path();
    if (fs::is_regular_file(path) && !is_weights_or_data(path)) files.push_back(path);
    if (!fs::is_directory(path) || is_passed_over(path)) continue;
    std::vector<fs::path> below;
    if (list_text_files(path, below)) {
      files.insert(files.end(), below.begin(), below.end());
    } else {
      left_out.push_back(path);
    }
  }
  for (const fs::path& file : files) {
    const fs::path relative = file.lexically_relative(from);
    if (wanted(relative)) copy(from, to, relative);
  }
  return left_out;
}

void warn_of_left_out(const std::vector<fs::path>& folders) {
  for (const fs::path& folder : folders)
    log::warning(folder.string(), ": a folder with more than text for loading, not copied");
}

void copy_tokenizer(const std::vector<fs::path>& files, const fs::path& to) {
  if (files.empty()) return;
  const fs::path folder = files.front().parent_path();
  for (const fs::path& file : files) {
    if (fs::exists(file)) copy(folder, to, file.filename());
  }
  // One tokenizer.json by itself: what else lies there is not the run's.
  const fs::path config = folder / "tokenizer_config.json";
  if (fs::exists(config) && std::find(files.begin(), files.end(), config) == files.end()) return;
  const auto is_code = [](const fs::path& file) {
    return file.extension() == ".py" && file.filename().string().starts_with("tokenization");
  };
  copy_side_files(folder, to, [&](const fs::path& file) { return is_tokenizer_file(file) || is_code(file); });
}

}  // namespace automodel::checkpoint
