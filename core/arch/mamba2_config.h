#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "core/kernels/gated_norm.h"

namespace automodel::arch {

/// Time steps when weights are drawn at random: their logarithms uniform between those of min and max, then
/// at least floor. Gu & Dao 2023, arXiv:2312.00752, section 3.6.
struct FirstSteps {
  double min = 0.001;
  double max = 0.1;
  double floor = 0.0001;
};

/// Mamba-2 (Dao & Gu 2024, arXiv:2405.21060). Its projection gives, side by side: z (H P), x (H P), B (G N),
/// C (G N) and dt (H).
struct Mamba2Config {
  int64_t num_heads = 0;    ///< H
  int64_t head_dim = 0;     ///< P
  int64_t num_groups = 1;   ///< G, of heads that share B and C
  int64_t state_size = 0;   ///< N
  int64_t conv_kernel = 4;  ///< taps of the convolution over x, B and C
  bool conv_bias = true;
  bool in_bias = false;   ///< of the projection
  bool out_bias = false;  ///< of the output projection
  double dt_min = 0.0;    ///< time steps are clamped to [dt_min, dt_max] after softplus
  double dt_max = std::numeric_limits<double>::infinity();
  std::optional<FirstSteps> first_steps;  ///< none: dt_bias begins at one
  bool out_by_depth = false;              ///< the output projection begins smaller the more layers there are
  kernels::GateOrder gate =
      kernels::GateOrder::kGateFirst;  ///< of y by z and the norm between scan and output; kGateOnly: no norm
  int64_t norm_groups = 1;             ///< each normalised by itself
  double norm_eps = 1e-5;
  std::array<double, 5> part_multipliers = {
      1, 1, 1, 1, 1};  ///< of z, x, B, C, dt (Falcon-H1, arXiv:2507.22448)

  int64_t inner_size() const { return num_heads * head_dim; }

  int64_t conv_size() const { return inner_size() + 2 * num_groups * state_size; }
};

}  // namespace automodel::arch
