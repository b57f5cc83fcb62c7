#pragma once

// For core/ops/*_tiles.cpp only: the chunked scans, a chunk of a head at a time in a CPU's cache.

#include <algorithm>

#include "core/kernels/scan_tile.h"
#include "core/ops/scan/chunks.h"
#include "core/tensor/matrix_product.h"

namespace automodel::ops {

/// Places in a thread's memory.
template <class F>
class Places {
 public:
  explicit Places(F* memory) : next_(memory) {}

  F* take(int64_t count) {
    F* const taken = next_;
    next_ += kernels::whole_lanes(count);
    return taken;
  }

 private:
  F* next_;
};

/// Gradients of what the heads of a group share are summed a *part* of its heads at a time, then over the
/// parts: as many whatever the number of threads, so that the result does not depend on it.
inline int64_t parts_of_heads(const kernels::ChunkShape& shape) {
  constexpr int64_t kUnits = 8;
  const int64_t rows = shape.batch * shape.groups;
  return std::min(shape.heads, (kUnits + rows - 1) / rows);
}

/// The first head of a part of a group; that of the part after the last is their number.
inline int64_t first_head(const kernels::ChunkShape& shape, int64_t part) {
  return shape.heads * part / parts_of_heads(shape);
}

/// decayed [L, L] of head u = row * H + h in chunk c. `shape` is head by head; scores [L, L] are the tile's.
template <class F>
void decay_tile(const kernels::ChunkShape& shape,
                const Decays& decays,
                int64_t u,
                int64_t c,
                const F* scores,
                const F* factor,
                bool strict,
                F* decayed) {
  const int64_t unit = u * shape.chunks + c;
  const kernels::DecayScores<F> body{shape,
                                     decays.borders(),
                                     scores,
                                     shape.chunk * shape.chunk,
                                     data<F>(decays.log_decay_sum),
                                     factor,
                                     strict,
                                     decayed,
                                     unit};
  kernels::run_units(body, unit, unit + 1);
}

}  // namespace automodel::ops
