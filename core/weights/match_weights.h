#pragma once

#include <string>
#include <vector>

#include "core/arch/decoder_config.h"
#include "core/io/safetensors.h"
#include "core/weights/parameter_spec.h"

namespace automodel::weights {

/// One tensor of the files and the part of a parameter that it holds.
struct MatchedWeight {
  std::string parameter;
  FileTensor place;
  const io::TensorView* tensor;  ///< valid as long as the files
  const io::SafetensorsFile* file;
  const io::TensorView* scales =
      nullptr;             ///< of a quantised tensor, in `file` or another; null: plain numbers
  bool is_buffer = false;  ///< float32 whatever the weights are
};

/// Finds every parameter of the model in the files, in the order of model_weights, and accounts for every
/// tensor there. A tied head that the files hold as well must equal the embedding byte for byte; when only
/// the head is there, the embedding takes its place, as in transformers. Throws Error(kFormat) naming file
/// and tensor for one that is missing, unexpected, of another shape or not of a floating type
/// (quantised ones where config.quantization says so).
std::vector<MatchedWeight> match_weights(const arch::DecoderConfig& config, const io::WeightFiles& files);

/// NAME_scale_inv, the scales of the blocks of the FP8 matrix NAME in the files. Throws Error(kFormat) when
/// they are missing or of another number than the matrix and the size of a block ask for.
const io::TensorView& fp8_scales(const std::string& name,
                                 const io::WeightFiles& files,
                                 const arch::QuantizationConfig& blocks);

}  // namespace automodel::weights
