#pragma once

#include <cstdint>

#include "core/kernels/element.h"

/// Rotary position embedding of the heads of one attention (Su et al. 2021, arXiv:2104.09864). With h =
/// rotary_dim / 2, the pair of dims (a, b) rotates by the angle of (position, i), i in [0, h):
///   y[a] = x[a] * cos - x[b] * sin;  y[b] = x[b] * cos + x[a] * sin
/// where, counted from first_dim, a = i, b = i + h (halves: GPT-NeoX, Hugging Face's Llama) or a = 2 i, b = 2
/// i + 1 (interleaved: GPT-J, GLM, Cohere, DeepSeek). Dims outside [first_dim, first_dim + rotary_dim) and
/// heads of v are copied.
///
/// q           rows of [q_heads, head_dim]
/// k, v        rows of [kv_heads, head_dim]; each with its elements from row to row
/// y           [rows, (q_heads + 2 kv_heads) * head_dim]: q, k, v side by side
/// cos, sin    [positions, h] f32; row r uses position r % positions
///
/// `sign` +1 rotates; -1 rotates back, which is the backward. Halves: products are rounded as transformers'
/// are, cos and sin to the element type, each product to it. Interleaved pairs are computed in f32, as its
/// Llama 4, Cohere and DeepSeek-V2 do.
namespace automodel::kernels {

struct QkvRopeShape {
  int64_t positions = 0;
  int64_t q_heads = 0;
  int64_t kv_heads = 0;  ///< 0: q alone
  int64_t head_dim = 0;
  int64_t rotary_dim = 0;
  int64_t first_dim = 0;  ///< of the rotating ones
  bool interleaved = false;
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
struct QkvRopeArgs {
  Element element = Element::kFloat32;
  HeadRows<const void> q{};
  HeadRows<const void> k{};
  HeadRows<const void> v{};
  void* y = nullptr;
  const float* cos = nullptr;
  const float* sin = nullptr;
  float sign = 0;
  QkvRopeShape shape{};
  int64_t rows = 0;
  void* stream = nullptr;
};

void qkv_rope_cuda(const QkvRopeArgs& args);

}  // namespace automodel::kernels
