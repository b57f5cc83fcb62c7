#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/arch/decoder_config.h"
#include "core/config/recipe/recipe.h"

namespace automodel::peft {

/// A linear of a model, whether it has an adapter or not.
struct LinearShape {
  std::string module;   ///< "model.layers.0.self_attn.q_proj"
  std::string segment;  ///< "layers.0"
  int64_t in = 0;
  int64_t out = 0;
  bool rearranged = false;  ///< files hold its weight transposed or by group
};

/// What a model's adapters are, without their values: y += scale * B(A(x)) on each of `linears`.
struct AdapterSpec {
  int64_t rank = 8;
  double scale = 4;  ///< alpha / rank; alpha / sqrt(rank) of rank-stabilised adapters
  double dropout = 0;
  bool dropout_first = false;
  std::vector<LinearShape> linears;  ///< in the order of the model's definition

  int64_t num_parameters() const;
};

/// Whether both put adapters of the same rank and scale on the same linears.
bool same_adapters(const AdapterSpec& a, const AdapterSpec& b);

/// Names of the two matrices of a linear's adapter.
std::string lora_a_name(const std::string& module);
std::string lora_b_name(const std::string& module);

/// Every linear of a decoder in the order of its definition, its head too, tied or not.
std::vector<LinearShape> linears_of(const arch::DecoderConfig& config);

/// Throws Error(kUnsupported) for a linear whose weight lies rearranged in files: the rows of an adapter's B
/// would have to be rearranged as well.
void check_adaptable(const LinearShape& linear);

/// The adapters that a recipe asks for. Throws Error(kConfig) when its patterns stand for no linear, and as
/// check_adaptable.
AdapterSpec adapter_spec(const config::PeftConfig& peft, const arch::DecoderConfig& config);

}  // namespace automodel::peft
