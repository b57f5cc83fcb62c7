#include "core/checkpoint/merge.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <ATen/ops/mm.h>

#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/checkpoint/folder.h"
#include "core/io/json.h"
#include "core/models/family.h"
#include "core/models/match_weights.h"
#include "core/peft/adapter_files.h"
#include "core/tensor/dtype.h"

namespace automodel::checkpoint {
namespace fs = std::filesystem;

namespace {

constexpr const char* kIndex = "model.safetensors.index.json";

bool is_floating(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kBFloat16 || dtype == DType::kFloat16 ||
         dtype == DType::kFloat64;
}

class Merge {
 public:
  explicit Merge(const MergeRequest& request)
      : request_(request),
        base_(models::find_model(request.base)),
        adapter_(peft::read_adapter(request.adapter)),
        config_(models::read_decoder_config(
            read_file(base_ / "config.json"), (base_ / "config.json").string(), "", request.family_file)),
        files_(io::open_weights(base_)),
        embedding_(config_.names.weight("embed")),
        head_(config_.names.weight("head")) {
    models::match_weights(config_, files_);
    peft::check_base_copies(adapter_, files_);
    for (const peft::LinearShape& linear : peft::place_in(adapter_, config_).linears)
      modules_[linear.module + ".weight"] = linear.module;
    unties_ = config_.head.tied && modules_.contains(head_);
    check(!unties_ || files_.index.contains(embedding_),
          ErrorCode::kUnsupported,
          base_.string(),
          ": an adapter of a tied head needs ",
          embedding_,
          " among the weights");
  }

  void write(const fs::path& folder) {
    std::map<std::string, std::string> file_of;
    int64_t total_bytes = 0;
    for (const io::SafetensorsFile& file : files_.files) {
      const std::string name = file.path().filename().string();
      const std::vector<io::TensorToWrite> tensors = contents_of(file);
      io::write_safetensors(folder / name, tensors);
      for (const io::TensorToWrite& tensor : tensors) {
        file_of[tensor.name] = name;
        int64_t bytes = size_of(tensor.dtype);
        for (const int64_t dim : tensor.shape) bytes *= dim;
        total_bytes += bytes;
      }
      log::info(name, ": ", tensors.size(), " tensors");
    }
    if (fs::exists(base_ / kIndex)) write_index(folder, file_of, total_bytes);
    copy_other_files(folder);
    write_config(folder);
  }

  /// The written folder must hold what its config.json asks for.
  void verify(const fs::path& folder) const {
    const fs::path config = folder / "config.json";
    models::match_weights(
        models::read_decoder_config(read_file(config), config.string(), "", request_.family_file),
        io::open_weights(folder));
  }

  size_t num_modules() const { return modules_.size(); }

 private:
  DType written_dtype(const io::TensorView& stored) const {
    return request_.dtype == "auto" || !is_floating(stored.dtype) ? stored.dtype
                                                                  : dtype_from_torch(request_.dtype);
  }

  std::vector<io::TensorToWrite> contents_of(const io::SafetensorsFile& file) {
    std::vector<io::TensorToWrite> tensors;
    for (const io::TensorView& stored : file.tensors()) {
      tensors.push_back(entry_of(stored.name, stored, file));
      if (unties_ && stored.name == embedding_ && !files_.index.contains(head_))
        tensors.push_back(entry_of(head_, stored, file));
    }
    return tensors;
  }

  /// A tensor of the output, made when its turn comes.
  io::TensorToWrite entry_of(const std::string& name,
                             const io::TensorView& stored,
                             const io::SafetensorsFile& file) {
    io::TensorToWrite entry{name, written_dtype(stored), stored.shape, nullptr, {}};
    entry.fetch = [this, name, &stored, &file, dtype = entry.dtype]() -> const void* {
      if (last_file_) last_file_->drop_pages(*last_stored_);
      last_file_ = &file;
      last_stored_ = &stored;
      const auto module = modules_.find(name);
      if (module == modules_.end() && dtype == stored.dtype) return stored.data;
      current_ =
          module == modules_.end() ? peft::view_of(stored) : merged(peft::view_of(stored), module->second);
      current_ = current_.to(tensor::to_torch(dtype)).contiguous();
      return current_.const_data_ptr();
    };
    return entry;
  }

  /// [out, in] f32.
  at::Tensor merged(const at::Tensor& weight, const std::string& module) const {
    const at::Tensor a = peft::view_of(adapter_.values(peft::lora_a_name(module))).to(at::kFloat);
    const at::Tensor b = peft::view_of(adapter_.values(peft::lora_b_name(module))).to(at::kFloat);
    return at::mm(b, a).mul_(adapter_.spec.scale).add_(weight);
  }

  void write_index(const fs::path& folder,
                   const std::map<std::string, std::string>& file_of,
                   int64_t total_bytes) const {
    nlohmann::ordered_json index;
    index["metadata"]["total_size"] = total_bytes;
    index["weight_map"] = file_of;
    write_file_atomically(folder / kIndex, index.dump(2) + "\n");
  }

  /// Everything beside the weights; the adapter's tokenizer and template take the base's place.
  void copy_other_files(const fs::path& folder) const {
    constexpr std::array kWeights = {
        ".safetensors", ".bin", ".pt", ".pth", ".h5", ".msgpack", ".gguf", ".onnx"};
    for (const auto& entry : fs::directory_iterator(base_)) {
      const fs::path& file = entry.path();
      const bool is_weights =
          std::find(kWeights.begin(), kWeights.end(), file.extension()) != kWeights.end() ||
          file.filename().string().ends_with(".index.json");
      if (fs::is_regular_file(file) && !is_weights && wanted(file)) copy(file, folder);
    }
    for (const auto& entry : fs::directory_iterator(adapter_.path)) {
      if (is_tokenizer_file(entry.path()) && wanted(entry.path())) copy(entry.path(), folder);
    }
  }

  static void copy(const fs::path& file, const fs::path& folder) {
    write_file_atomically(folder / file.filename(), read_file(file));
  }

  static bool is_tokenizer_file(const fs::path& file) {
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

  bool wanted(const fs::path& file) const { return request_.with_tokenizer || !is_tokenizer_file(file); }

  void write_config(const fs::path& folder) const {
    if (request_.dtype == "auto" && !unties_) return;
    auto config = nlohmann::ordered_json::parse(io::with_tagged_infinities(read_file(base_ / "config.json")));
    if (request_.dtype != "auto") {
      const std::string dtype(torch_name(dtype_from_torch(request_.dtype)));
      const bool old_form = config.contains("torch_dtype");
      if (old_form) config["torch_dtype"] = dtype;
      if (!old_form || config.contains("dtype")) config["dtype"] = dtype;
    }
    if (unties_) {
      config["tie_word_embeddings"] = false;
      log::info("lm_head has an adapter: it is no longer tied to the embedding, which stays as it was");
    }
    write_file_atomically(folder / "config.json", config.dump(2) + "\n");
  }

  const MergeRequest& request_;
  fs::path base_;
  peft::AdapterFolder adapter_;
  models::DecoderConfig config_;
  io::WeightFiles files_;
  std::string embedding_, head_;
  std::map<std::string, std::string> modules_;  ///< weight -> module
  bool unties_ = false;
  at::Tensor current_;  ///< of the tensor being written
  const io::SafetensorsFile* last_file_ = nullptr;
  const io::TensorView* last_stored_ = nullptr;
};

}  // namespace

void merge_adapter(const MergeRequest& request) {
  const fs::path output = fs::path(request.output).lexically_normal();
  check(!fs::exists(output) || (fs::is_directory(output) && fs::is_empty(output)),
        ErrorCode::kData,
        output.string(),
        ": is there already; name a folder that does not exist");
  Merge merge(request);
  Staging staging(output);
  merge.write(staging.path());
  merge.verify(staging.path());
  staging.publish();
  log::info(output.string(), ": ", merge.num_modules(), " linears merged");
}

}  // namespace automodel::checkpoint
