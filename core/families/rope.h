#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/arch/decoder_config.h"

namespace automodel::families {

/// The rope settings of a config.json, in transformers' words. Unset: as config.json left it.
struct RopeSettings {
  std::string rope_type = "default";  ///< default, linear, dynamic, yarn, longrope, llama3
  double rope_theta = 10000.0;
  int64_t head_dim = 0;
  int64_t max_position_embeddings = 0;
  int64_t original_max_position_embeddings = 0;  ///< yarn, longrope, llama3
  std::optional<double> factor;
  std::optional<double> attention_factor;         ///< yarn, longrope
  std::optional<double> beta_fast, beta_slow;     ///< yarn; 32 and 1 when unset
  std::optional<double> mscale, mscale_all_dim;   ///< yarn
  bool truncate = true;                           ///< yarn
  std::vector<double> short_factor, long_factor;  ///< longrope, head_dim / 2 numbers each
  double low_freq_factor = 1.0;                   ///< llama3
  double high_freq_factor = 4.0;                  ///< llama3
};

/// Reduces settings to numbers, in single precision and in the order of operations of transformers, so that
/// the frequencies differ from its own by at most one unit in the last place (the power function). Sources:
/// Su et al. 2021, arXiv:2104.09864; dynamic NTK and yarn: Peng et al. 2023, arXiv:2309.00071; longrope: Ding
/// et al. 2024, arXiv:2402.13753; llama3: Llama 3.1's model card.
arch::RopeConfig make_rope(const RopeSettings& settings);

/// The frequencies in force for a batch whose longest row has `length` tokens: those of another regime when
/// dynamic or longrope asks for it.
std::vector<double> rope_inv_freq(const arch::RopeConfig& rope, int64_t length);

}  // namespace automodel::families
