#include "core/kernels/silu_and_mul.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace automodel::kernels {
namespace {

constexpr size_t kRows = 3, kWidth = 37;

double gate_of(size_t r, size_t i) {
  return 12 * std::sin(static_cast<double>(r * kWidth + i));
}

double up_of(size_t r, size_t i) {
  return std::cos(static_cast<double>(3 * i + r));
}

double silu(double x) {
  return x / (1 + std::exp(-x));
}

/// The derivative by a central difference.
double slope(double x) {
  constexpr double kStep = 1e-5;
  return (silu(x + kStep) - silu(x - kStep)) / (2 * kStep);
}

template <class T>
std::vector<T> stored(const std::vector<double>& values) {
  std::vector<T> all(values.size());
  for (size_t i = 0; i < values.size(); ++i) store(all[i], static_cast<Compute<T>>(values[i]));
  return all;
}

template <class T>
void check(double relative, bool weighted) {
  std::vector<double> gate_up(kRows * 2 * kWidth), dproduct(kRows * kWidth);
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t i = 0; i < kWidth; ++i) {
      gate_up[r * 2 * kWidth + i] = gate_of(r, i);
      gate_up[r * 2 * kWidth + kWidth + i] = up_of(r, i);
      dproduct[r * kWidth + i] = std::sin(static_cast<double>(i * i + r));
    }
  }
  const std::vector<T> x = stored<T>(gate_up), dy = stored<T>(dproduct);
  const std::vector<Compute<T>> weights = {0.5, 2, 0.25};
  std::vector<T> product(dy.size()), again(dy.size()), dx(x.size());
  std::vector<Compute<T>> dweights(kRows);
  silu_and_mul(x.data(), product.data(), kRows, kWidth);
  silu_and_mul_backward<T>(dy.data(),
                           x.data(),
                           weighted ? weights.data() : nullptr,
                           {again.data(), dx.data(), weighted ? dweights.data() : nullptr},
                           kRows,
                           kWidth);
  const auto near = [&](double got, double expected, const char* what) {
    ASSERT_NEAR(got, expected, relative * (std::abs(expected) + 2)) << what;
  };
  for (size_t r = 0; r < kRows; ++r) {
    const double weight = weighted ? static_cast<double>(weights[r]) : 1;
    double dweight = 0;
    for (size_t i = 0; i < kWidth; ++i) {
      const double g = load(x[r * 2 * kWidth + i]), u = load(x[r * 2 * kWidth + kWidth + i]);
      const double d = load(dy[r * kWidth + i]);
      dweight += d * silu(g) * u;
      near(load(product[r * kWidth + i]), silu(g) * u, "product");
      near(load(again[r * kWidth + i]), weight * silu(g) * u, "weighted product");
      near(load(dx[r * 2 * kWidth + i]), weight * d * u * slope(g), "gradient of the gate");
      near(load(dx[r * 2 * kWidth + kWidth + i]), weight * d * silu(g), "gradient of up");
    }
    if (weighted) near(dweights[r], dweight, "gradient of the weight");
  }
}

TEST(SiluAndMul, EqualsTheDefinitionAndItsDerivative) {
  for (const bool weighted : {false, true}) {
    check<double>(1e-9, weighted);
    check<float>(1e-6, weighted);
    check<BF16>(0.015, weighted);
  }
}

}  // namespace
}  // namespace automodel::kernels
