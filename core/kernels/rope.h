#pragma once

#include <cstdint>

#include "core/kernels/element.h"

/// Rotary position embedding in the half-split layout (Su et al. 2021, arXiv:2104.09864; the layout of
/// GPT-NeoX and of Hugging Face's Llama): with h = rotary_dim / 2, dims i and i + h of a head rotate by the
/// angle of (position, i):
///   y[i] = x[i] * cos - x[i + h] * sin;  y[i + h] = x[i + h] * cos + x[i] * sin;  dims from rotary_dim on
///   are copied.
///
/// x  rows of [heads, head_dim], `x_stride` elements from row to row;  y  [rows, heads, head_dim]
/// cos, sin  [positions, h] f32; row r uses position r % positions
/// `sign` +1 rotates; -1 rotates back, which is the backward. T is float or BF16; products are rounded as
/// transformers' are: cos and sin to T, each product to T. Runs on the calling thread over rows [begin, end).
namespace automodel::kernels {

struct RopeShape {
  int64_t positions = 0;
  int64_t heads = 0;
  int64_t head_dim = 0;
  int64_t rotary_dim = 0;
};

template <class T>
void rope(const T* x,
          int64_t x_stride,
          T* y,
          const float* cos,
          const float* sin,
          float sign,
          const RopeShape& shape,
          int64_t begin,
          int64_t end);

}  // namespace automodel::kernels
