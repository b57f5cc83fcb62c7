#pragma once

#include <cstdint>

namespace automodel::arch {

/// Gated DeltaNet (Yang et al. 2024, arXiv:2412.06464), as in Qwen3-Next. Its projection gives, side by side:
/// queries (G K), keys (G K), values (H V), z (H V), b (H) and a (H).
struct DeltaNetConfig {
  int64_t num_key_heads = 0;    ///< G
  int64_t num_value_heads = 0;  ///< H, a multiple of G
  int64_t key_head_dim = 0;     ///< K
  int64_t value_head_dim = 0;   ///< V
  int64_t conv_kernel = 4;      ///< taps of the convolution over queries, keys and values
  double norm_eps = 1e-6;

  int64_t key_size() const { return num_key_heads * key_head_dim; }

  int64_t value_size() const { return num_value_heads * value_head_dim; }

  int64_t conv_size() const { return 2 * key_size() + value_size(); }
};

}  // namespace automodel::arch
