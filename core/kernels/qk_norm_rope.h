#pragma once

#include <bit>

#include "core/kernels/element.h"
#include "core/kernels/qkv_rope.h"

/// RMSNorm over each head of q and k (Henry et al. 2020, arXiv:2010.04245; Qwen3), then rotary embedding, of
/// a fused projection in one pass: what rms_norm.h and qkv_rope.h compute one after the other, rounded at the
/// same places. Heads of v are copied.
///
/// qkv, y, dqkv [rows, (q_heads + 2 kv_heads) * head_dim]: q, k, v side by side. rstd [rows, q_heads +
/// kv_heads], f32 (f64 of double): written by the forward, read by the backward. cos, sin as in qkv_rope.h;
/// shape.kv_heads > 0. dq, dk, dv: rows of heads, the gradients of y's parts. dq_norm, dk_norm [head_dim] in
/// rstd's type, added to; null: of frozen norms, not formed.
namespace automodel::kernels {

/// The norm of the heads of q, or of k.
template <class T>
struct HeadNorm {
  const T* weight = nullptr;  ///< [head_dim]
  double eps = 1e-6;
  double offset = 0;  ///< added to the weight (rms_norm.h)
};

/// T is float, BF16 or double. Runs on the calling thread over rows [begin, end).
template <class T>
void qk_norm_rope(const T* qkv,
                  const HeadNorm<T>& q_norm,
                  const HeadNorm<T>& k_norm,
                  const float* cos,
                  const float* sin,
                  T* y,
                  Compute<T>* rstd,
                  const QkvRopeShape& shape,
                  int64_t begin,
                  int64_t end);

template <class T>
void qk_norm_rope_backward(HeadRows<const T> dq,
                           HeadRows<const T> dk,
                           HeadRows<const T> dv,
                           const T* qkv,
                           const Compute<T>* rstd,
                           const HeadNorm<T>& q_norm,
                           const HeadNorm<T>& k_norm,
                           const float* cos,
                           const float* sin,
                           T* dqkv,
                           Compute<T>* dq_norm,
                           Compute<T>* dk_norm,
                           const QkvRopeShape& shape,
                           int64_t begin,
                           int64_t end);

/// Whether the device kernels compute these heads: they rotate whole, by halves, and a half is one access of
/// 16 bytes for each of 1, 2, 4, .. 32 threads.
inline bool qk_norm_rope_fits(Element element, const QkvRopeShape& shape) {
  const int64_t half = shape.head_dim / 2;
  const int64_t width = element == Element::kFloat32 ? 4 : 8;
  const int64_t threads = half / width;
  return shape.rotary_dim == shape.head_dim && shape.first_dim == 0 && !shape.interleaved &&
         shape.head_dim % (2 * width) == 0 && threads <= 32 &&
         std::has_single_bit(static_cast<uint64_t>(threads));
}

/// On the device, asynchronous on `stream` (a cudaStream_t); qk_norm_rope_fits, and rows of 16 bytes'
/// alignment.
struct QkNormRopeArgs {
  Element element = Element::kFloat32;
  const void* qkv = nullptr;
  HeadNorm<void> q_norm{};
  HeadNorm<void> k_norm{};
  const float* cos = nullptr;
  const float* sin = nullptr;
  void* y = nullptr;
  float* rstd = nullptr;
  QkvRopeShape shape{};
  int64_t rows = 0;
  void* stream = nullptr;
};

void qk_norm_rope_cuda(const QkNormRopeArgs& args);

/// Rows of `dnorm_parts` [.., 2, head_dim] that the backward fills: the sum over them is that of q's norm,
/// then k's.
int64_t qk_norm_rope_parts_cuda(Element element, const QkvRopeShape& shape, int64_t rows);

/// dnorm_parts is overwritten; null when both norms are frozen. Deterministic.
struct QkNormRopeBackwardArgs {
  Element element = Element::kFloat32;
  HeadRows<const void> dq{};
  HeadRows<const void> dk{};
  HeadRows<const void> dv{};
  const void* qkv = nullptr;
  const float* rstd = nullptr;
  HeadNorm<void> q_norm{};
  HeadNorm<void> k_norm{};
  const float* cos = nullptr;
  const float* sin = nullptr;
  void* dqkv = nullptr;
  float* dnorm_parts = nullptr;
  QkvRopeShape shape{};
  int64_t rows = 0;
  void* stream = nullptr;
};

void qk_norm_rope_backward_cuda(const QkNormRopeBackwardArgs& args);

}  // namespace automodel::kernels
