#include "core/arch/decoder_config.h"

#include <algorithm>
#include <limits>

#include "core/base/error.h"

namespace automodel::arch {

bool is_causal(const DecoderConfig& config) {
  return std::ranges::all_of(config.layers, [](const LayerConfig& layer) { return layer.attention.causal; });
}

bool has_dropout(const DecoderConfig& config) {
  return config.embedding.dropout > 0 || std::ranges::any_of(config.layers, [](const LayerConfig& layer) {
           return layer.block.dropout > 0 || layer.attention.dropout > 0;
         });
}

int64_t learned_positions(const DecoderConfig& config) {
  const EmbeddingConfig& embedding = config.embedding;
  if (embedding.num_positions == 0) return std::numeric_limits<int64_t>::max();
  return embedding.num_positions - embedding.position_offset;
}

void check_positions(const DecoderConfig& config, int64_t tokens) {
  check(tokens <= learned_positions(config),
        ErrorCode::kData,
        "a text of ",
        tokens,
        " tokens: the model has learnt ",
        learned_positions(config),
        " positions and knows no others; texts must be shorter (dataset.seq_length in a recipe)");
}

DType dtype_in_files(const DecoderConfig& config) {
  const bool is_mxfp4 = config.quantization.kind == QuantizationConfig::Kind::kMxfp4;
  return config.stored_dtype.value_or(is_mxfp4 ? DType::kBFloat16 : DType::kFloat32);
}

}  // namespace automodel::arch
