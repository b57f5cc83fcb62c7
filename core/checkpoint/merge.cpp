#include "core/checkpoint/merge.h"

#include <algorithm>
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
#include "core/checkpoint/hf_folder.h"
#include "core/checkpoint/side_files.h"
#include "core/families/family.h"
#include "core/io/json.h"
#include "core/peft/adapter_files.h"
#include "core/tensor/dtype.h"
#include "core/weights/match_weights.h"

namespace automodel::checkpoint {
namespace fs = std::filesystem;

namespace {

class Merge {
 public:
  explicit Merge(const MergeRequest& request)
      : request_(request),
        base_(families::find_model_folder(request.base)),
        adapter_(peft::read_adapter(request.adapter)),
        config_(config_in(base_, /*quiet=*/false)),
        files_(io::open_weights(base_)),
        embedding_(config_.names.weight("embed")),
        head_(config_.names.weight("head")) {
    check(
        config_.quantization.kind == arch::QuantizationConfig::Kind::kNone,
        ErrorCode::kUnsupported,
        base_.string(),
        ": the base's weights are quantised; make them plain with `automodel checkpoint convert` and merge into that");
    weights::match_weights(config_, files_);
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
    WeightFilesWriter writer(folder);
    for (const io::SafetensorsFile& file : files_.files) {
      const std::string name = file.path().filename().string();
      const std::vector<io::TensorToWrite> tensors = contents_of(file);
      writer.write(name, tensors);
      log::info(name, ": ", tensors.size(), " tensors");
    }
    if (fs::exists(base_ / kIndexFile)) write_file_atomically(folder / kIndexFile, writer.index());
    copy_other_files(folder);
    write_config(folder);
  }

  /// The written folder must hold what its config.json asks for.
  void verify(const fs::path& folder) const {
    weights::match_weights(config_in(folder, /*quiet=*/true), io::open_weights(folder));
  }

  size_t num_modules() const { return modules_.size(); }

 private:
  arch::DecoderConfig config_in(const fs::path& folder, bool quiet) const {
    const fs::path file = folder / "config.json";
    families::KeyRules rules;
    rules.quiet = quiet;
    rules.ignored = request_.ignore_config_keys;
    return families::read_decoder_config(read_file(file), file.string(), "", request_.family_file, {}, rules);
  }

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

  /// Everything beside the weights; the adapter's tokenizer and template take the base's place.
  void copy_other_files(const fs::path& folder) const {
    warn_of_left_out(copy_side_files(base_, folder, [this](const fs::path& file) { return wanted(file); }));
    copy_side_files(adapter_.path, folder, [this](const fs::path& file) {
      return is_tokenizer_file(file) && wanted(file);
    });
  }

  bool wanted(const fs::path& file) const { return request_.with_tokenizer || !is_tokenizer_file(file); }

  void write_config(const fs::path& folder) const {
    if (request_.dtype == "auto" && !unties_) return;
    const std::string text = read_file(base_ / "config.json");
    auto config = nlohmann::ordered_json::parse(
        request_.dtype == "auto" ? io::with_tagged_infinities(text)
                                 : config_of_plain_weights(text, dtype_from_torch(request_.dtype)));
    if (unties_) {
      config["tie_word_embeddings"] = false;
      log::info("lm_head has an adapter: it is no longer tied to the embedding, which stays as it was");
    }
    write_file_atomically(folder / "config.json", config.dump(2) + "\n");
  }

  const MergeRequest& request_;
  fs::path base_;
  peft::AdapterFolder adapter_;
  arch::DecoderConfig config_;
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
  const fs::path output = new_folder(request.output);
  Merge merge(request);
  Staging staging(output);
  merge.write(staging.path());
  merge.verify(staging.path());
  staging.publish();
  log::info(output.string(), ": ", merge.num_modules(), " linears merged");
}

}  // namespace automodel::checkpoint
