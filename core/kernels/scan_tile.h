#pragma once

#include "core/kernels/chunk_decay.h"

/// What the chunked scans need besides their other bodies where a CPU works on one chunk of one head, a
/// *tile*, at a time. Every head is a group of its own there: the shape has `groups` = H and `heads` = 1.
namespace automodel::kernels {

/// Chunks whose every head is a group of its own.
inline ChunkShape head_by_head(const ChunkShape& s) {
  return {s.batch, s.length, s.chunk, s.chunks, s.all_heads(), 1};
}

/// Units: [B H, T']. Through read = in q S: given dq [.., N] of this head, dcum += q . dq, and dq is added to
/// the sum over heads.
template <class F>
struct AddQueryGradient {
  int64_t width;  ///< N
  const F *q, *dq;
  F* total;
  F* dcum;         ///< [B H, T']
  int64_t origin;  ///< the unit that q, dq and total begin with
  bool adds;       ///< to total; else it is written

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const int64_t line = (unit - origin) * width;
    const F* query = q + line;
    const F* d = dq + line;
    F* sum = total + line;
    dcum[unit] += walk.template sum<F>(width, [&](int64_t p) { return query[p] * d[p]; });
    if (adds) {
      walk.each(width, [&](int64_t p) { sum[p] += d[p]; });
    } else {
      walk.each(width, [&](int64_t p) { sum[p] = d[p]; });
    }
  }
};

/// Units: [B H, C]. dwhole = whole (state . dafter), the gradient of whole times whole.
template <class F>
struct WholeGradient {
  int64_t size;  ///< of a state
  const F* whole;
  const F *state, *dafter;  ///< of the unit
  F* dwhole;

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    dwhole[unit] = whole[unit] * walk.template sum<F>(size, [&](int64_t p) { return state[p] * dafter[p]; });
  }
};

/// Units: [B H, T']. tile = x, zero from T on. x has `stride` elements from token to token.
template <class T>
struct ReadTile {
  using F = Compute<T>;
  ChunkShape shape;
  int64_t width;
  const T* x;
  int64_t stride;
  F* tile;
  int64_t origin;  ///< the unit that tile begins with

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const HeadToken at(shape, unit);
    F* to = tile + (unit - origin) * width;
    if (at.t >= shape.length) {
      walk.each(width, [&](int64_t p) { to[p] = 0; });
      return;
    }
    const T* from = x + (at.row * shape.length + at.t) * stride + at.h * width;
    walk.each(width, [&](int64_t p) { to[p] = walk.get(from[p]); });
  }
};

/// The other way: x = tile before T.
template <class T>
struct WriteTile {
  using F = Compute<T>;
  ChunkShape shape;
  int64_t width;
  T* x;
  int64_t stride;
  const F* tile;
  int64_t origin;

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const HeadToken at(shape, unit);
    if (at.t >= shape.length) return;
    T* to = x + (at.row * shape.length + at.t) * stride + at.h * width;
    const F* from = tile + (unit - origin) * width;
    walk.each(width, [&](int64_t p) { walk.put(to[p], from[p]); });
  }
};

}  // namespace automodel::kernels
