#include <algorithm>
#include <array>
#include <cstddef>

#include "core/kernels/causal_conv.h"
#include "core/kernels/vector_math.h"
#include "core/kernels/vectorised.h"

namespace automodel::kernels {
namespace {

/// Channels at a time: their sums stay in the nearest cache.
constexpr int64_t kBlock = 128;

template <class F>
using Block = std::array<F, static_cast<size_t>(kBlock)>;

/// The first position that a token may read.
int64_t lowest_position(const int32_t* first, int64_t token, bool has_state, int64_t kernel) {
  if (first == nullptr) return has_state ? 1 - kernel : 0;
  return first[token] < 0 ? 1 - kernel : first[token];
}

template <class T>
struct Rows {
  const T* x;      ///< of one row of the batch
  const T* state;  ///< the same
  const CausalConvShape& shape;

  const T* at(int64_t position) const {
    return position >= 0 ? x + position * shape.x_stride
                         : state + (position + shape.kernel - 1) * shape.channels;
  }
};

/// The sums under the activation for n channels from c of the token at position t.
template <class T>
void sums(const Rows<T>& rows,
          const Compute<T>* taps,
          const Compute<T>* bias,
          int64_t lowest,
          int64_t t,
          int64_t c,
          int64_t n,
          Compute<T>* out) {
  if (bias != nullptr) {
    std::copy_n(bias + c, n, out);
  } else {
    std::fill_n(out, n, Compute<T>(0));
  }
  const int64_t oldest = t - rows.shape.kernel + 1;
  for (int64_t position = std::max(oldest, lowest); position <= t; ++position) {
    const T* x = rows.at(position) + c;
    const Compute<T>* tap = taps + (position - oldest) * rows.shape.channels + c;
    for (int64_t i = 0; i < n; ++i) out[i] += tap[i] * load(x[i]);
  }
}

/// From the gradient of the activation's value to that of the sums.
template <class T>
void through_activation(const T* dy, Compute<T>* sums_to_gradient, bool silu, int64_t n) {
  using F = Compute<T>;
  if (!silu) {
    for (int64_t i = 0; i < n; ++i) sums_to_gradient[i] = load(dy[i]);
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    const F x = sums_to_gradient[i];
    const F s = vector_sigmoid(x);
    sums_to_gradient[i] = load(dy[i]) * s * (F(1) + x * (F(1) - s));
  }
}

/// One row of the batch at backward: walks its tokens [begin, end), the gradients of the last K sums in a
/// ring.
template <class T>
struct RowBackward {
  using F = Compute<T>;
  Rows<T> rows;
  const T* dy;
  const F* taps;
  const F* bias;
  const int32_t* first;  ///< of this row
  T* dx;
  F* dtaps;
  F* ring;

  int64_t lowest(int64_t t) const { return lowest_position(first, t, false, rows.shape.kernel); }

  F* slot(int64_t t) const { return ring + (t % rows.shape.kernel) * rows.shape.channels; }

  void add_to_taps(int64_t t, int64_t c, int64_t n) const {
    const int64_t channels = rows.shape.channels;
    const int64_t oldest = t - rows.shape.kernel + 1;
    const F* gradient = slot(t) + c;
    for (int64_t position = std::max(oldest, lowest(t)); position <= t; ++position) {
      const T* x = rows.at(position) + c;
      F* out = dtaps + (position - oldest) * channels + c;
      for (int64_t i = 0; i < n; ++i) out[i] += gradient[i] * load(x[i]);
    }
    F* out = dtaps + rows.shape.kernel * channels + c;
    for (int64_t i = 0; i < n; ++i) out[i] += gradient[i];
  }

  void write_dx(int64_t t, int64_t c, int64_t n) const {
    const int64_t channels = rows.shape.channels;
    Block<F> total{};
    const int64_t last = std::min(t + rows.shape.kernel, rows.shape.length);
    for (int64_t reader = t; reader < last && lowest(reader) <= t; ++reader) {
      const F* gradient = slot(reader) + c;
      const F* tap = taps + (rows.shape.kernel - 1 - (reader - t)) * channels + c;
      for (int64_t i = 0; i < n; ++i) total[static_cast<size_t>(i)] += tap[i] * gradient[i];
    }
    T* out = dx + t * channels + c;
    for (int64_t i = 0; i < n; ++i) store(out[i], total[static_cast<size_t>(i)]);
  }

  void walk(int64_t begin, int64_t end) const {
    const int64_t channels = rows.shape.channels;
    const int64_t kernel = rows.shape.kernel;
    for (int64_t t = begin; t < end + kernel - 1; ++t) {
      for (int64_t c = 0; c < channels; c += kBlock) {
        const int64_t n = std::min(kBlock, channels - c);
        if (t < rows.shape.length) {
          sums(rows, taps, bias, lowest(t), t, c, n, slot(t) + c);
          through_activation(dy + t * channels + c, slot(t) + c, rows.shape.silu, n);
          if (dtaps != nullptr && t < end) add_to_taps(t, c, n);
        }
        if (t - kernel + 1 >= begin) write_dx(t - kernel + 1, c, n);
      }
    }
  }
};

}  // namespace

template <class T>
AUTOMODEL_VECTORISED void causal_conv(const T* x,
                                      const Compute<T>* taps,
                                      const Compute<T>* bias,
                                      const T* state,
                                      const int32_t* first,
                                      T* y,
                                      const CausalConvShape& shape,
                                      int64_t begin,
                                      int64_t end) {
  using F = Compute<T>;
  for (int64_t token = begin; token < end; ++token) {
    const int64_t row = token / shape.length;
    const int64_t t = token % shape.length;
    const Rows<T> rows{x + row * shape.length * shape.x_stride,
                       state == nullptr ? nullptr : state + row * (shape.kernel - 1) * shape.channels,
                       shape};
    const int64_t lowest = lowest_position(first, token, state != nullptr, shape.kernel);
    for (int64_t c = 0; c < shape.channels; c += kBlock) {
      const int64_t n = std::min(kBlock, shape.channels - c);
      Block<F> out;
      sums(rows, taps, bias, lowest, t, c, n, out.data());
      T* to = y + token * shape.channels + c;
      for (int64_t i = 0; i < n; ++i) {
        const F value = out[static_cast<size_t>(i)];
        store(to[i], shape.silu ? value * vector_sigmoid(value) : value);
      }
    }
  }
}

template <class T>
AUTOMODEL_VECTORISED void causal_conv_backward(const T* dy,
                                               const T* x,
                                               const Compute<T>* taps,
                                               const Compute<T>* bias,
                                               const int32_t* first,
                                               T* dx,
                                               Compute<T>* dtaps,
                                               Compute<T>* scratch,
                                               const CausalConvShape& shape,
                                               int64_t begin,
                                               int64_t end) {
  for (int64_t token = begin; token < end;) {
    const int64_t row = token / shape.length;
    const int64_t start = row * shape.length;
    const int64_t stop = std::min(end, start + shape.length);
    const RowBackward<T> backward{{x + start * shape.x_stride, nullptr, shape},
                                  dy + start * shape.channels,
                                  taps,
                                  bias,
                                  first == nullptr ? nullptr : first + start,
                                  dx + start * shape.channels,
                                  dtaps,
                                  scratch};
    backward.walk(token - start, stop - start);
    token = stop;
  }
}

#define AUTOMODEL_INSTANTIATE(T)                                \
  template void causal_conv<T>(const T*,                        \
                               const Compute<T>*,               \
                               const Compute<T>*,               \
                               const T*,                        \
                               const int32_t*,                  \
                               T*,                              \
                               const CausalConvShape&,          \
                               int64_t,                         \
                               int64_t);                        \
  template void causal_conv_backward<T>(const T*,               \
                                        const T*,               \
                                        const Compute<T>*,      \
                                        const Compute<T>*,      \
                                        const int32_t*,         \
                                        T*,                     \
                                        Compute<T>*,            \
                                        Compute<T>*,            \
                                        const CausalConvShape&, \
                                        int64_t,                \
                                        int64_t);
AUTOMODEL_INSTANTIATE(float)
AUTOMODEL_INSTANTIATE(BF16)
AUTOMODEL_INSTANTIATE(double)
#undef AUTOMODEL_INSTANTIATE

}  // namespace automodel::kernels
