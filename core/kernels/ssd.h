#pragma once

#include "core/kernels/chunk_decay.h"

/// The element-wise steps of Mamba-2's scan between its matrix products (state-space duality: Dao & Gu 2024,
/// arXiv:2405.21060, section 6). With keys B and queries C [.., N] of a group, values x [.., P] of a head:
///   S[t] = exp(g_t) S[t-1] + B_t (dt_t x_t)^T,   y_t = C_t S[t] + D x_t
/// Layouts and borders: core/kernels/chunk_decay.h. T, the type of what comes in and goes out, is float, BF16
/// or double; x and dx have `stride` elements from token to token, y and dy [B, T, H, P] are contiguous.
namespace automodel::kernels {

/// Units: [B G, T', heads]. scaled = dt x, decayed_update = out dt x; zero from T on.
template <class T>
struct SsdInputs {
  using F = Compute<T>;
  ChunkShape shape;
  int64_t width;  ///< P
  const T* x;
  int64_t stride;
  const F *dt, *out;
  F *scaled, *decayed_update;
  int64_t origin = 0;  ///< the unit that scaled and decayed_update begin with

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const HeadToken at(shape, unit);
    F* a = scaled + (unit - origin) * width;
    F* b = decayed_update + (unit - origin) * width;
    if (at.t >= shape.length) {
      walk.each(width, [&](int64_t p) { a[p] = b[p] = 0; });
      return;
    }
    const T* in = x + (at.row * shape.length + at.t) * stride + at.h * width;
    const F by = dt[at.scalar];
    const F by_out = out[at.scalar];
    walk.each(width, [&](int64_t p) {
      const F value = by * walk.get(in[p]);
      a[p] = value;
      b[p] = by_out * value;
    });
  }
};

/// Units: [B G, heads]. states [B G, C, N, heads, P]: what each chunk adds -> the state before it. `last`
/// [B G, N, heads, P]: the state before the first chunk -> after the last.
template <class F>
struct CarryStates {
  ChunkShape shape;
  int64_t state;  ///< N
  int64_t width;
  const F* whole;  ///< [B, H, C]
  F *states, *last;

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const int64_t n = unit / shape.heads;
    const F* decays =
        whole + (n / shape.groups * shape.all_heads() + n % shape.groups * shape.heads + unit % shape.heads) *
                    shape.chunks;
    const int64_t line = shape.heads * width;
    F* carried = last + n * state * line + unit % shape.heads * width;
    for (int64_t c = 0; c < shape.chunks; ++c) {
      F* added = states + (n * shape.chunks + c) * state * line + unit % shape.heads * width;
      const F decay = decays[c];
      for (int64_t i = 0; i < state; ++i) {
        F* a = added + i * line;
        F* b = carried + i * line;
        walk.each(width, [&](int64_t p) {
          const F before = b[p];
          b[p] = decay * before + a[p];
          a[p] = before;
        });
      }
    }
  }
};

/// Units: [B G, heads]. dstates: the gradient of the state before each chunk from the chunk itself -> of the
/// state after it. `carried` [B G, N, heads, P] is zero at first. dwhole [B, H, C]: gradient of whole times
/// whole.
template <class F>
struct CarryStatesBackward {
  ChunkShape shape;
  int64_t state;
  int64_t width;
  const F *whole, *states;
  F *dstates, *carried, *dwhole;

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const int64_t n = unit / shape.heads;
    const int64_t line = shape.heads * width;
    const int64_t column = unit % shape.heads * width;
    const int64_t decays =
        (n / shape.groups * shape.all_heads() + n % shape.groups * shape.heads + unit % shape.heads) *
        shape.chunks;
    for (int64_t c = shape.chunks - 1; c >= 0; --c) {
      const int64_t at = (n * shape.chunks + c) * state * line + column;
      const F decay = whole[decays + c];
      F total = 0;
      for (int64_t i = 0; i < state; ++i) {
        const F* before = states + at + i * line;
        F* a = dstates + at + i * line;
        F* b = carried + (n * state + i) * line + column;
        total += walk.template sum<F>(width, [&](int64_t p) { return before[p] * b[p]; });
        walk.each(width, [&](int64_t p) {
          const F after = b[p];
          b[p] = decay * after + a[p];
          a[p] = after;
        });
      }
      walk.at(0, [&] { dwhole[decays + c] = decay * total; });
    }
  }
};

/// Units: [B G, T', heads]. y = within + in * read + D x. `within` [B G, T', heads, P]; read: lines of
/// [heads, P], `read_lines` of them a chunk, the first L used.
template <class T>
struct JoinOutputs {
  using F = Compute<T>;
  ChunkShape shape;
  int64_t width;
  const F *within, *read;
  int64_t read_lines;
  const F* in;
  const F* skip;  ///< D [H]; null: none
  const T* x;
  int64_t stride;
  T* y;
  int64_t origin = 0;  ///< the unit that within begins with; read begins with its line

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const HeadToken at(shape, unit);
    if (at.t >= shape.length) return;
    const F* a = within + (unit - origin) * width;
    const F* b =
        read + (((at.n * shape.chunks + at.t / shape.chunk) * read_lines + at.t % shape.chunk) * shape.heads +
                at.r - origin) *
                   width;
    T* to = y + ((at.row * shape.length + at.t) * shape.all_heads() + at.h) * width;
    const F by = in[at.scalar];
    if (skip == nullptr) {
      walk.each(width, [&](int64_t p) { walk.put(to[p], a[p] + by * b[p]); });
      return;
    }
    const T* value = x + (at.row * shape.length + at.t) * stride + at.h * width;
    const F d = skip[at.h];
    walk.each(width, [&](int64_t p) { walk.put(to[p], a[p] + by * b[p] + d * walk.get(value[p])); });
  }
};

/// Units: [B G, T', heads]. dwithin = dy; dread = in * dy; d_log_decay_sum = in * (dy . read), written; dskip
/// [B, H, T'] = dy . x. Zero from T on. Without `read` d_log_decay_sum = 0: another body adds to it.
template <class T>
struct JoinOutputsBackward {
  using F = Compute<T>;
  ChunkShape shape;
  int64_t width;
  const T* dy;
  const F* read;       ///< null: none
  int64_t read_lines;  ///< of read and dread
  const F* in;
  const T* x;  ///< null without a skip
  int64_t stride;
  F *dwithin, *dread, *d_log_decay_sum, *dskip;
  int64_t origin = 0;  ///< the unit that dwithin begins with; read and dread begin with its line

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const HeadToken at(shape, unit);
    const int64_t line =
        (((at.n * shape.chunks + at.t / shape.chunk) * read_lines + at.t % shape.chunk) * shape.heads + at.r -
         origin) *
        width;
    F* a = dwithin + (unit - origin) * width;
    F* b = dread + line;
    if (at.t >= shape.length) {
      walk.each(width, [&](int64_t p) { a[p] = b[p] = 0; });
      walk.at(0, [&] {
        d_log_decay_sum[at.scalar] = 0;
        if (dskip != nullptr) dskip[at.scalar] = 0;
      });
      return;
    }
    const T* d = dy + ((at.row * shape.length + at.t) * shape.all_heads() + at.h) * width;
    const F by = in[at.scalar];
    walk.each(width, [&](int64_t p) {
      const F g = walk.get(d[p]);
      a[p] = g;
      b[p] = by * g;
    });
    F through_in = 0;
    if (read != nullptr) {
      const F* value = read + line;
      through_in = walk.template sum<F>(width, [&](int64_t p) { return b[p] * value[p]; });
    }
    F through_skip = 0;
    if (dskip != nullptr) {
      const T* from = x + (at.row * shape.length + at.t) * stride + at.h * width;
      through_skip = walk.template sum<F>(width, [&](int64_t p) { return a[p] * walk.get(from[p]); });
    }
    walk.at(0, [&] {
      d_log_decay_sum[at.scalar] = through_in;
      if (dskip != nullptr) dskip[at.scalar] = through_skip;
    });
  }
};

/// Units: [B G, T', heads]. With dscaled the gradient of `scaled` from within the chunk and d_decayed_update
/// that of `decayed_update`: dx = D dy + dt (dscaled + out d_decayed_update); ddt = x . (dscaled + out
/// d_decayed_update); dout = out (d_decayed_update . scaled), the gradient of out times out.
template <class T>
struct SsdInputsBackward {
  using F = Compute<T>;
  ChunkShape shape;
  int64_t width;
  const T *x, *dy;
  int64_t stride;  ///< of x and dx
  const F *dt, *out, *skip;
  const F* scaled;
  F* dscaled;  ///< its contents are lost
  const F* d_decayed_update;
  T* dx;
  F *ddt, *dout;
  int64_t origin = 0;  ///< the unit that scaled, dscaled and d_decayed_update begin with

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const HeadToken at(shape, unit);
    if (at.t >= shape.length) {
      walk.at(0, [&] { ddt[at.scalar] = dout[at.scalar] = 0; });
      return;
    }
    const int64_t place = (at.row * shape.length + at.t) * stride + at.h * width;
    const T* d = dy + ((at.row * shape.length + at.t) * shape.all_heads() + at.h) * width;
    const T* from = x + place;
    T* to = dx + place;
    F* a = dscaled + (unit - origin) * width;
    const F* b = d_decayed_update + (unit - origin) * width;
    const F* value = scaled + (unit - origin) * width;
    const F by = dt[at.scalar];
    const F by_out = out[at.scalar];
    const F by_skip = skip[at.h];
    walk.each(width, [&](int64_t p) {
      a[p] += by_out * b[p];
      walk.put(to[p], by_skip * walk.get(d[p]) + by * a[p]);
    });
    const F through_dt = walk.template sum<F>(width, [&](int64_t p) { return walk.get(from[p]) * a[p]; });
    const F through_out = walk.template sum<F>(width, [&](int64_t p) { return value[p] * b[p]; });
    walk.at(0, [&] {
      ddt[at.scalar] = through_dt;
      dout[at.scalar] = by_out * through_out;
    });
  }
};

}  // namespace automodel::kernels
