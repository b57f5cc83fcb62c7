#include "core/checkpoint/convert.h"

#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/ops/isinf.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/checkpoint/folder.h"
#include "core/checkpoint/hf_folder.h"
#include "core/checkpoint/side_files.h"
#include "core/families/family.h"
#include "core/families/stored_type.h"
#include "core/models/plain_values.h"
#include "core/tensor/dtype.h"

namespace automodel::checkpoint {
namespace fs = std::filesystem;

namespace {

using weights::MatchedWeight;

arch::DecoderConfig config_in(const fs::path& folder, const ConvertRequest& request, bool quiet) {
  const fs::path file = folder / "config.json";
  families::KeyRules rules;
  rules.quiet = quiet;
  rules.ignored = request.ignore_config_keys;
  return families::read_decoder_config(read_file(file), file.string(), "", request.family_file, {}, rules);
}

/// The name of the plain tensor in the source.
std::string plain_name(const MatchedWeight& weight) {
  constexpr std::string_view kBlocks = "_blocks";
  const std::string& name = weight.tensor->name;
  const bool is_mxfp4 = weight.scales && name.ends_with(kBlocks);
  return is_mxfp4 ? name.substr(0, name.size() - kBlocks.size()) : name;
}

/// FP8's scales of a tensor lie beside it.
constexpr std::string_view kScales = "_scale_inv";

/// All tensors of the files, in their order, each with its scales.
class Tensors {
 public:
  Tensors(const arch::DecoderConfig& config, const io::WeightFiles& files)
      : quantization_(config.quantization), files_(files) {
    for (MatchedWeight& weight : weights::match_weights(config, files)) {
      if (weight.scales) scales_.insert(weight.scales->name);
      matched_.emplace(weight.tensor->name, std::move(weight));
    }
  }

  std::vector<MatchedWeight> list() const {
    std::vector<MatchedWeight> all;
    for (const io::SafetensorsFile& file : files_.files) {
      for (const io::TensorView& tensor : file.tensors()) {
        if (is_scales(tensor.name)) continue;
        const auto found = matched_.find(tensor.name);
        all.push_back(found == matched_.end() ? unused(tensor, file) : found->second);
      }
    }
    return all;
  }

 private:
  bool is_scales(const std::string& name) const {
    if (scales_.contains(name)) return true;
    if (!name.ends_with(kScales)) return false;
    const std::string of = name.substr(0, name.size() - kScales.size());
    return files_.index.contains(of) && files_.at(of).dtype == DType::kFloat8E4M3;
  }

  /// A tensor that the model has no use for, such as a layer that predicts a second token.
  MatchedWeight unused(const io::TensorView& tensor, const io::SafetensorsFile& file) const {
    MatchedWeight weight{tensor.name, {tensor.name, tensor.shape, {}}, &tensor, &file};
    const bool in_blocks = quantization_.kind == arch::QuantizationConfig::Kind::kFp8Blocks;
    if (tensor.dtype == DType::kFloat8E4M3 && in_blocks)
      weight.scales = &weights::fp8_scales(tensor.name, files_, quantization_);
    const bool is_quantised = tensor.dtype == DType::kFloat8E4M3 || tensor.dtype == DType::kUInt8;
    check(weight.scales || !is_quantised,
          ErrorCode::kFormat,
          file.path().string(),
          ": tensor \"",
          tensor.name,
          "\" is quantised in a way that is not known here: ",
          safetensors_name(tensor.dtype),
          "; it is no tensor of the model: take it out of the file to convert the rest");
    return weight;
  }

  const arch::QuantizationConfig& quantization_;
  const io::WeightFiles& files_;
  std::map<std::string, MatchedWeight> matched_;
  std::set<std::string> scales_;
};

class Conversion {
 public:
  explicit Conversion(const ConvertRequest& request)
      : request_(request),
        source_(families::find_model(request.source)),
        config_(config_in(source_, request, /*quiet=*/false)),
        files_(io::open_weights(source_)),
        weights_(Tensors(config_, files_).list()) {
    if (!config_.stored_dtype) config_.stored_dtype = families::type_of_weights(source_, files_);
  }

  void write(const fs::path& folder) {
    const std::vector<std::vector<io::TensorToWrite>> shards = split();
    WeightFilesWriter files(folder);
    for (size_t i = 0; i < shards.size(); ++i) {
      const std::string name =
          shards.size() == 1 ? "model.safetensors" : weights_file_name(i + 1, shards.size());
      files.write(name, shards[i]);
      log::info(name, ": ", shards[i].size(), " tensors");
    }
    if (shards.size() > 1) write_file_atomically(folder / kIndexFile, files.index());
    warn_of_left_out(copy_side_files(source_, folder, [](const fs::path&) { return true; }));
    if (request_.dtype == "auto" && !quantised()) return;
    const fs::path config = folder / "config.json";
    write_file_atomically(config, config_of_plain_weights(read_file(config), plain_dtype()));
  }

  /// The written folder must hold what its config.json asks for.
  void verify(const fs::path& folder) const {
    weights::match_weights(config_in(folder, request_, /*quiet=*/true), io::open_weights(folder));
  }

 private:
  bool quantised() const { return config_.quantization.kind != arch::QuantizationConfig::Kind::kNone; }

  /// What is asked for, else what quantised tensors are computed in.
  DType plain_dtype() const {
    return request_.dtype == "auto" ? arch::dtype_in_files(config_) : dtype_from_torch(request_.dtype);
  }

  DType written_dtype(const MatchedWeight& weight) const {
    const DType stored = weight.tensor->dtype;
    if (!weight.scales && (request_.dtype == "auto" || !is_floating(stored))) return stored;
    return weight.is_buffer ? DType::kFloat32 : plain_dtype();
  }

  /// In the order of the source.
  std::vector<std::vector<io::TensorToWrite>> split() {
    std::vector<std::vector<io::TensorToWrite>> shards(1);
    int64_t filled = 0;
    for (const MatchedWeight& weight : weights_) {
      io::TensorToWrite entry{plain_name(weight), written_dtype(weight), weight.place.shape, nullptr, {}};
      entry.fetch = [this, &weight, dtype = entry.dtype] { return values(weight, dtype); };
      const int64_t bytes = size_of(entry.dtype) * weights::num_elements(entry.shape);
      if (filled > 0 && filled + bytes > request_.max_shard_bytes) {
        shards.emplace_back();
        filled = 0;
      }
      filled += bytes;
      shards.back().push_back(std::move(entry));
    }
    return shards;
  }

  /// Valid until the next call.
  const void* values(const MatchedWeight& weight, DType dtype) {
    if (last_) last_->file->drop_pages(*last_->tensor);
    last_ = &weight;
    if (!weight.scales && dtype == weight.tensor->dtype) return weight.tensor->data;
    // float16 is reached through float32, which tells what it cannot hold.
    const DType undone = dtype == DType::kFloat16 ? DType::kFloat32 : dtype;
    const at::Tensor plain = models::plain_values(weight, config_.quantization, tensor::to_torch(undone));
    current_ = plain.to(tensor::to_torch(dtype)).contiguous();
    check(dtype != DType::kFloat16 || at::isinf(current_).equal(at::isinf(plain)),
          ErrorCode::kData,
          weight.file->path().string(),
          ": tensor \"",
          weight.tensor->name,
          "\": a number is beyond 65,504, the largest of float16; use --dtype bfloat16");
    return current_.const_data_ptr();
  }

  const ConvertRequest& request_;
  fs::path source_;
  arch::DecoderConfig config_;
  io::WeightFiles files_;
  std::vector<MatchedWeight> weights_;
  at::Tensor current_;  ///< of the tensor being written
  const MatchedWeight* last_ = nullptr;
};

}  // namespace

void convert_model(const ConvertRequest& request) {
  check(request.max_shard_bytes > 0, ErrorCode::kUsage, "--max-shard-size: expected more than 0 bytes");
  const fs::path output = new_folder(request.output);
  Conversion conversion(request);
  Staging staging(output);
  conversion.write(staging.path());
  conversion.verify(staging.path());
  staging.publish();
}

}  // namespace automodel::checkpoint
