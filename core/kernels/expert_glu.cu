#include <type_traits>

#include "core/kernels/activation.cuh"
#include "core/kernels/device.cuh"
#include "core/kernels/expert_glu.h"

namespace automodel::kernels {
namespace {

constexpr int kThreads = 128;

/// The product at gate g and up u, and what its gradient is multiplied by for each of them.
struct Parts {
  float product, by_gate, by_up;
};

/// act(g) * u; the activated gate is rounded as it would be stored.
template <class T, Activation kActivation>
struct PlainGate {
  static constexpr int kParts = 2;

  __device__ Parts operator()(float g, float u) const {
    const Activated a = activate<kActivation>(g);
    const float value = round_element<T>(a.value);
    return {value * u, u * a.slope, value};
  }
};

/// GPT-OSS's.
struct ClampedGate {
  static constexpr int kParts = 2;

  float limit, alpha;

  __device__ Parts operator()(float g, float u) const {
    const float gate = fminf(g, limit);
    const float up = fminf(fmaxf(u, -limit), limit) + 1.0f;
    const float s = 1.0f / (1.0f + __expf(-alpha * gate));
    return {gate * s * up,
            g <= limit ? up * s * (1.0f + alpha * gate * (1.0f - s)) : 0.0f,
            fabsf(u) <= limit ? gate * s : 0.0f};
  }
};

/// act(u); there is no g.
template <Activation kActivation>
struct NoGate {
  static constexpr int kParts = 1;

  __device__ Parts operator()(float, float u) const {
    const Activated a = activate<kActivation>(u);
    return {a.value, 0.0f, a.slope};
  }
};

/// A block a row.
template <class T, int N, class Gate>
__global__ void __launch_bounds__(kThreads)
    product_kernel(Gate gate, const T* gate_up, T* product, int64_t width) {
  using V = Vector<T, N>;
  const T* gates = gate_up + static_cast<int64_t>(blockIdx.x) * Gate::kParts * width;
  const T* ups = gates + (Gate::kParts - 1) * width;
  T* out = product + static_cast<int64_t>(blockIdx.x) * width;
  for (int64_t i = threadIdx.x * N; i < width; i += kThreads * N) {
    const V g = *reinterpret_cast<const V*>(gates + i), u = *reinterpret_cast<const V*>(ups + i);
    V p;
#pragma unroll
    for (int j = 0; j < N; ++j)
      p.at[j] = to_element<T>(gate(load_element(g.at[j]), load_element(u.at[j])).product);
    *reinterpret_cast<V*>(out + i) = p;
  }
}

template <class T, int N, class Gate>
__global__ void __launch_bounds__(kThreads) backward_kernel(Gate gate,
                                                            const T* dproduct,
                                                            const T* gate_up,
                                                            const float* weights,
                                                            T* product,
                                                            T* dgate_up,
                                                            float* dweights,
                                                            int64_t width) {
  using V = Vector<T, N>;
  __shared__ float shared[kThreads / kWarp];
  const int64_t row = blockIdx.x;
  const float weight = weights ? weights[row] : 1.0f;
  const T* gates = gate_up + row * Gate::kParts * width;
  const T* ups = gates + (Gate::kParts - 1) * width;
  T* dgates = dgate_up + row * Gate::kParts * width;
  float dweight = 0;
  for (int64_t i = threadIdx.x * N; i < width; i += kThreads * N) {
    const V g = *reinterpret_cast<const V*>(gates + i), u = *reinterpret_cast<const V*>(ups + i);
    const V d = *reinterpret_cast<const V*>(dproduct + row * width + i);
    V p, dg, du;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const Parts parts = gate(load_element(g.at[j]), load_element(u.at[j]));
      const float plain = load_element(d.at[j]);
      dweight += plain * parts.product;
      p.at[j] = to_element<T>(weight * parts.product);
      dg.at[j] = to_element<T>(weight * plain * parts.by_gate);
      du.at[j] = to_element<T>(weight * plain * parts.by_up);
    }
    *reinterpret_cast<V*>(product + row * width + i) = p;
    if constexpr (Gate::kParts == 2) *reinterpret_cast<V*>(dgates + i) = dg;
    *reinterpret_cast<V*>(dgates + (Gate::kParts - 1) * width + i) = du;
  }
  dweight = row_sum(dweight, shared);
  if (threadIdx.x == 0) dweights[row] = dweight;
}

/// Calls body of the activation as a type.
template <class Body>
void with_activation(Activation activation, Body body) {
  switch (activation) {
    case Activation::kSilu:
      return body(std::integral_constant<Activation, Activation::kSilu>());
    case Activation::kGelu:
      return body(std::integral_constant<Activation, Activation::kGelu>());
    case Activation::kGeluTanh:
      return body(std::integral_constant<Activation, Activation::kGeluTanh>());
    case Activation::kRelu:
      return body(std::integral_constant<Activation, Activation::kRelu>());
    case Activation::kRelu2:
      return body(std::integral_constant<Activation, Activation::kRelu2>());
    case Activation::kTanh:
      return body(std::integral_constant<Activation, Activation::kTanh>());
  }
}

/// Calls body(T{}, gate) for the element type and the kind of gate.
template <class Body>
void with_gate(Element element, const ExpertGlu& gate, Body body) {
  with_device_element(element, [&]<class T>(T t) {
    if (gate.gated && gate.limit > 0)
      return body(t, ClampedGate{static_cast<float>(gate.limit), static_cast<float>(gate.alpha)});
    with_activation(gate.activation,
                    [&]<Activation kActivation>(std::integral_constant<Activation, kActivation>) {
                      gate.gated ? body(t, PlainGate<T, kActivation>{}) : body(t, NoGate<kActivation>{});
                    });
  });
}

}  // namespace

void expert_glu_cuda(const ExpertGluArgs& args) {
  const auto& [element, gate, gate_up, product, rows, width, stream] = args;
  if (rows == 0) return;
  const auto blocks = static_cast<unsigned>(rows);
  auto* const on = static_cast<cudaStream_t>(stream);
  with_gate(element, gate, [&]<class T, class Gate>(T, Gate kind) {
    const T* in = static_cast<const T*>(gate_up);
    T* out = static_cast<T*>(product);
    if (is_vectorizable<T>(gate_up, width, width) && is_vectorizable<T>(product, width, width)) {
      product_kernel<T, kVectorWidth<T>><<<blocks, kThreads, 0, on>>>(kind, in, out, width);
    } else {
      product_kernel<T, 1><<<blocks, kThreads, 0, on>>>(kind, in, out, width);
    }
  });
  check_launch("expert_glu");
}

void expert_glu_backward_cuda(const ExpertGluBackwardArgs& args) {
  const auto& [element, gate, dproduct, gate_up, weights, product, dgate_up, dweights, rows, width, stream] =
      args;
  if (rows == 0) return;
  const auto blocks = static_cast<unsigned>(rows);
  auto* const on = static_cast<cudaStream_t>(stream);
  with_gate(element, gate, [&]<class T, class Gate>(T, Gate kind) {
    const auto launch = [&](auto kernel) {
      kernel<<<blocks, kThreads, 0, on>>>(kind,
                                          static_cast<const T*>(dproduct),
                                          static_cast<const T*>(gate_up),
                                          weights,
                                          static_cast<T*>(product),
                                          static_cast<T*>(dgate_up),
                                          dweights,
                                          width);
    };
    bool wide = true;
    for (const void* at :
         {dproduct, gate_up, static_cast<const void*>(product), static_cast<const void*>(dgate_up)})
      wide = wide && is_vectorizable<T>(at, width, width);
    if (wide) {
      launch(backward_kernel<T, kVectorWidth<T>, Gate>);
    } else {
      launch(backward_kernel<T, 1, Gate>);
    }
  });
  check_launch("expert_glu_backward");
}

}  // namespace automodel::kernels
