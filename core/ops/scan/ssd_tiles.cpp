// B batch, T tokens, H heads, P head_dim, G groups, N state_size, C chunks, L their length
#include <algorithm>

#include <ATen/ops/empty.h>
#include <ATen/ops/sum.h>

#include "core/kernels/ssd.h"
#include "core/ops/batched_product.h"
#include "core/ops/scan/ssd_inputs.h"
#include "core/ops/scan/tiles.h"

namespace automodel::ops {
namespace {

using kernels::Compute;
using kernels::run_units;
using tensor::multiply;

/// What both ways read, of every head: u = row * H + h. T as in core/kernels/ssd.h.
template <class T>
struct TileInputs {
  using F = Compute<T>;
  const SsdInputs& in;
  kernels::ChunkShape shape;  ///< head by head
  int64_t L, P, N;
  const F *keys, *queries, *scores, *whole;

  explicit TileInputs(const SsdInputs& inputs)
      : in(inputs),
        shape(kernels::head_by_head(inputs.shape)),
        L(shape.chunk),
        P(inputs.space.head_dim),
        N(inputs.space.state_size),
        keys(data<F>(inputs.keys)),
        queries(data<F>(inputs.queries)),
        scores(data<F>(inputs.scores)),
        whole(data<F>(inputs.decays.whole)) {}

  int64_t heads() const { return shape.batch * shape.groups; }

  /// The chunk of [B G, C] whose keys and queries the head reads.
  int64_t shared(int64_t u, int64_t c) const { return u / in.shape.heads * shape.chunks + c; }

  tensor::Matrix<F> key(int64_t u, int64_t c, bool transposed = false) const {
    return {keys + shared(u, c) * L * N, N, transposed};
  }

  tensor::Matrix<F> query(int64_t u, int64_t c, bool transposed = false) const {
    return {queries + shared(u, c) * L * N, N, transposed};
  }

  const F* scores_of(int64_t u, int64_t c) const { return scores + shared(u, c) * L * L; }

  F whole_of(int64_t u, int64_t c) const { return whole[u * shape.chunks + c]; }

  /// The unit of the tile's first token.
  int64_t first_unit(int64_t u, int64_t c) const { return (u * shape.chunks + c) * L; }

  /// scaled and decayed_update [L, P].
  void scale(int64_t u, int64_t c, F* scaled, F* decayed_update) const {
    const int64_t first = first_unit(u, c);
    const kernels::SsdInputs<T> body{shape,
                                     P,
                                     data<T>(in.x_BTX),
                                     in.x_BTX.size(2),
                                     data<F>(in.dt),
                                     data<F>(in.decays.out),
                                     scaled,
                                     decayed_update,
                                     first};
    run_units(body, first, first + L);
  }

  /// decayed [L, L].
  void decay(int64_t u, int64_t c, F* decayed) const {
    decay_tile<F>(shape, in.decays, u, c, scores_of(u, c), nullptr, /*strict=*/false, decayed);
  }

  /// Memory of one thread: `count` numbers, at the boundary of a vector.
  at::Tensor scratch(int64_t count) const { return at::empty({count}, in.dt.options()); }
};

/// A head from its first chunk to its last.
template <class T>
struct HeadForward {
  using F = Compute<T>;
  const TileInputs<T>& in;
  T* y;
  F *scaled, *decayed_update, *within, *read;  ///< [L, P]
  F* decayed;                                  ///< [L, L]
  F* state;                                    ///< [N, P]

  static int64_t memory(const TileInputs<T>& in) {
    return 4 * kernels::whole_lanes(in.L * in.P) + in.L * in.L + kernels::whole_lanes(in.N * in.P);
  }

  HeadForward(const TileInputs<T>& inputs, T* outputs, F* memory) : in(inputs), y(outputs) {
    Places<F> places(memory);
    for (F** tile : {&scaled, &decayed_update, &within, &read}) *tile = places.take(in.L * in.P);
    decayed = places.take(in.L * in.L);
    state = places.take(in.N * in.P);
  }

  void run(int64_t u) const {
    const int64_t L = in.L, P = in.P, N = in.N;
    std::fill_n(read, L * P, F(0));
    for (int64_t c = 0; c < in.shape.chunks; ++c) {
      in.scale(u, c, scaled, decayed_update);
      in.decay(u, c, decayed);
      multiply(L, P, L, {decayed, L}, {scaled, P}, F(0), within, P);
      if (c > 0) multiply(L, P, N, in.query(u, c), {state, P}, F(0), read, P);
      join(u, c);
      if (c + 1 == in.shape.chunks) return;
      multiply(N, P, L, in.key(u, c, true), {decayed_update, P}, c == 0 ? F(0) : in.whole_of(u, c), state, P);
    }
  }

 private:
  void join(int64_t u, int64_t c) const {
    const int64_t first = in.first_unit(u, c);
    const kernels::JoinOutputs<T> body{in.shape,
                                       in.P,
                                       within,
                                       read,
                                       in.L,
                                       data<F>(in.in.decays.in),
                                       data<F>(in.in.d_H),
                                       data<T>(in.in.x_BTX),
                                       in.in.x_BTX.size(2),
                                       y,
                                       first};
    run_units(body, first, first + in.L);
  }
};

/// Sums over the heads of a part.
struct Parts {
  int64_t count;               ///< of a group
  at::Tensor dqueries, dkeys;  ///< [count, B G C, L, N], from the states
  at::Tensor dscores;          ///< [count, B G C, L, L]

  explicit Parts(const SsdInputs& in) {
    count = parts_of_heads(in.shape);
    const int64_t chunks = in.shape.batch * in.shape.groups * in.shape.chunks;
    dqueries = at::empty({count, chunks, in.shape.chunk, in.space.state_size}, in.dt.options());
    dkeys = empty_as(dqueries);
    dscores = at::empty({count, chunks, in.shape.chunk, in.shape.chunk}, in.dt.options());
  }
};

/// A head's gradients, its states formed anew from the first chunk on, then from the last chunk back.
template <class T>
struct HeadBackward {
  using F = Compute<T>;
  const TileInputs<T>& in;
  const T* dy;
  const SsdGradients& out;
  F *dqueries, *dkeys, *dscores;  ///< of a part and group [C, L, N] and [C, L, L]
  bool adds = false;              ///< to those; else they are written
  F *scaled, *decayed_update, *dwithin, *dread, *dscaled, *d_decayed_update;  ///< [L, P]
  F *decayed, *ddecayed;                                                      ///< [L, L]
  F* dquery;                                                                  ///< [L, N]
  F* states;  ///< before each chunk but the first [C - 1, P, N]
  F* dstate;  ///< after the chunk [P, N]

  static int64_t memory(const TileInputs<T>& in) {
    return 6 * kernels::whole_lanes(in.L * in.P) + 2 * in.L * in.L + in.L * in.N +
           in.shape.chunks * kernels::whole_lanes(in.N * in.P);
  }

  HeadBackward(const TileInputs<T>& inputs, const T* dy_BTV, const SsdGradients& gradients, F* memory)
      : in(inputs), dy(dy_BTV), out(gradients) {
    Places<F> places(memory);
    for (F** tile : {&scaled, &decayed_update, &dwithin, &dread, &dscaled, &d_decayed_update})
      *tile = places.take(in.L * in.P);
    decayed = places.take(in.L * in.L);
    ddecayed = places.take(in.L * in.L);
    dquery = places.take(in.L * in.N);
    dstate = places.take(in.N * in.P);
    states = places.take(0);
  }

  void run(int64_t u) const {
    form_states(u);
    for (int64_t c = in.shape.chunks - 1; c >= 0; --c) {
      in.scale(u, c, scaled, decayed_update);
      split_outputs(u, c);
      through_scores(u, c);
      through_read(u, c);
      through_sent(u, c);
      join_inputs(u, c);
      const bool last = c + 1 == in.shape.chunks;
      if (c > 0)
        multiply(in.P,
                 in.N,
                 in.L,
                 {dread, in.P, true},
                 in.query(u, c),
                 last ? F(0) : in.whole_of(u, c),
                 dstate,
                 in.N);
    }
  }

 private:
  /// Before chunk c > 0.
  F* state(int64_t c) const { return states + (c - 1) * kernels::whole_lanes(in.N * in.P); }

  void form_states(int64_t u) const {
    const int64_t size = in.N * in.P;
    for (int64_t c = 0; c + 1 < in.shape.chunks; ++c) {
      in.scale(u, c, scaled, decayed_update);
      if (c > 0) std::copy_n(state(c), size, state(c + 1));
      const F decay = c == 0 ? F(0) : in.whole_of(u, c);
      multiply(in.P, in.N, in.L, {decayed_update, in.P, true}, in.key(u, c), decay, state(c + 1), in.N);
    }
  }

  void split_outputs(int64_t u, int64_t c) const {
    const int64_t first = in.first_unit(u, c);
    const kernels::JoinOutputsBackward<T> body{in.shape,
                                               in.P,
                                               dy,
                                               nullptr,
                                               in.L,
                                               data<F>(in.in.decays.in),
                                               data<T>(in.in.x_BTX),
                                               in.in.x_BTX.size(2),
                                               dwithin,
                                               dread,
                                               mutable_data<F>(out.d_log_decay_sum),
                                               mutable_data<F>(out.dskip),
                                               first};
    run_units(body, first, first + in.L);
  }

  void through_scores(int64_t u, int64_t c) const {
    const int64_t L = in.L, P = in.P;
    in.decay(u, c, decayed);
    multiply(L, P, L, {decayed, L, true}, {dwithin, P}, F(0), dscaled, P);
    multiply(L, L, P, {dwithin, P}, {scaled, P, true}, F(0), ddecayed, L);
    const int64_t unit = u * in.shape.chunks + c;
    const kernels::DecayScoresBackward<F> body{in.shape,
                                               in.in.decays.borders(),
                                               in.scores_of(u, c),
                                               L * L,
                                               data<F>(in.in.decays.log_decay_sum),
                                               nullptr,
                                               /*strict=*/false,
                                               ddecayed,
                                               dscores + c * L * L,
                                               mutable_data<F>(out.d_log_decay_sum),
                                               nullptr,
                                               unit,
                                               adds};
    run_units(body, unit, unit + 1);
  }

  void through_read(int64_t u, int64_t c) const {
    F* const total = dqueries + c * in.L * in.N;
    if (c == 0) {
      if (!adds) std::fill_n(total, in.L * in.N, F(0));
      return;
    }
    multiply(in.L, in.N, in.P, {dread, in.P}, {state(c), in.N}, F(0), dquery, in.N);
    const int64_t first = in.first_unit(u, c);
    const kernels::AddQueryGradient<F> body{
        in.N, in.query(u, c).data, dquery, total, mutable_data<F>(out.d_log_decay_sum), first, adds};
    run_units(body, first, first + in.L);
  }

  void through_sent(int64_t u, int64_t c) const {
    F* const total = dkeys + c * in.L * in.N;
    const int64_t unit = u * in.shape.chunks + c;
    if (c + 1 == in.shape.chunks) {  // nothing reads the last state
      if (!adds) std::fill_n(total, in.L * in.N, F(0));
      std::fill_n(d_decayed_update, in.L * in.P, F(0));
      mutable_data<F>(out.dwhole)[unit] = 0;
      return;
    }
    multiply(in.L, in.N, in.P, {decayed_update, in.P}, {dstate, in.N}, adds ? F(1) : F(0), total, in.N);
    multiply(in.L, in.P, in.N, in.key(u, c), {dstate, in.N, true}, F(0), d_decayed_update, in.P);
    // The state before the first chunk is zero.
    const kernels::WholeGradient<F> body{
        c == 0 ? 0 : in.N * in.P, in.whole, c == 0 ? dstate : state(c), dstate, mutable_data<F>(out.dwhole)};
    run_units(body, unit, unit + 1);
  }

  void join_inputs(int64_t u, int64_t c) const {
    const int64_t first = in.first_unit(u, c);
    const kernels::SsdInputsBackward<T> body{in.shape,
                                             in.P,
                                             data<T>(in.in.x_BTX),
                                             dy,
                                             in.in.x_BTX.size(2),
                                             data<F>(in.in.dt),
                                             data<F>(in.in.decays.out),
                                             data<F>(in.in.d_H),
                                             scaled,
                                             dscaled,
                                             d_decayed_update,
                                             mutable_data<T>(out.dx_BTX),
                                             mutable_data<F>(out.ddt),
                                             mutable_data<F>(out.dout),
                                             first};
    run_units(body, first, first + in.L);
  }
};

/// The heads of one part of a group.
template <class T>
void run_part(HeadBackward<T>& head, const Parts& parts, int64_t row, int64_t part) {
  using F = Compute<T>;
  const kernels::ChunkShape& shape = head.in.in.shape;
  const int64_t place = (part * shape.batch * shape.groups + row) * shape.chunks * shape.chunk;
  head.dqueries = mutable_data<F>(parts.dqueries) + place * head.in.N;
  head.dkeys = mutable_data<F>(parts.dkeys) + place * head.in.N;
  head.dscores = mutable_data<F>(parts.dscores) + place * shape.chunk;
  const int64_t begin = first_head(shape, part);
  for (int64_t r = begin; r < first_head(shape, part + 1); ++r) {
    head.adds = r > begin;
    head.run(row * shape.heads + r);
  }
}

}  // namespace

at::Tensor ssd_on_tiles(const SsdInputs& inputs) {
  at::Tensor y = inputs.empty_outputs();
  with_element_type(y, kSsdWhat, [&]<class T>(T) {
    const TileInputs<T> in(inputs);
    at::parallel_for(0, in.heads(), 1, [&](int64_t begin, int64_t end) {
      const at::Tensor memory = in.scratch(HeadForward<T>::memory(in));
      const HeadForward<T> head(in, mutable_data<T>(y), mutable_data<Compute<T>>(memory));
      for (int64_t u = begin; u < end; ++u) head.run(u);
    });
  });
  return y;
}

void ssd_backward_on_tiles(const SsdInputs& inputs, const at::Tensor& dy_BTV, const SsdGradients& gradients) {
  const Parts parts(inputs);
  with_element_type(dy_BTV, kSsdWhat, [&]<class T>(T) {
    const TileInputs<T> in(inputs);
    const int64_t rows = inputs.shape.batch * inputs.shape.groups;
    at::parallel_for(0, rows * parts.count, 1, [&](int64_t begin, int64_t end) {
      const at::Tensor memory = in.scratch(HeadBackward<T>::memory(in));
      HeadBackward<T> head(in, data<T>(dy_BTV), gradients, mutable_data<Compute<T>>(memory));
      for (int64_t i = begin; i < end; ++i) run_part(head, parts, i % rows, i / rows);
    });
  });
  const at::Tensor dscores = parts.dscores.sum(0);
  const at::Tensor dqueries = parts.dqueries.sum(0), dkeys = parts.dkeys.sum(0);
  batched_product_out(dscores, inputs.keys, dqueries, /*accumulate=*/true);
  batched_product_out(dscores.transpose(1, 2), inputs.queries, dkeys, /*accumulate=*/true);
  gradients.write_keys(inputs, dkeys, dqueries);
}

}  // namespace automodel::ops
