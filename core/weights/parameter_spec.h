#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace automodel::weights {

/// A strided block of a parameter and the equal block of a tensor in a file; offsets and strides in elements.
struct Block {
  std::vector<int64_t> sizes;
  int64_t offset_here = 0, offset_there = 0;  ///< here: in the parameter, there: in the file's tensor
  std::vector<int64_t> strides_here, strides_there;
};

/// A tensor of a checkpoint and the parts of one parameter that it holds.
struct FileTensor {
  std::string name;  ///< Hugging Face's: model.layers.0.self_attn.q_proj.weight
  std::vector<int64_t> shape;
  std::vector<Block> blocks;  ///< empty: it is the parameter as it stands
};

/// One parameter of a model: what it is to its block, and where checkpoints keep it. Together the blocks of
/// its files cover it once.
struct ParameterSpec {
  enum class Kind {
    kLinear,     ///< [out, in], applied to activations
    kExperts,    ///< [experts, out, in], some of them applied to each token
    kBuffer,     ///< float32 whatever the weights are; never learns
    kEmbedding,  ///< [ids, width], looked up
    kOther,      ///< norms, biases, constants
  };
  enum class Init {
    kNormal,
    kZeros,
    kOnes,
    kLogIndex,        ///< log(1), log(2), ...: A_log of Mamba-2
    kLogUniform,      ///< log of a number in [0.01, 16]: A_log of Qwen3-Next
    kTimeStep,        ///< what softplus makes a time step, drawn as Mamba2Config::first_steps says
    kNormalByDepth,   ///< the normal's deviation over sqrt(2 layers): ends of branches in GPT-2
    kUniformByDepth,  ///< uniform below 1 / sqrt(in layers): ends of Mamba-2's branches in Nemotron-H
  };  ///< when drawn at random

  std::string role;  ///< "attention.q.weight": its place in the block, see docs/model-families.md
  std::string
      name;  ///< Hugging Face's; where files split it, that of the module that holds it in transformers
  std::vector<int64_t> shape;
  Kind kind;
  Init init;
  std::vector<FileTensor> files;
  double active = 1.0;  ///< share that one token passes: top_k / experts
};

/// The parameters of one segment: "embed", "layers.0", ..., "head".
struct SegmentWeights {
  std::string segment;
  std::vector<ParameterSpec> weights;
  std::optional<size_t> layer{};  ///< its place in DecoderConfig::layers; nullopt: embedding or head
};

int64_t num_elements(const std::vector<int64_t>& shape);

}  // namespace automodel::weights
