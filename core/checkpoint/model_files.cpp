#include "core/checkpoint/model_files.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/base/embedded.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/checkpoint/hf_folder.h"
#include "core/checkpoint/side_files.h"
#include "core/checkpoint/tensor_to_write.h"
#include "core/io/safetensors.h"
#include "core/tensor/dtype.h"

namespace automodel::checkpoint {
namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

/// A tensor of the export, the parameter that it is part of, and its file, counted from 1.
struct Place {
  size_t file;
  const weights::FileTensor* tensor;
  std::string parameter;
  bool float32;  ///< whatever the weights are
};

DType dtype_of(const Place& place, DType weights) {
  return place.float32 ? DType::kFloat32 : weights;
}

/// Which file of the export each tensor goes to: the source's split, or one file.
struct Split {
  std::map<std::string, Place> tensors;
  size_t num_files = 1;
};

Split split_like_source(const models::Decoder& decoder, const fs::path& source) {
  Split split;
  std::vector<std::string> names;
  const fs::path index = source / kIndexFile;
  Json weight_map = Json::object();
  if (!source.empty() && fs::exists(index))
    weight_map = Json::parse(read_file(index)).value("weight_map", weight_map);
  for (const auto& [tensor, file] : weight_map.items()) names.push_back(file.get<std::string>());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  split.num_files = std::max<size_t>(names.size(), 1);
  for (const auto& segment : decoder.weights) {
    for (const auto& weight : segment.weights) {
      for (const weights::FileTensor& tensor : weight.files) {
        const auto found = weight_map.find(tensor.name);
        const auto at = found == weight_map.end()
                            ? names.begin()
                            : std::lower_bound(names.begin(), names.end(), found->get<std::string>());
        const size_t file = names.empty() ? 1 : static_cast<size_t>(at - names.begin()) + 1;
        split.tensors[tensor.name] = {
            file, &tensor, weight.name, weight.kind == weights::ParameterSpec::Kind::kBuffer};
      }
    }
  }
  return split;
}

/// A shard's file in the checkpoint; in the export it has the plain name.
std::string shard_name(size_t file, size_t num_files) {
  return "shard-00001-" + weights_file_name(file, num_files);
}

/// A parameter in the type that is stored: the main weights, or those that ops compute with. Never a
/// converted copy.
at::Tensor stored_value(const tensor::Weight& weight, DType dtype) {
  const at::Tensor main = weight.unit->main_weight(weight.first);
  if (main.scalar_type() == tensor::to_torch(dtype)) return main;
  weight.unit->gather();
  at::Tensor value = weight.value();
  ensure(value.scalar_type() == tensor::to_torch(dtype),
         weight.unit->name(),
         " has neither main nor compute weights of the type that is stored");
  return value;
}

/// Writes the shards, one source file after another; the index that the export has.
std::string write_shards(const fs::path& folder,
                         const models::Decoder& decoder,
                         const ModelSource& source,
                         const Split& split) {
  WeightFilesWriter files(folder);
  for (size_t file = 1; file <= split.num_files; ++file) {
    std::vector<io::TensorToWrite> tensors;
    for (const auto& [name, place] : split.tensors) {
      if (place.file != file) continue;
      const DType dtype = dtype_of(place, source.weights_dtype);
      tensors.push_back(to_write(*place.tensor, stored_value(decoder.find(place.parameter), dtype)));
    }
    files.write(shard_name(file, split.num_files), tensors, weights_file_name(file, split.num_files));
  }
  return files.index();
}

/// The chat template as a file of its own, where transformers 5 and serving tools look first: the one that
/// the run was trained with, else the one inside tokenizer_config.json.
void write_chat_template(const fs::path& folder, const std::string& trained_with) {
  const fs::path config = folder / "tokenizer_config.json";
  const fs::path file = folder / "chat_template.jinja";
  if (!trained_with.empty()) return write_file_atomically(file, trained_with);
  // Templates in files come in place of those in tokenizer_config.json.
  if (fs::exists(file) || fs::exists(folder / "additional_chat_templates") || !fs::exists(config)) return;
  const Json chat_template = Json::parse(read_file(config)).value("chat_template", Json());
  if (chat_template.is_string()) write_file_atomically(file, chat_template.get<std::string>());
}

/// A file that went away or may not be read must not end a run that has trained for hours.
bool is_readable(const fs::path& file) {
  const bool readable = ::access(file.c_str(), R_OK) == 0;
  if (!readable) log::warning(file.string(), ": cannot be read, the checkpoint goes without it");
  return readable;
}

/// The folder that the model came from; empty for a config that lies by itself.
fs::path folder_of_source(const ModelSource& source) {
  const bool is_model =
      !source.folder.empty() && is_readable(source.folder) && fs::exists(source.folder / "config.json");
  return is_model ? source.folder : fs::path();
}

/// What the source's folder holds beside weights and config.json; another tokenizer takes the place of its
/// own.
void write_side_files(const fs::path& folder, const ModelSource& source) {
  const std::vector<fs::path>& tokenizer = source.tokenizer_files;
  const fs::path from = folder_of_source(source);
  std::error_code none;
  const bool own_tokenizer = tokenizer.empty() || fs::equivalent(tokenizer.front().parent_path(), from, none);
  if (!from.empty()) {
    copy_side_files(from, folder, [&](const fs::path& file) {
      return file != "config.json" && (own_tokenizer || !is_tokenizer_file(file)) && is_readable(from / file);
    });
  }
  if (from.empty() || !own_tokenizer) copy_tokenizer(tokenizer, folder);
  write_chat_template(folder, source.chat_template);
}

void write_metadata(const fs::path& folder,
                    const ModelSource& source,
                    const Split& split,
                    const std::string& index) {
  Json file_index = Json::object(), dtypes = Json::object();
  for (const auto& [name, place] : split.tensors) {
    file_index[name] = place.file;
    dtypes[name] = safetensors_name(dtype_of(place, source.weights_dtype));
  }
  write_file_atomically(folder / "config.json",
                        config_of_plain_weights(source.config_json, source.weights_dtype));
  write_file_atomically(folder / "fqn_to_file_index_mapping.json", file_index.dump(2));
  write_file_atomically(folder / "fqn_to_dtype_mapping.json", dtypes.dump(2));
  write_file_atomically(folder / kIndexFile, index);
  write_side_files(folder, source);
}

/// A second name for the same bytes, or a copy where the file system has no hard links.
void link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::create_hard_link(from, to, failed);
  if (failed) fs::copy_file(from, to);
}

}  // namespace

void write_model_files(const fs::path& model_folder,
                       const models::Decoder& decoder,
                       const ModelSource& source,
                       bool consolidated) {
  const fs::path metadata = model_folder / ".hf_metadata";
  fs::create_directories(metadata);
  const Split split = split_like_source(decoder, source.folder);
  const std::string index = write_shards(model_folder, decoder, source, split);
  write_metadata(metadata, source, split, index);
  write_file_atomically(model_folder / "consolidate.sh", embedded_texts().at("templates/consolidate.sh"));
  if (!consolidated) return;
  const fs::path export_folder = model_folder / "consolidated";
  fs::create_directories(export_folder);
  for (size_t file = 1; file <= split.num_files; ++file) {
    link_or_copy(model_folder / shard_name(file, split.num_files),
                 export_folder / weights_file_name(file, split.num_files));
  }
  for (const auto& entry : fs::recursive_directory_iterator(metadata)) {
    const fs::path target = export_folder / entry.path().lexically_relative(metadata);
    if (entry.is_directory()) {
      fs::create_directories(target);
    } else if (!entry.path().filename().string().starts_with("fqn_to_")) {
      link_or_copy(entry.path(), target);
    }
  }
}

void write_adapter_files(const fs::path& model_folder,
                         const models::Decoder& decoder,
                         const ModelSource& source,
                         const config::Recipe& recipe) {
  peft::write_adapter(
      model_folder, decoder, *source.adapters, *recipe.peft, recipe.model.path, source.weights_dtype);
  copy_tokenizer(source.tokenizer_files, model_folder);
  write_chat_template(model_folder, source.chat_template);
}

}  // namespace automodel::checkpoint
