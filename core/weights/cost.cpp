#include "core/weights/cost.h"

#include <cmath>

#include "core/base/error.h"
#include "core/weights/model_block.h"
#include "core/weights/parameters.h"

namespace automodel::weights {
namespace {

/// FP8: every matrix in a layer but the router's. MXFP4: the matrices of the experts.
bool is_quantized(const ParameterSpec& weight, arch::QuantizationConfig::Kind kind) {
  switch (kind) {
    case arch::QuantizationConfig::Kind::kNone:
      return false;
    case arch::QuantizationConfig::Kind::kFp8Blocks: {
      const Part part = part_of(weight.role);
      const bool is_matrix =
          weight.kind == ParameterSpec::Kind::kLinear || weight.kind == ParameterSpec::Kind::kExperts;
      return is_matrix && part != Part::kHead && part != Part::kRouter;
    }
    case arch::QuantizationConfig::Kind::kMxfp4:
      return weight.kind == ParameterSpec::Kind::kExperts;
  }
  fail(ErrorCode::kInternal, "quantization kind ", static_cast<int>(kind));
}

int64_t file_bytes(const ParameterSpec& weight, const arch::DecoderConfig& config) {
  constexpr int64_t kFloat = sizeof(float);
  const int64_t size = num_elements(weight.shape);
  const arch::QuantizationConfig& quantization = config.quantization;
  if (weight.kind == ParameterSpec::Kind::kBuffer) return size * kFloat;
  if (!is_quantized(weight, quantization.kind)) return size * size_of(dtype_in_files(config));
  if (quantization.kind == arch::QuantizationConfig::Kind::kMxfp4) return size / 2 + size / 32;
  const auto blocks = [](int64_t length, int64_t block) { return (length + block - 1) / block; };
  int64_t scales = 0;
  for (const FileTensor& file : weight.files)
    scales += blocks(file.shape.at(file.shape.size() - 2), quantization.block_rows) *
              blocks(file.shape.back(), quantization.block_columns);
  return size + scales * kFloat;
}

}  // namespace

Cost cost_of(const arch::DecoderConfig& config) {
  Cost cost;
  double active = 0;
  const bool shares_table = predicts_tokens(config) && config.head.tied;
  double in_matmuls = shares_table ? static_cast<double>(config.vocab_size * config.hidden_size) : 0.0;
  for (const SegmentWeights& segment : model_weights(config)) {
    for (const ParameterSpec& weight : segment.weights) {
      cost.file_bytes += file_bytes(weight, config);
      if (weight.kind == ParameterSpec::Kind::kBuffer) continue;
      const int64_t size = num_elements(weight.shape);
      const double passed = weight.active * static_cast<double>(size);
      cost.parameters += size;
      active += passed;
      PartSize& part = cost.parts.at(static_cast<size_t>(part_of(weight.role)));
      part.parameters += size;
      part.active += passed;
      if (weight.kind == ParameterSpec::Kind::kLinear || weight.kind == ParameterSpec::Kind::kExperts)
        in_matmuls += passed;
    }
  }
  cost.active_parameters = static_cast<int64_t>(std::llround(active));
  cost.flops = 6.0 * in_matmuls;
  for (const arch::LayerConfig& layer : config.layers) {
    for (const arch::MixerKind mixer : layer.mixers) {
      if (const auto add = block_of(mixer).add_cost) add(cost, layer);
    }
  }
  return cost;
}

}  // namespace automodel::weights
