#include "core/kernels/device.cuh"
#include "core/kernels/gated.h"

namespace automodel::kernels {
namespace {

constexpr int kThreads = 256;

/// An activation's value and slope at x.
struct Activated {
  float value;
  float slope;
};

template <Activation kActivation>
__device__ Activated activate(float x) {
  if constexpr (kActivation == Activation::kSilu) {
    const float s = __fdividef(1.0f, 1.0f + __expf(-x));
    return {x * s, s * (1.0f + x * (1.0f - s))};
  } else if constexpr (kActivation == Activation::kGelu) {
    constexpr float kInvSqrt2 = 0.70710678118654752f;
    constexpr float kInvSqrt2Pi = 0.39894228040143268f;
    const float cdf = 0.5f * (1.0f + erff(x * kInvSqrt2));
    return {x * cdf, cdf + x * kInvSqrt2Pi * __expf(-0.5f * x * x)};
  } else if constexpr (kActivation == Activation::kGeluTanh) {
    constexpr float kBeta = 0.79788456080286536f;
    constexpr float kKappa = 0.044715f;
    const float t = tanhf(kBeta * (x + kKappa * x * x * x));
    const float inner_slope = kBeta * (1.0f + 3.0f * kKappa * x * x);
    return {0.5f * x * (1.0f + t), 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * inner_slope};
  } else {
    return {x > 0 ? x : 0.0f, x > 0 ? 1.0f : 0.0f};
  }
}

/// Block (row, slice of columns): no division by the width.
template <class T, int N, Activation kActivation>
__global__ void product_kernel(const T* gate_up, T* product, int64_t width) {
  using V = Vector<T, N>;
  const int64_t row = blockIdx.x;
  const int64_t column = (static_cast<int64_t>(blockIdx.y) * kThreads + threadIdx.x) * N;
  if (column >= width) return;
  const T* gate = gate_up + row * 2 * width + column;
  V g = *reinterpret_cast<const V*>(gate);
  const V u = *reinterpret_cast<const V*>(gate + width);
  for (int j = 0; j < N; ++j) {
    const float value = round_element<T>(activate<kActivation>(load_element(g.at[j])).value);
    g.at[j] = to_element<T>(value * load_element(u.at[j]));
  }
  *reinterpret_cast<V*>(product + row * width + column) = g;
}

/// Also forms the product anew unless `product` is null.
template <class T, int N, Activation kActivation>
__global__ void backward_kernel(const T* dproduct, const T* gate_up, T* dgate_up, T* product, int64_t width) {
  using V = Vector<T, N>;
  const int64_t row = blockIdx.x;
  const int64_t column = (static_cast<int64_t>(blockIdx.y) * kThreads + threadIdx.x) * N;
  if (column >= width) return;
  const int64_t offset = row * 2 * width + column;
  V g = *reinterpret_cast<const V*>(gate_up + offset);
  V u = *reinterpret_cast<const V*>(gate_up + offset + width);
  const V d = *reinterpret_cast<const V*>(dproduct + row * width + column);
  V p;
  for (int j = 0; j < N; ++j) {
    const Activated a = activate<kActivation>(load_element(g.at[j]));
    const float value = round_element<T>(a.value);
    const float up = load_element(u.at[j]);
    const float dp = load_element(d.at[j]);
    const float dvalue = round_element<T>(dp * up);
    p.at[j] = to_element<T>(value * up);
    g.at[j] = to_element<T>(dvalue * a.slope);
    u.at[j] = to_element<T>(value * dp);
  }
  *reinterpret_cast<V*>(dgate_up + offset) = g;
  *reinterpret_cast<V*>(dgate_up + offset + width) = u;
  if (product != nullptr) *reinterpret_cast<V*>(product + row * width + column) = p;
}

/// Calls body.template operator()<T, N, kActivation>().
template <class T, int N, class Body>
void with_activation(Activation activation, Body body) {
  switch (activation) {
    case Activation::kSilu:
      return body.template operator()<T, N, Activation::kSilu>();
    case Activation::kGelu:
      return body.template operator()<T, N, Activation::kGelu>();
    case Activation::kGeluTanh:
      return body.template operator()<T, N, Activation::kGeluTanh>();
    case Activation::kRelu:
      return body.template operator()<T, N, Activation::kRelu>();
  }
}

template <class Body>
void with_variant(Element element, Activation activation, int64_t width, Body body) {
  with_device_element(element, [&]<class T>(T) {
    if (width % kVectorWidth<T> == 0) {
      with_activation<T, kVectorWidth<T>>(activation, body);
    } else {
      with_activation<T, 1>(activation, body);
    }
  });
}

template <int N>
dim3 grid(int64_t rows, int64_t width) {
  return {static_cast<unsigned>(rows), static_cast<unsigned>(ceil_div(width, int64_t{kThreads} * N))};
}

}  // namespace

void gated_product_cuda(Element element,
                        Activation activation,
                        const void* gate_up,
                        void* product,
                        int64_t rows,
                        int64_t width,
                        void* stream) {
  if (rows == 0) return;
  with_variant(element, activation, width, [&]<class T, int N, Activation kActivation>() {
    product_kernel<T, N, kActivation>
        <<<grid<N>(rows, width), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
            static_cast<const T*>(gate_up), static_cast<T*>(product), width);
  });
  check_launch("gated_product");
}

void gated_product_backward_cuda(Element element,
                                 Activation activation,
                                 const void* dproduct,
                                 const void* gate_up,
                                 void* dgate_up,
                                 void* product,
                                 int64_t rows,
                                 int64_t width,
                                 void* stream) {
  if (rows == 0) return;
  with_variant(element, activation, width, [&]<class T, int N, Activation kActivation>() {
    backward_kernel<T, N, kActivation>
        <<<grid<N>(rows, width), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
            static_cast<const T*>(dproduct),
            static_cast<const T*>(gate_up),
            static_cast<T*>(dgate_up),
            static_cast<T*>(product),
            width);
  });
  check_launch("gated_product_backward");
}

}  // namespace automodel::kernels
