#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/kernels/softmax_rows.h"
#include "core/kernels/vector_math.h"
#include "core/kernels/vectorised.h"
#include "core/kernels/vectorised_sum.h"

namespace automodel::kernels {
namespace {

template <class T>
constexpr T kNothing = -std::numeric_limits<T>::infinity();

template <class T>
void add_mask(T* row, const Visible<T>& visible, int64_t r, int64_t width) {
  if (visible.mask == nullptr) return;
  const T* mask = visible.mask + r * visible.mask_stride;
  for (int64_t i = 0; i < width; ++i) row[i] += mask[i];
}

template <class T>
T largest(const T* row, int64_t width) {
  constexpr int64_t kLanes = 16;
  std::array<T, kLanes> lanes;
  for (T& lane : lanes) lane = kNothing<T>;
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) {
      T& lane = lanes[static_cast<size_t>(j)];
      lane = row[i + j] > lane ? row[i + j] : lane;
    }
  }
  T most = kNothing<T>;
  for (; i < width; ++i) most = row[i] > most ? row[i] : most;
  for (const T lane : lanes) most = lane > most ? lane : most;
  return most;
}

/// e^(x - from), 0 of -infinity.
template <class T>
T exp_above(T x, T from) {
  const T value = vector_exp(x - from);
  return x == kNothing<T> ? T(0) : value;
}

}  // namespace

template <class T>
AUTOMODEL_VECTORISED void softmax_rows(
    T* scores, const Visible<T>& visible, T* inverse_sums, T* lse, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r) {
    T* row = scores + r * width;
    const int64_t seen = std::min(width, visible.first + r * visible.more);
    add_mask(row, visible, r, seen);
    const T most = largest(row, seen);
    const T sum = vectorised_sum<T>(seen, [&](int64_t i) {
      const T value = exp_above(row[i], most);
      row[i] = value;
      return value;
    });
    for (int64_t i = seen; i < width; ++i) row[i] = 0;
    const bool none = most == kNothing<T>;
    inverse_sums[r] = none ? T(0) : 1 / sum;
    lse[r] = none ? kNothing<T> : most + std::log(sum);
  }
}

template <class T>
AUTOMODEL_VECTORISED void softmax_rows_backward(
    T* scores, T* dp, const Visible<T>& visible, const T* lse, const T* means, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r) {
    T* row = scores + r * width;
    T* drow = dp + r * width;
    const int64_t seen = std::min(width, visible.first + r * visible.more);
    add_mask(row, visible, r, seen);
    const T of_row = lse[r];
    const T mean = means[r];
    for (int64_t i = 0; i < seen; ++i) {
      const T p = exp_above(row[i], of_row);
      row[i] = p;
      drow[i] = p * (drow[i] - mean);
    }
    for (int64_t i = seen; i < width; ++i) row[i] = 0;
    for (int64_t i = seen; i < width; ++i) drow[i] = 0;
  }
}

template <class T>
AUTOMODEL_VECTORISED void row_products(
    const T* a, int64_t a_stride, const T* b, int64_t b_stride, T* means, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r)
    means[r] = vectorised_sum<T>(width, [&](int64_t i) { return a[r * a_stride + i] * b[r * b_stride + i]; });
}

template <class T>
AUTOMODEL_VECTORISED void scale_rows(T* x, int64_t stride, const T* factors, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r) {
    const T factor = factors[r];
    for (int64_t i = 0; i < width; ++i) x[r * stride + i] *= factor;
  }
}

#define AUTOMODEL_INSTANTIATE(T)                                                                        \
  template void softmax_rows(T*, const Visible<T>&, T*, T*, int64_t, int64_t);                          \
  template void softmax_rows_backward(T*, T*, const Visible<T>&, const T*, const T*, int64_t, int64_t); \
  template void row_products(const T*, int64_t, const T*, int64_t, T*, int64_t, int64_t);               \
  template void scale_rows(T*, int64_t, const T*, int64_t, int64_t);
AUTOMODEL_INSTANTIATE(float)
AUTOMODEL_INSTANTIATE(double)
#undef AUTOMODEL_INSTANTIATE

}  // namespace automodel::kernels
