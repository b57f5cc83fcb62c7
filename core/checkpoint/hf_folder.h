#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "core/base/dtype.h"

/// What Hugging Face folders that we write have in common.
namespace automodel::checkpoint {

/// The name of the index of a model's files.
constexpr const char* kIndexFile = "model.safetensors.index.json";

/// Whether a tensor holds plain numbers that may be cast to another type: not integers, not quantised.
bool is_floating(DType dtype);

/// A config.json whose type fields say `dtype` and that has no quantization_config: of plain numbers. Bare
/// infinities are written in tags, as transformers does.
std::string config_of_plain_weights(const std::string& config_json, DType dtype);

/// The index of files: tensor -> file.
std::string index_json(const std::map<std::string, std::string>& file_of, int64_t total_bytes);

/// The folder to make. Throws Error(kData) unless nothing is there, or an empty folder.
std::filesystem::path new_folder(const std::string& name);

}  // namespace automodel::checkpoint
