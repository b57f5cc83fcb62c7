#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>

#include "core/kernels/adamw.h"
#include "core/kernels/bfloat16.h"
#include "core/kernels/stochastic_round.h"
#include "core/kernels/vectorised.h"

namespace automodel::kernels {
namespace {

/// The numbers that do not depend on the element, in double as torch computes them on the host.
struct Factors {
  float decay;  ///< 1 - lr * weight_decay, or weight_decay for Adam
  float one_minus_beta1;
  float beta2;
  float one_minus_beta2;
  float correction2;  ///< sqrt(1 - beta2^t)
  float eps;
  float step_size;  ///< lr / (1 - beta1^t)

  explicit Factors(const AdamWArgs& a)
      : decay(static_cast<float>(a.decoupled ? 1 - a.lr * a.weight_decay : a.weight_decay)),
        one_minus_beta1(static_cast<float>(1 - a.beta1)),
        beta2(static_cast<float>(a.beta2)),
        one_minus_beta2(static_cast<float>(1 - a.beta2)),
        correction2(static_cast<float>(std::sqrt(1 - std::pow(a.beta2, static_cast<double>(a.step))))),
        eps(static_cast<float>(a.eps)),
        step_size(static_cast<float>(a.lr / (1 - std::pow(a.beta1, static_cast<double>(a.step))))) {}
};

constexpr int64_t kTile = 128;

void widen(const uint16_t* from, float* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = from_bf16(from[i]);
}

void widen(const BF16* from, float* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = load(from[i]);
}

/// Of values that bf16 holds.
void narrow(const float* from, uint16_t* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<uint16_t>(std::bit_cast<uint32_t>(from[i]) >> 16);
}

/// Every intermediate that torch would store in a bf16 tensor is rounded. One loop over floats, its choices
/// made outside: compilers turn it into vector code.
template <bool kDecoupled>
void update_bf16(float* p, const float* grad, float* m, float* v, int64_t n, const Factors f, float scale) {
  for (int64_t i = 0; i < n; ++i) {
    float g = round_bf16(round_bf16(grad[i]) * scale);
    float x = p[i];
    if constexpr (kDecoupled) {
      x = round_bf16(x * f.decay);
    } else {
      g = round_bf16(g + f.decay * x);
    }
    const float mean = round_bf16(m[i] + f.one_minus_beta1 * (g - m[i]));
    const float square = round_bf16(round_bf16(v[i] * f.beta2) + f.one_minus_beta2 * g * g);
    const float root = round_bf16(round_bf16(std::sqrt(square)) / f.correction2);
    const float denominator = round_bf16(root + f.eps);
    m[i] = mean;
    v[i] = square;
    p[i] = round_bf16(x - f.step_size * (mean / denominator));
  }
}

}  // namespace

RoundingKey::RoundingKey(uint64_t seed, int64_t step, std::string_view parameter)
    : key(hash_bits(seed, static_cast<uint64_t>(step))) {
  for (const char letter : parameter) key = hash_bits(key, static_cast<unsigned char>(letter));
}

AUTOMODEL_VECTORISED
void adamw_bf16_stochastic(uint16_t* p,
                           const float* grad,
                           uint16_t* m,
                           uint16_t* v,
                           int64_t n,
                           const AdamWArgs& args,
                           const RoundingKey& key) {
  alignas(64) std::array<float, kTile> wide_p, wide_m, wide_v;
  alignas(64) std::array<uint64_t, kTile> random;
  const auto round = [](const float* from, const uint64_t* bits, int shift, uint16_t* to, int64_t count) {
    for (int64_t i = 0; i < count; ++i)
      to[i] = round_stochastic(std::bit_cast<uint32_t>(from[i]), static_cast<uint32_t>(bits[i] >> shift));
  };
  for (int64_t begin = 0; begin < n; begin += kTile) {
    const int64_t count = std::min(kTile, n - begin);
    const auto counter = static_cast<uint64_t>(key.first_element + begin);
    for (int64_t i = 0; i < count; ++i)
      random[static_cast<size_t>(i)] = hash_bits(key.key, counter + static_cast<uint64_t>(i));
    widen(p + begin, wide_p.data(), count);
    widen(m + begin, wide_m.data(), count);
    widen(v + begin, wide_v.data(), count);
    adamw_f32(wide_p.data(), grad + begin, wide_m.data(), wide_v.data(), count, args);
    round(wide_p.data(), random.data(), 0, p + begin, count);
    round(wide_m.data(), random.data(), 16, m + begin, count);
    round(wide_v.data(), random.data(), 32, v + begin, count);
  }
}

AUTOMODEL_VECTORISED
void adamw_f32(float* p, const float* grad, float* m, float* v, int64_t n, const AdamWArgs& args) {
  const Factors f(args);
  const bool decoupled = args.decoupled;
  const float scale = args.grad_scale;
  for (int64_t i = 0; i < n; ++i) {
    float g = grad[i] * scale;
    float x = p[i];
    g = decoupled ? g : g + f.decay * x;
    x = decoupled ? x * f.decay : x;
    const float mean = m[i] + f.one_minus_beta1 * (g - m[i]);
    const float square = v[i] * f.beta2 + f.one_minus_beta2 * g * g;
    m[i] = mean;
    v[i] = square;
    p[i] = x - f.step_size * (mean / (std::sqrt(square) / f.correction2 + f.eps));
  }
}

template <class G>
AUTOMODEL_VECTORISED void adamw_bf16(
    uint16_t* p, const G* grad, uint16_t* m, uint16_t* v, int64_t n, const AdamWArgs& args) {
  const Factors f(args);
  alignas(64) std::array<float, kTile> wide_p, wide_m, wide_v, wide_g;
  for (int64_t begin = 0; begin < n; begin += kTile) {
    const int64_t count = std::min(kTile, n - begin);
    widen(p + begin, wide_p.data(), count);
    widen(m + begin, wide_m.data(), count);
    widen(v + begin, wide_v.data(), count);
    const float* g = wide_g.data();
    if constexpr (std::is_same_v<G, float>) {
      g = grad + begin;
    } else {
      widen(grad + begin, wide_g.data(), count);
    }
    if (args.decoupled) {
      update_bf16<true>(wide_p.data(), g, wide_m.data(), wide_v.data(), count, f, args.grad_scale);
    } else {
      update_bf16<false>(wide_p.data(), g, wide_m.data(), wide_v.data(), count, f, args.grad_scale);
    }
    narrow(wide_p.data(), p + begin, count);
    narrow(wide_m.data(), m + begin, count);
    narrow(wide_v.data(), v + begin, count);
  }
}

template void adamw_bf16<float>(uint16_t*, const float*, uint16_t*, uint16_t*, int64_t, const AdamWArgs&);
template void adamw_bf16<BF16>(uint16_t*, const BF16*, uint16_t*, uint16_t*, int64_t, const AdamWArgs&);

}  // namespace automodel::kernels
