#pragma once

#include "core/kernels/chunk_decay.h"

/// The element-wise steps of the gated delta rule between its matrix products (Yang et al. 2024,
/// arXiv:2412.06464; the chunked form of Yang et al. 2024, arXiv:2406.06484). With unit keys k and queries q
/// [.., K] of a group, values v [.., V] of a head:
///   S[t] = exp(g_t) S[t-1] + beta_t k_t (v_t - k_t^T exp(g_t) S[t-1])^T,   y_t = S[t]^T q_t / sqrt(K)
/// Within a chunk that begins with the state S, and the Gram matrices K K^T, Q K^T of the chunk:
///   A = beta * decay * K K^T below the diagonal,  u = (I + A)^-1 beta (v - in K S),
///   y = in Q S + (decay * Q K^T) u,               S' = whole S + K^T (out u)
/// Layouts and borders: core/kernels/chunk_decay.h. Queries and keys of a chunk lie one after the other:
/// [B G, C, 2, L, K]; what is read from a state by them likewise, [B G, C, 2, L, heads, V]. T, the type of
/// what comes in and goes out, is float, BF16 or double; inputs have `stride` elements from token to token.
namespace automodel::kernels {

/// Units: [B G, T']. q / |q| / sqrt(K) and k / |k|, |x|^2 = x . x + 1e-6, zero from T on.
template <class T>
struct DeltaKeys {
  using F = Compute<T>;
  ChunkShape shape;
  int64_t width;  ///< K
  const T *q, *k;
  int64_t stride;
  F scale;  ///< of q
  F* qk;

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const int64_t n = unit / shape.padded();
    const int64_t t = unit % shape.padded();
    F* to_q = qk + ((n * shape.chunks + t / shape.chunk) * 2 * shape.chunk + t % shape.chunk) * width;
    F* to_k = to_q + shape.chunk * width;
    if (t >= shape.length) {
      walk.each(width, [&](int64_t p) { to_q[p] = to_k[p] = 0; });
      return;
    }
    const int64_t from = (n / shape.groups * shape.length + t) * stride + n % shape.groups * width;
    normalise(q + from, scale, to_q, walk);
    normalise(k + from, F(1), to_k, walk);
  }

 private:
  template <class Walk>
  AUTOMODEL_ANYWHERE void normalise(const T* x, F by, F* to, const Walk& walk) const {
    const F squares = walk.template sum<F>(width, [&](int64_t p) {
      const F value = walk.get(x[p]);
      return value * value;
    });
    const F factor = by * walk.reciprocal_root(squares + F(1e-6));
    walk.each(width, [&](int64_t p) { to[p] = factor * walk.get(x[p]); });
  }
};

/// Units: [B G, T']. From the gradient of what DeltaKeys writes to that of q and k.
template <class T>
struct DeltaKeysBackward {
  using F = Compute<T>;
  ChunkShape shape;
  int64_t width;
  const T *q, *k;
  int64_t stride;  ///< of q, k, dq, dk
  F scale;
  const F* dqk;
  T *dq, *dk;

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const int64_t n = unit / shape.padded();
    const int64_t t = unit % shape.padded();
    if (t >= shape.length) return;
    const F* from_q =
        dqk + ((n * shape.chunks + t / shape.chunk) * 2 * shape.chunk + t % shape.chunk) * width;
    const int64_t at = (n / shape.groups * shape.length + t) * stride + n % shape.groups * width;
    through_norm(q + at, from_q, scale, dq + at, walk);
    through_norm(k + at, from_q + shape.chunk * width, F(1), dk + at, walk);
  }

 private:
  template <class Walk>
  AUTOMODEL_ANYWHERE void through_norm(const T* x, const F* dy, F by, T* dx, const Walk& walk) const {
    const F squares = walk.template sum<F>(width, [&](int64_t p) {
      const F value = walk.get(x[p]);
      return value * value;
    });
    const F inverse = walk.reciprocal_root(squares + F(1e-6));
    const F along =
        walk.template sum<F>(width, [&](int64_t p) { return walk.get(x[p]) * dy[p]; }) * inverse * inverse;
    walk.each(width, [&](int64_t p) { walk.put(dx[p], by * inverse * (dy[p] - walk.get(x[p]) * along)); });
  }
};

/// Units: [B G, C, heads]. inverse = (I + A)^-1 of A [B G, C, heads, L, L], zero on and above the diagonal.
template <class F>
struct InvertUnitTriangular {
  int64_t chunk;
  const F* a;
  F* inverse;

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const F* from = a + unit * chunk * chunk;
    F* to = inverse + unit * chunk * chunk;
    for (int64_t i = 0; i < chunk; ++i) {
      F* row = to + i * chunk;
      walk.each(chunk, [&](int64_t j) { row[j] = j == i ? F(1) : F(0); });
      for (int64_t k = 0; k < i; ++k) {
        const F factor = from[i * chunk + k];
        const F* above = to + k * chunk;
        // Above its diagonal a row is zero: whole vectors cost nothing.
        walk.each(whole_lanes(k + 1), [&](int64_t j) { row[j] -= factor * above[j]; });
      }
    }
  }
};

/// A head of one of a chunk's tokens, as a unit of [B G, L, heads]; padded tokens too.
struct DeltaPlace {
  HeadToken token;
  int64_t value;    ///< place in [B G, T', heads, V]
  int64_t q_state;  ///< what the query reads, place in [B G, C, 2, L, heads, V]
  int64_t k_state;  ///< what the key reads
  int64_t local;    ///< place in [B G, L, heads, V]

  AUTOMODEL_ANYWHERE DeltaPlace(const ChunkShape& s, int64_t c, int64_t unit, int64_t width)
      : token(s, unit_of(s, c, unit)) {
    const int64_t line = s.heads * width;
    value = (token.n * s.padded() + token.t) * line + token.r * width;
    q_state = ((token.n * s.chunks + c) * 2 * s.chunk + token.t % s.chunk) * line + token.r * width;
    k_state = q_state + s.chunk * line;
    local = unit * width;
  }

  /// As a unit of [B G, T', heads].
  AUTOMODEL_ANYWHERE static int64_t unit_of(const ChunkShape& s, int64_t c, int64_t unit) {
    const int64_t per_chunk = s.chunk * s.heads;
    return unit / per_chunk * s.padded() * s.heads + c * per_chunk + unit % per_chunk;
  }
};

/// Units: [B G, L, heads] of chunk c. residual [B G, L, heads, V] = beta (v - in read).
template <class F>
struct DeltaResidual {
  ChunkShape shape;
  int64_t chunk;  ///< c
  int64_t width;  ///< V
  const F *v, *read, *in, *beta;
  F* residual;

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const DeltaPlace at(shape, chunk, unit, width);
    const F by = in[at.token.scalar];
    const F scale = beta[at.token.scalar];
    const F* value = v + at.value;
    const F* known = read + at.k_state;
    F* to = residual + at.local;
    walk.each(width, [&](int64_t p) { to[p] = scale * (value[p] - by * known[p]); });
  }
};

/// Units: [B G, L, heads] of chunk c. decayed_update = out u, both [B G, T', heads, V].
template <class F>
struct DecayedUpdate {
  ChunkShape shape;
  int64_t chunk;
  int64_t width;
  const F *u, *out;
  F* decayed_update;

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const DeltaPlace at(shape, chunk, unit, width);
    const F by = out[at.token.scalar];
    const F* from = u + at.value;
    F* to = decayed_update + at.value;
    walk.each(width, [&](int64_t p) { to[p] = by * from[p]; });
  }
};

/// Units: [B G, heads]. to = whole[c] from, states [K, heads, V] a group, `stride` elements from group to
/// group. With `other`, dwhole[c] = whole[c] (from . other): the gradient of whole times whole.
template <class F>
struct DecayState {
  ChunkShape shape;
  int64_t chunk;
  int64_t keys;  ///< K
  int64_t width;
  const F* whole;  ///< [B, H, C]
  const F* from;
  int64_t from_stride;
  F* to;
  int64_t to_stride;
  const F* other;  ///< null: none
  int64_t other_stride;
  F* dwhole;

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const int64_t n = unit / shape.heads;
    const int64_t head = n % shape.groups * shape.heads + unit % shape.heads;
    const int64_t place = (n / shape.groups * shape.all_heads() + head) * shape.chunks + chunk;
    const int64_t line = shape.heads * width;
    const int64_t column = unit % shape.heads * width;
    const F decay = whole[place];
    F total = 0;
    for (int64_t i = 0; i < keys; ++i) {
      const F* a = from + n * from_stride + i * line + column;
      F* b = to + n * to_stride + i * line + column;
      walk.each(width, [&](int64_t p) { b[p] = decay * a[p]; });
      if (other == nullptr) continue;
      const F* d = other + n * other_stride + i * line + column;
      total += walk.template sum<F>(width, [&](int64_t p) { return a[p] * d[p]; });
    }
    if (other != nullptr) walk.at(0, [&] { dwhole[place] = decay * total; });
  }
};

/// Units: [B G, L, heads] of chunk c. du += out d_decayed_update; dout = out (u . d_decayed_update), the
/// gradient of out times out. d_decayed_update [B G, L, heads, V].
template <class F>
struct DecayedUpdateBackward {
  ChunkShape shape;
  int64_t chunk;
  int64_t width;
  const F *u, *d_decayed_update, *out;
  F *du, *dout;

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const DeltaPlace at(shape, chunk, unit, width);
    const F by = out[at.token.scalar];
    const F* value = u + at.value;
    const F* d = d_decayed_update + at.local;
    F* to = du + at.value;
    walk.each(width, [&](int64_t p) { to[p] += by * d[p]; });
    const F total = walk.template sum<F>(width, [&](int64_t p) { return value[p] * d[p]; });
    walk.at(0, [&] { dout[at.token.scalar] = by * total; });
  }
};

/// Units: [B G, L, heads] of chunk c. From dresidual [B G, T', heads, V]: dv = beta dresidual; dread = -in
/// dv; dbeta = dresidual . (v - in read), written; in times the gradient of in is added to d_log_decay_sum.
template <class F>
struct DeltaResidualBackward {
  ChunkShape shape;
  int64_t chunk;
  int64_t width;
  const F *v, *read, *in, *beta, *dresidual;
  F *dv, *dread, *dbeta, *d_log_decay_sum;

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const DeltaPlace at(shape, chunk, unit, width);
    const F by = in[at.token.scalar];
    const F scale = beta[at.token.scalar];
    const F* value = v + at.value;
    const F* known = read + at.k_state;
    const F* d = dresidual + at.value;
    F* to_value = dv + at.value;
    F* to_read = dread + at.k_state;
    walk.each(width, [&](int64_t p) {
      const F through = scale * d[p];
      to_value[p] = through;
      to_read[p] = -by * through;
    });
    const F through_beta =
        walk.template sum<F>(width, [&](int64_t p) { return d[p] * (value[p] - by * known[p]); });
    const F through_in = walk.template sum<F>(width, [&](int64_t p) { return to_read[p] * known[p]; });
    walk.at(0, [&] {
      dbeta[at.token.scalar] = through_beta;
      d_log_decay_sum[at.token.scalar] += through_in;
    });
  }
};

}  // namespace automodel::kernels
