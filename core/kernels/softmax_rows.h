#pragma once

#include <cstdint>

/// The softmax of some rows of attention scores, and its gradient, on a CPU.
namespace automodel::kernels {

/// Which scores count.
template <class T>
struct Visible {
  int64_t first;        ///< columns that row 0 sees
  int64_t more;         ///< that each next row sees beside: 0 or 1
  const T* mask;        ///< added to the scores; null: none
  int64_t mask_stride;  ///< elements from one row of it to the next; 0: one row for all
};

/// scores = exp(scores + mask - their row's largest), 0 where a row sees nothing: -infinity, or beyond its
/// columns. Divided by its sum a row is the softmax.
///
/// scores [rows, width], contiguous;  inverse_sums [rows]: 1 / sum, 0 for a row that sees nothing at all;
/// lse [rows]: log of the sum of exp(scores + mask). The exponential is within 2 units in the last place of
/// f32 (std::exp in f64). T is float or double. Runs on the calling thread.
template <class T>
void softmax_rows(T* scores, const Visible<T>& visible, T* inverse_sums, T* lse, int64_t rows, int64_t width);

/// scores become probabilities p = exp(scores + mask - lse), dp becomes p * (dp - means): the gradient of the
/// scores.
///
/// scores, dp [rows, width], contiguous;  lse, means [rows]
template <class T>
void softmax_rows_backward(
    T* scores, T* dp, const Visible<T>& visible, const T* lse, const T* means, int64_t rows, int64_t width);

/// means = sum over columns of a * b. a [rows, width], b likewise, rows that many elements apart.
template <class T>
void row_products(
    const T* a, int64_t a_stride, const T* b, int64_t b_stride, T* means, int64_t rows, int64_t width);

/// x *= factors of the rows. x [rows, width], rows `stride` elements apart.
template <class T>
void scale_rows(T* x, int64_t stride, const T* factors, int64_t rows, int64_t width);

}  // namespace automodel::kernels
