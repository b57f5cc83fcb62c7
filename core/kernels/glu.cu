#include <algorithm>

#include "core/kernels/activation.cuh"
#include "core/kernels/device.cuh"
#include "core/kernels/glu.h"

namespace automodel::kernels {
namespace {

constexpr int kThreads = 256;

/// n / d for 0 <= n < 2^31 by a multiplication (Granlund & Montgomery 1994; the form is CUTLASS's).
class Divider {
 public:
  explicit Divider(uint32_t d) : divisor_(d) {
    if (d == 1) return;
    uint32_t log = 0;
    while ((uint64_t{1} << log) < d) ++log;
    const uint32_t power = 31 + log;
    multiplier_ = static_cast<uint32_t>(((uint64_t{1} << power) + d - 1) / d);
    shift_ = power - 32;
  }

  __device__ uint32_t quotient(uint32_t n) const {
    return divisor_ == 1 ? n : __umulhi(n, multiplier_) >> shift_;
  }

 private:
  uint32_t divisor_, multiplier_ = 0, shift_ = 0;
};

/// Where vector `i` of the product lies: elements from the beginning of the product and of gate_up.
struct Place {
  int64_t product, gate_up;
};

template <int N>
__device__ Place place(uint32_t i, int64_t width, const Divider& vectors_per_row) {
  const int64_t row = vectors_per_row.quotient(i);
  const int64_t product = static_cast<int64_t>(i) * N;
  return {product, product + row * width};
}

/// One grid of resident blocks walks the vectors; each thread has kFlight of them under way, so that their
/// reads overlap. Nothing is read twice: all accesses are streaming.
constexpr int kFlight = 2;

template <class T, int N, Activation kActivation>
__global__ void __launch_bounds__(kThreads)
    product_kernel(const T* gate_up, T* product, int64_t width, uint32_t vectors, Divider vectors_per_row) {
  using V = Vector<T, N>;
  const uint32_t stride = gridDim.x * kThreads;
  for (uint32_t first = blockIdx.x * kThreads + threadIdx.x; first < vectors; first += kFlight * stride) {
    V g[kFlight], u[kFlight];
    Place at[kFlight];
#pragma unroll
    for (int k = 0; k < kFlight; ++k) {
      if (first + k * stride >= vectors) continue;
      at[k] = place<N>(first + k * stride, width, vectors_per_row);
      g[k] = load_streaming<V>(gate_up + at[k].gate_up);
      u[k] = load_streaming<V>(gate_up + at[k].gate_up + width);
    }
#pragma unroll
    for (int k = 0; k < kFlight; ++k) {
      if (first + k * stride >= vectors) continue;
      for (int j = 0; j < N; ++j) {
        const float value = round_element<T>(activate<kActivation>(load_element(g[k].at[j])).value);
        g[k].at[j] = to_element<T>(value * load_element(u[k].at[j]));
      }
      store_streaming(product + at[k].product, g[k]);
    }
  }
}

/// Gate, up and the gradient of the product of one vector -> gradients of gate and up, and the product anew.
template <class T, int N, Activation kActivation>
__device__ void backward(Vector<T, N>& g, Vector<T, N>& u, Vector<T, N>& d) {
  for (int j = 0; j < N; ++j) {
    const Activated a = activate<kActivation>(load_element(g.at[j]));
    const float value = round_element<T>(a.value);
    const float up = load_element(u.at[j]);
    const float dp = load_element(d.at[j]);
    const float dvalue = round_element<T>(dp * up);
    d.at[j] = to_element<T>(value * up);
    g.at[j] = to_element<T>(dvalue * a.slope);
    u.at[j] = to_element<T>(value * dp);
  }
}

/// kProduct: also forms the product anew.
template <class T, int N, Activation kActivation, bool kProduct>
__global__ void __launch_bounds__(kThreads) backward_kernel(const T* dproduct,
                                                            const T* gate_up,
                                                            T* dgate_up,
                                                            T* product,
                                                            int64_t width,
                                                            uint32_t vectors,
                                                            Divider vectors_per_row) {
  using V = Vector<T, N>;
  const uint32_t stride = gridDim.x * kThreads;
  for (uint32_t first = blockIdx.x * kThreads + threadIdx.x; first < vectors; first += kFlight * stride) {
    V g[kFlight], u[kFlight], d[kFlight];
    Place at[kFlight];
#pragma unroll
    for (int k = 0; k < kFlight; ++k) {
      if (first + k * stride >= vectors) continue;
      at[k] = place<N>(first + k * stride, width, vectors_per_row);
      g[k] = load_streaming<V>(gate_up + at[k].gate_up);
      u[k] = load_streaming<V>(gate_up + at[k].gate_up + width);
      d[k] = load_streaming<V>(dproduct + at[k].product);
    }
#pragma unroll
    for (int k = 0; k < kFlight; ++k) {
      if (first + k * stride >= vectors) continue;
      backward<T, N, kActivation>(g[k], u[k], d[k]);
      store_streaming(dgate_up + at[k].gate_up, g[k]);
      store_streaming(dgate_up + at[k].gate_up + width, u[k]);
      if constexpr (kProduct) store_streaming(product + at[k].product, d[k]);
    }
  }
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
    case Activation::kRelu2:
      return body.template operator()<T, N, Activation::kRelu2>();
    case Activation::kTanh:
      return body.template operator()<T, N, Activation::kTanh>();
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

/// Blocks that fill the device, each thread with kFlight vectors at a time, but no more than there is work
/// for.
unsigned num_blocks(int64_t vectors) {
  constexpr int kBlocksASm = 4;
  int device = 0, sms = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, device);
  const int64_t needed = ceil_div(vectors, int64_t{kThreads} * kFlight);
  return static_cast<unsigned>(std::min<int64_t>(needed, int64_t{sms} * kBlocksASm));
}

/// Vectors of the whole product. Throws Error(kUnsupported) for more than 2^30.
template <int N>
uint32_t num_vectors(int64_t rows, int64_t width) {
  constexpr int64_t kMost = int64_t{1} << 30;
  const int64_t vectors = rows * (width / N);
  check(vectors <= kMost, ErrorCode::kUnsupported, "a gated MLP of ", rows, " x ", width, " on a GPU");
  return static_cast<uint32_t>(vectors);
}

}  // namespace

void glu_cuda(const GluArgs& args) {
  const auto& [element, activation, gate_up, product, rows, width, stream] = args;
  if (rows == 0) return;
  with_variant(element, activation, width, [&]<class T, int N, Activation kActivation>() {
    const uint32_t vectors = num_vectors<N>(rows, width);
    product_kernel<T, N, kActivation>
        <<<num_blocks(vectors), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
            static_cast<const T*>(gate_up),
            static_cast<T*>(product),
            width,
            vectors,
            Divider(static_cast<uint32_t>(width / N)));
  });
  check_launch("glu");
}

void glu_backward_cuda(const GluBackwardArgs& args) {
  const auto& [element, activation, dproduct, gate_up, dgate_up, product, rows, width, stream] = args;
  if (rows == 0) return;
  with_variant(element, activation, width, [&]<class T, int N, Activation kActivation>() {
    const uint32_t vectors = num_vectors<N>(rows, width);
    const auto launch = [&](auto kernel) {
      kernel<<<num_blocks(vectors), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
          static_cast<const T*>(dproduct),
          static_cast<const T*>(gate_up),
          static_cast<T*>(dgate_up),
          static_cast<T*>(product),
          width,
          vectors,
          Divider(static_cast<uint32_t>(width / N)));
    };
    if (product != nullptr) {
      launch(backward_kernel<T, N, kActivation, true>);
    } else {
      launch(backward_kernel<T, N, kActivation, false>);
    }
  });
  check_launch("glu_backward");
}

}  // namespace automodel::kernels
