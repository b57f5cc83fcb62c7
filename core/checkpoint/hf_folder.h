#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/dtype.h"
#include "core/io/safetensors.h"

/// What Hugging Face folders that we write have in common.
namespace automodel::checkpoint {

/// The name of the index of a model's files.
constexpr const char* kIndexFile = "model.safetensors.index.json";

/// Whether a tensor holds plain numbers that may be cast to another type: not integers, not quantised.
bool is_floating(DType dtype);

/// A config.json whose type fields say `dtype` and that has no quantization_config: of plain numbers. Bare
/// infinities are written in tags, as transformers does.
std::string config_of_plain_weights(const std::string& config_json, DType dtype);

/// "model-00002-of-00003.safetensors"; `file` counts from 1.
std::string weights_file_name(size_t file, size_t num_files);

/// Writes the files of a model's weights, one after another, and knows their index.
class WeightFilesWriter {
 public:
  explicit WeightFilesWriter(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Throws what io::write_safetensors() does.
  void write(const std::string& file, const std::vector<io::TensorToWrite>& tensors) {
    write(file, tensors, file);
  }

  /// A file that the index knows by another name.
  void write(const std::string& file,
             const std::vector<io::TensorToWrite>& tensors,
             const std::string& name_in_index);

  /// The text of model.safetensors.index.json.
  std::string index() const;

 private:
  std::filesystem::path folder_;
  std::map<std::string, std::string> file_of_;  ///< by tensor
  int64_t total_bytes_ = 0;
};

/// The folder to make. Throws Error(kData) unless nothing is there, or an empty folder.
std::filesystem::path new_folder(const std::string& name);

}  // namespace automodel::checkpoint
