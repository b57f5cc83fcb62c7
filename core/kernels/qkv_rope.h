#pragma once

#include <cstdint>

#include "core/kernels/element.h"

/// Rotary position embedding of the heads of one attention, in the half-split layout (Su et al. 2021,
/// arXiv:2104.09864; the layout of GPT-NeoX and of Hugging Face's Llama): with h = rotary_dim / 2, dims i and
/// i + h of a head rotate by the angle of (position, i):
///   y[i] = x[i] * cos - x[i + h] * sin;  y[i + h] = x[i + h] * cos + x[i] * sin;  dims from rotary_dim on
///   are copied. Heads of v are copied whole.
///
/// q  rows of [q_heads, head_dim];  k, v  rows of [kv_heads, head_dim];  each with its elements from row to
/// row y  [rows, (q_heads + 2 kv_heads) * head_dim]: q, k, v side by side cos, sin  [positions, h] f32; row r
/// uses position r % positions `sign` +1 rotates; -1 rotates back, which is the backward. Products are
/// rounded as transformers' are: cos and sin to the element type, each product to it.
namespace automodel::kernels {

struct QkvRopeShape {
  int64_t positions = 0;
  int64_t q_heads = 0;
  int64_t kv_heads = 0;  ///< 0: q alone
  int64_t head_dim = 0;
  int64_t rotary_dim = 0;
};

template <class T>
struct HeadRows {
  T* data = nullptr;
  int64_t stride = 0;  ///< elements from row to row
};

/// T is float, BF16 or double. Runs on the calling thread over rows [begin, end).
template <class T>
void qkv_rope(HeadRows<const T> q,
              HeadRows<const T> k,
              HeadRows<const T> v,
              T* y,
              const float* cos,
              const float* sin,
              float sign,
              const QkvRopeShape& shape,
              int64_t begin,
              int64_t end);

/// On the device, asynchronous on `stream` (a cudaStream_t), no workspace.
void qkv_rope_cuda(Element element,
                   HeadRows<const void> q,
                   HeadRows<const void> k,
                   HeadRows<const void> v,
                   void* y,
                   const float* cos,
                   const float* sin,
                   float sign,
                   const QkvRopeShape& shape,
                   int64_t rows,
                   void* stream);

}  // namespace automodel::kernels
