#pragma once

#include <cstdint>

#include "core/kernels/element.h"

/// Depthwise causal convolution over time: y[t, c] = act(bias[c] + sum_k taps[k, c] x[t - (K-1) + k, c]), act
/// SiLU or none. A tap reads x of the token's own document only; before it there are zeros. The short
/// convolution of Mamba (Gu & Dao 2023, arXiv:2312.00752).
///
/// x      [B, T] rows of C channels, x_stride elements from token to token
/// taps   [K, C], bias [C] or null, in Compute<T>
/// first  [B, T]: position of the first token of each token's document; negative: it goes on from `state`.
///        Null: 0 without a state, else negative
/// state  [B, K-1, C], the inputs before the first token; null: none
/// y      [B, T, C]
/// T is float, BF16 or double on the CPU. Deterministic.
namespace automodel::kernels {

struct CausalConvShape {
  int64_t batch = 0;
  int64_t length = 0;
  int64_t channels = 0;
  int64_t kernel = 0;  ///< K
  int64_t x_stride = 0;
  bool silu = true;
};

/// On the calling thread, for tokens [begin, end) of B T.
template <class T>
void causal_conv(const T* x,
                 const Compute<T>* taps,
                 const Compute<T>* bias,
                 const T* state,
                 const int32_t* first,
                 T* y,
                 const CausalConvShape& shape,
                 int64_t begin,
                 int64_t end);

/// Without a state. dx [B, T, C] is overwritten for tokens [begin, end); dtaps [K + 1, C], the bias last, is
/// added to (null: of frozen weights, not formed). scratch [K, C]. Forms the sums under the activation anew.
template <class T>
void causal_conv_backward(const T* dy,
                          const T* x,
                          const Compute<T>* taps,
                          const Compute<T>* bias,
                          const int32_t* first,
                          T* dx,
                          Compute<T>* dtaps,
                          Compute<T>* scratch,
                          const CausalConvShape& shape,
                          int64_t begin,
                          int64_t end);

/// On the device, asynchronous on `stream` (a cudaStream_t); taps and bias f32.
struct CausalConvArgs {
  Element element = Element::kFloat32;
  const void* x = nullptr;
  const float* taps = nullptr;
  const float* bias = nullptr;
  const void* state = nullptr;
  const int32_t* first = nullptr;
  void* y = nullptr;
  CausalConvShape shape{};
  void* stream = nullptr;
};

void causal_conv_cuda(const CausalConvArgs& args);

/// Parts [parts, K + 1, C] of dtaps that causal_conv_backward_cuda fills.
int64_t causal_conv_parts_cuda(const CausalConvShape& shape);

/// dpre [B, T, C] f32 is workspace: the gradient under the activation. dtaps_parts may be null.
struct CausalConvBackwardArgs {
  Element element = Element::kFloat32;
  const void* dy = nullptr;
  const void* x = nullptr;
  const float* taps = nullptr;
  const float* bias = nullptr;
  const int32_t* first = nullptr;
  void* dx = nullptr;
  float* dpre = nullptr;
  float* dtaps_parts = nullptr;
  CausalConvShape shape{};
  void* stream = nullptr;
};

void causal_conv_backward_cuda(const CausalConvBackwardArgs& args);

}  // namespace automodel::kernels
