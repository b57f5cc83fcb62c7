#include "core/weights/match_weights.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/weights/parameters.h"

namespace automodel::weights {
namespace {

/// '*' stands for any text without a dot, '**' at the end for any text.
bool matches(const std::string& pattern, const std::string& name) {
  if (pattern.ends_with("**")) return name.starts_with(pattern.substr(0, pattern.size() - 2));
  const std::vector<std::string> wanted = split(pattern, '.'), parts = split(name, '.');
  if (wanted.size() != parts.size()) return false;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (wanted[i] != "*" && wanted[i] != parts[i]) return false;
  }
  return true;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::vector<std::string> dims;
  for (const int64_t dim : shape) dims.push_back(std::to_string(dim));
  return "[" + join(dims, ", ") + "]";
}

bool floating(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kBFloat16 || dtype == DType::kFloat16 ||
         dtype == DType::kFloat64;
}

/// The start of a message about a tensor.
std::string where(const std::string& name, const io::WeightFiles& files) {
  const io::SafetensorsFile& file = files.files[files.index.at(name).first];
  return detail::join(file.path().string(), ": tensor \"", name, "\": ");
}

class Matcher {
 public:
  Matcher(const arch::DecoderConfig& config, const io::WeightFiles& files)
      : config_(config),
        files_(files),
        embedding_(config.names.weight("embed")),
        head_(config.names.weight("head")) {}

  std::vector<MatchedWeight> match() {
    std::vector<MatchedWeight> matched;
    for (const SegmentWeights& segment : model_weights(config_)) {
      for (const ParameterSpec& spec : segment.weights) {
        for (const FileTensor& file : spec.files) {
          matched.push_back(find(spec.name, file));
          matched.back().is_buffer = spec.kind == ParameterSpec::Kind::kBuffer;
          known_.push_back(file.name);
        }
      }
    }
    if (predicts_tokens(config_) && config_.head.tied) check_tied_head();
    refuse_unexpected();
    return matched;
  }

 private:
  /// A checkpoint of the base model alone has names without its prefix; older files may end them otherwise.
  std::string name_in_files(const std::string& name) const {
    std::vector<std::string> candidates = {name};
    const std::string prefix = config_.names.prefix + ".";
    if (name.starts_with(prefix)) candidates.push_back(name.substr(prefix.size()));
    for (const auto& [end, older] : config_.names.older) {
      if (!name.ends_with(end)) continue;
      for (size_t i = 0, known = candidates.size(); i < known; ++i)
        candidates.push_back(candidates[i].substr(0, candidates[i].size() - end.size()) + older);
    }
    for (const std::string& candidate : candidates) {
      if (files_.index.contains(candidate)) return candidate;
    }
    return name;
  }

  const io::SafetensorsFile& file_of(const std::string& name) const {
    return files_.files[files_.index.at(name).first];
  }

  std::string where(const std::string& name) const { return weights::where(name, files_); }

  MatchedWeight find(const std::string& parameter, const FileTensor& place) {
    std::string name = name_in_files(place.name);
    if (place.name == embedding_ && config_.head.tied && !files_.index.contains(name)) name = head_;
    if (config_.quantization.kind == arch::QuantizationConfig::Kind::kMxfp4 &&
        files_.index.contains(name + "_blocks"))
      return find_mxfp4(parameter, place, name);
    check(files_.index.contains(name),
          ErrorCode::kFormat,
          files_.files[0].path().parent_path().string(),
          ": tensor \"",
          place.name,
          "\" is missing; expected shape ",
          shape_text(place.shape),
          " by config.json (",
          config_.architecture,
          ")");
    const io::TensorView& tensor = expect(name, place.shape);
    if (tensor.dtype == DType::kFloat8E4M3 &&
        config_.quantization.kind == arch::QuantizationConfig::Kind::kFp8Blocks)
      return find_fp8(parameter, place, name);
    check(floating(tensor.dtype),
          ErrorCode::kFormat,
          where(name),
          "expected F32, BF16 or F16, found ",
          safetensors_name(tensor.dtype),
          "; config.json has no quantization_config that says how to read it");
    return {parameter, place, &tensor, &file_of(name)};
  }

  /// The tensor, which must have this shape.
  const io::TensorView& expect(const std::string& name, const std::vector<int64_t>& shape) {
    check(files_.index.contains(name),
          ErrorCode::kFormat,
          files_.files[0].path().parent_path().string(),
          ": tensor \"",
          name,
          "\" is missing; expected shape ",
          shape_text(shape),
          " by quantization_config");
    const io::TensorView& tensor = files_.at(name);
    check(tensor.shape == shape,
          ErrorCode::kFormat,
          where(name),
          "expected shape ",
          shape_text(shape),
          " by config.json, found ",
          shape_text(tensor.shape));
    seen_.insert(name);
    return tensor;
  }

  MatchedWeight find_fp8(const std::string& parameter, const FileTensor& place, const std::string& name) {
    const io::TensorView& scales = fp8_scales(name, files_, config_.quantization);
    seen_.insert(scales.name);
    return {parameter, place, &files_.at(name), &file_of(name), &scales};
  }

  /// The last two dims of the plain tensor are exchanged in the file, the last one in blocks of 32.
  MatchedWeight find_mxfp4(const std::string& parameter, const FileTensor& place, const std::string& name) {
    constexpr int64_t kBlock = 32;
    check(place.shape.size() == 3 && place.shape[1] % kBlock == 0,
          ErrorCode::kFormat,
          where(name + "_blocks"),
          "MXFP4 is read for stacked experts whose width is a multiple of ",
          kBlock);
    const std::vector<int64_t> scale_shape = {place.shape[0], place.shape[2], place.shape[1] / kBlock};
    std::vector<int64_t> block_shape = scale_shape;
    block_shape.push_back(kBlock / 2);
    const io::TensorView& blocks = expect(name + "_blocks", block_shape);
    const io::TensorView& scales = expect(name + "_scales", scale_shape);
    check(blocks.dtype == DType::kUInt8 && scales.dtype == DType::kUInt8,
          ErrorCode::kFormat,
          where(blocks.name),
          "expected bytes (U8)");
    return {parameter, place, &blocks, &file_of(blocks.name), &scales};
  }

  void check_tied_head() {
    if (!files_.index.contains(head_) || !seen_.insert(head_).second) return;
    const io::TensorView& head = files_.at(head_);
    const io::TensorView& embedding = files_.at(name_in_files(embedding_));
    const bool equal = head.dtype == embedding.dtype && head.shape == embedding.shape &&
                       std::memcmp(head.data, embedding.data, static_cast<size_t>(head.size_bytes)) == 0;
    check(equal,
          ErrorCode::kFormat,
          where(head_),
          "differs from ",
          embedding_,
          " although config.json says tie_word_embeddings; set it to false to keep both");
  }

  bool is_ignored(const std::string& name) const {
    const std::string whole = config_.names.prefix + "." + name;
    return std::ranges::any_of(config_.names.ignored, [&](const std::string& pattern) {
      return matches(pattern, name) || matches(pattern, whole);
    });
  }

  /// What nobody reads is told, or refused.
  void refuse_unexpected() const {
    std::vector<std::string> ignored;
    for (const auto& [name, place] : files_.index) {
      if (seen_.contains(name)) continue;
      if (is_ignored(name)) {
        ignored.push_back(name);
        continue;
      }
      const std::string nearest = nearest_name(name, known_);
      fail(ErrorCode::kFormat,
           where(name),
           "unexpected: ",
           config_.architecture,
           " with this config.json has none",
           nearest.empty() ? "" : "; nearest: " + nearest);
    }
    if (ignored.empty()) return;
    const size_t shown = std::min<size_t>(ignored.size(), 3);
    log::info(files_.files[0].path().parent_path().string(),
              ": tensors that this model has no use for, not read: ",
              ignored.size(),
              " (",
              join({ignored.begin(), ignored.begin() + static_cast<std::ptrdiff_t>(shown)}, ", "),
              ignored.size() > shown ? ", ...)" : ")");
  }

  const arch::DecoderConfig& config_;
  const io::WeightFiles& files_;
  std::string embedding_, head_;
  std::set<std::string> seen_;
  std::vector<std::string> known_;
};

}  // namespace

const io::TensorView& fp8_scales(const std::string& name,
                                 const io::WeightFiles& files,
                                 const arch::QuantizationConfig& blocks) {
  const std::vector<int64_t>& shape = files.at(name).shape;
  check(shape.size() == 2, ErrorCode::kFormat, where(name, files), "FP8 blocks are read for matrices only");
  const std::string of = name + "_scale_inv";
  check(files.index.contains(of), ErrorCode::kFormat, where(name, files), "has no scales, ", of);
  const auto whole = [](int64_t size, int64_t block) { return (size + block - 1) / block; };
  const std::vector<int64_t> expected = {whole(shape[0], blocks.block_rows),
                                         whole(shape[1], blocks.block_columns)};
  const io::TensorView& scales = files.at(of);
  check(scales.shape == expected && floating(scales.dtype),
        ErrorCode::kFormat,
        where(of, files),
        "expected ",
        shape_text(expected),
        " floating numbers by quantization_config, found ",
        shape_text(scales.shape),
        " of ",
        safetensors_name(scales.dtype));
  return scales;
}

std::vector<MatchedWeight> match_weights(const arch::DecoderConfig& config, const io::WeightFiles& files) {
  check(!files.files.empty(), ErrorCode::kInvalidArgument, "match_weights: no files");
  return Matcher(config, files).match();
}

}  // namespace automodel::weights
