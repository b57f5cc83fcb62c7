#pragma once

#include "core/kernels/unit_walk.h"

/// What chunked scans with a decay share (Dao & Gu 2024, arXiv:2405.21060; Yang et al. 2024,
/// arXiv:2412.06464): a row of T tokens is cut into C chunks of L, the last one filled up. A state decays by
/// exp(g_t) at token t. Documents: `first` names the position of the first token of each token's document,
/// negative where it goes on from a given state; the decay across a border is zero, not approximated, and no
/// sum reaches over one. Bodies for run_units; F is float or double; every size is in elements.
///
/// Heads h = group * heads + r. Per-head numbers lie as [B, H, T'], T' = L C; values as [B G, T', heads,
/// width].
namespace automodel::kernels {

struct ChunkShape {
  int64_t batch = 0;   ///< B
  int64_t length = 0;  ///< T
  int64_t chunk = 0;   ///< L, a multiple of 16
  int64_t chunks = 0;  ///< C
  int64_t groups = 0;  ///< G: of heads that share keys and queries
  int64_t heads = 0;   ///< of one group

  AUTOMODEL_ANYWHERE int64_t padded() const { return chunk * chunks; }

  AUTOMODEL_ANYWHERE int64_t all_heads() const { return groups * heads; }
};

/// A head of a token, as a unit of [B G, T', heads].
struct HeadToken {
  int64_t n;       ///< row of [B, G]
  int64_t row;     ///< of the batch
  int64_t t;       ///< position
  int64_t r;       ///< head of the group
  int64_t h;       ///< head of all
  int64_t scalar;  ///< place in [B, H, T']

  AUTOMODEL_ANYWHERE HeadToken(const ChunkShape& s, int64_t unit) {
    r = unit % s.heads;
    t = unit / s.heads % s.padded();
    n = unit / (s.heads * s.padded());
    row = n / s.groups;
    h = n % s.groups * s.heads + r;
    scalar = (row * s.all_heads() + h) * s.padded() + t;
  }
};

/// A head of a chunk, as a unit of [B G, C, heads].
struct HeadChunk {
  int64_t n, row, c, r, h;
  int64_t scalar;  ///< place of the chunk's first token in [B, H, T']

  AUTOMODEL_ANYWHERE HeadChunk(const ChunkShape& s, int64_t unit) {
    r = unit % s.heads;
    c = unit / s.heads % s.chunks;
    n = unit / (s.heads * s.chunks);
    row = n / s.groups;
    h = n % s.groups * s.heads + r;
    scalar = (row * s.all_heads() + h) * s.padded() + c * s.chunk;
  }
};

/// Where documents begin.
struct Borders {
  const int32_t* first = nullptr;  ///< [B, T]; null: rows are one document each
  bool goes_on = false;            ///< with a null `first`: from a given state

  /// First token of the document that holds t; tokens after the last belong to its document.
  AUTOMODEL_ANYWHERE int64_t begin(const ChunkShape& s, int64_t row, int64_t t) const {
    if (first == nullptr) return goes_on ? -1 : 0;
    const int64_t last = s.length - 1;
    return first[row * s.length + (t < last ? t : last)];
  }
};

/// n elements, with what fills up the last vector; a chunk is whole vectors.
AUTOMODEL_ANYWHERE inline int64_t whole_lanes(int64_t n) {
  constexpr int64_t kLanes = 16;
  return (n + kLanes - 1) / kLanes * kLanes;
}

/// Units: [B G, C, heads]. g is ignored at a document's first token. With b = the later of the chunk's and
/// the document's first position and e = the chunk's last:
///
///   log_decay_sum[t] = sum of g over (b, t], or [b, t] when the document began before the chunk
///
///   in[t] = exp(log_decay_sum[t]) where the document began before the chunk, else 0: of the state before it
///
///   out[t] = exp(log_decay_sum[e] - log_decay_sum[t]) where t is of e's document, else 0: into the state
///   after
///
///   whole[c] = in[e]
template <class F>
struct ChunkDecays {
  ChunkShape shape;
  Borders borders;
  const F* g;  ///< [B, H, T'], 0 from T on
  F *log_decay_sum, *in, *out;
  F* whole;  ///< [B, H, C]

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const HeadChunk at(shape, unit);
    const int64_t start = at.c * shape.chunk;
    const int64_t last_begin = borders.begin(shape, at.row, start + shape.chunk - 1);
    walk.at(0, [&] {
      F total = 0;
      for (int64_t i = 0; i < shape.chunk; ++i) {
        const int64_t begin = borders.begin(shape, at.row, start + i);
        total = begin == start + i ? F(0) : total + g[at.scalar + i];
        log_decay_sum[at.scalar + i] = total;
        in[at.scalar + i] = begin < start ? walk.exp(total) : F(0);
      }
      for (int64_t i = 0; i < shape.chunk; ++i)
        out[at.scalar + i] = start + i >= last_begin ? walk.exp(total - log_decay_sum[at.scalar + i]) : F(0);
      whole[(at.row * shape.all_heads() + at.h) * shape.chunks + at.c] = in[at.scalar + shape.chunk - 1];
    });
  }
};

/// Units: [B G, C, heads]. From the gradients times the values they are of: d_log_decay_sum as it is, dout =
/// gradient of out times out, dwhole = gradient of whole times whole; that of `in` is already in
/// d_log_decay_sum.
template <class F>
struct ChunkDecaysBackward {
  ChunkShape shape;
  Borders borders;
  const F *d_log_decay_sum, *dout;
  const F* dwhole;  ///< [B, H, C]
  F* dg;            ///< [B, H, T']

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const HeadChunk at(shape, unit);
    const int64_t start = at.c * shape.chunk;
    walk.at(0, [&] {
      F total = dwhole[(at.row * shape.all_heads() + at.h) * shape.chunks + at.c];
      for (int64_t i = 0; i < shape.chunk; ++i) total += dout[at.scalar + i];
      for (int64_t i = shape.chunk - 1; i >= 0; --i) {
        total += d_log_decay_sum[at.scalar + i] - dout[at.scalar + i];
        const bool begins = borders.begin(shape, at.row, start + i) == start + i;
        dg[at.scalar + i] = begins ? F(0) : total;
        if (begins) total = 0;
      }
    });
  }
};

/// Units: [B G, C, heads]. decayed[i, j] = factor[i] scores[i, j] exp(log_decay_sum[i] - log_decay_sum[j])
/// for j <= i (strict: j < i) of one document, else 0: [B G, C, heads, L, L]. Scores [L, L] a chunk are
/// shared by the group's heads.
template <class F>
struct DecayScores {
  ChunkShape shape;
  Borders borders;
  const F* scores;
  int64_t scores_stride;  ///< from chunk to chunk
  const F* log_decay_sum;
  const F* factor;  ///< [B, H, T']; null: 1
  bool strict;
  F* decayed;
  int64_t origin = 0;  ///< the unit that scores and decayed begin with

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    const HeadChunk at(shape, unit);
    const int64_t start = at.c * shape.chunk;
    const F* from = scores + (at.n * shape.chunks + at.c - origin) * scores_stride;
    const F* sums = log_decay_sum + at.scalar;
    for (int64_t i = 0; i < shape.chunk; ++i) {
      const F* in = from + i * shape.chunk;
      F* to = decayed + ((unit - origin) * shape.chunk + i) * shape.chunk;
      const int64_t begin = borders.begin(shape, at.row, start + i) - start;
      const int64_t end = strict ? i : i + 1;
      const F sum = sums[i];
      const F scale = factor == nullptr ? F(1) : factor[at.scalar + i];
      const int64_t wide = whole_lanes(end);
      walk.each(wide, [&](int64_t j) {
        // Formed for all j: the exponent is kept from overflow where it does not count.
        const F exponent = j < end ? sum - sums[j] : F(0);
        const F value = scale * in[j] * walk.exp(exponent);
        to[j] = j < end && j >= begin ? value : F(0);
      });
      walk.each(shape.chunk - wide, [&](int64_t j) { to[wide + j] = 0; });
    }
  }
};

/// Units: [B G, C]. Adds to d_log_decay_sum and, with a factor, writes dfactor; dscores [L, L] a chunk is
/// overwritten, or added to.
template <class F>
struct DecayScoresBackward {
  ChunkShape shape;
  Borders borders;
  const F* scores;
  int64_t scores_stride;  ///< of scores and dscores
  const F* log_decay_sum;
  const F* factor;
  bool strict;
  F* ddecayed;  ///< [B G, C, heads, L, L]; its contents are lost
  F* dscores;
  F* d_log_decay_sum;
  F* dfactor;
  int64_t origin = 0;  ///< the unit that scores, dscores and ddecayed begin with
  bool adds = false;   ///< to dscores

  template <class Walk>
  AUTOMODEL_ANYWHERE void operator()(int64_t unit, const Walk& walk) const {
    for (int64_t r = 0; r < shape.heads; ++r) {
      const int64_t head_unit = unit * shape.heads + r;
      const HeadChunk at(shape, head_unit);
      for (int64_t i = 0; i < shape.chunk; ++i) row(at, head_unit, i, walk);
    }
  }

 private:
  template <class Walk>
  AUTOMODEL_ANYWHERE void row(const HeadChunk& at, int64_t head_unit, int64_t i, const Walk& walk) const {
    const int64_t chunk = at.n * shape.chunks + at.c - origin;
    const F* in = scores + chunk * scores_stride + i * shape.chunk;
    F* dscore = dscores + chunk * scores_stride + i * shape.chunk;
    F* d = ddecayed + ((head_unit - origin * shape.heads) * shape.chunk + i) * shape.chunk;
    const F* sums = log_decay_sum + at.scalar;
    F* dsums = d_log_decay_sum + at.scalar;
    const int64_t begin = borders.begin(shape, at.row, at.c * shape.chunk + i) - at.c * shape.chunk;
    const int64_t end = strict ? i : i + 1;
    const F sum = sums[i];
    const F scale = factor == nullptr ? F(1) : factor[at.scalar + i];
    if (at.r == 0 && !adds) walk.each(shape.chunk, [&](int64_t j) { dscore[j] = 0; });
    const int64_t wide = whole_lanes(end);
    walk.each(wide, [&](int64_t j) {
      const F exponent = j < end ? sum - sums[j] : F(0);
      const F decay = j < end && j >= begin ? walk.exp(exponent) : F(0);
      const F change = d[j] * decay;
      dscore[j] += scale * change;
      // The diagonal's decay is 1 whatever log_decay_sum is.
      const F product = j < i ? change * in[j] : F(0);
      dsums[j] -= scale * product;
      d[j] = product;
    });
    const F total = walk.template sum<F>(wide, [&](int64_t j) { return d[j]; });
    walk.at(i, [&] {
      if (factor != nullptr) dfactor[at.scalar + i] = total;
      dsums[i] += scale * total;
    });
  }
};

}  // namespace automodel::kernels
