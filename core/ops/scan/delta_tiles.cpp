// B batch, T tokens, G key heads, H value heads, K and V their widths, C chunks, L their length
#include <algorithm>

#include <ATen/ops/empty.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>

#include "core/kernels/delta_rule.h"
#include "core/ops/scan/delta_inputs.h"
#include "core/ops/scan/tiles.h"

namespace automodel::ops {
namespace {

using kernels::Compute;
using kernels::run_units;
using kernels::whole_lanes;
using tensor::Matrix;
using tensor::multiply;

/// What both ways read, of every value head: u = row * H + h. T as in core/kernels/delta_rule.h.
template <class T>
struct TileInputs {
  using F = Compute<T>;
  const DeltaInputs& in;
  kernels::ChunkShape shape;  ///< head by head
  kernels::ChunkShape tile;   ///< of the bodies that are given a tile's own memory
  int64_t L, K, V;

  explicit TileInputs(const DeltaInputs& inputs)
      : in(inputs),
        shape(kernels::head_by_head(inputs.shape)),
        tile{1, shape.chunk, shape.chunk, 1, 1, 1},
        L(shape.chunk),
        K(inputs.rule.key_head_dim),
        V(inputs.rule.value_head_dim) {}

  int64_t heads() const { return shape.batch * shape.groups; }

  /// The chunk of [B G, C] whose keys and queries the head reads.
  int64_t shared(int64_t u, int64_t c) const { return u / in.shape.heads * shape.chunks + c; }

  /// Queries, then keys [2 L, K].
  const F* pairs(int64_t u, int64_t c) const { return data<F>(in.qk) + shared(u, c) * 2 * L * K; }

  const F* keys(int64_t u, int64_t c) const { return pairs(u, c) + L * K; }

  /// Of queries, then of keys [2 L, L].
  const F* scores(int64_t u, int64_t c) const { return data<F>(in.scores) + shared(u, c) * 2 * L * L; }

  F whole(int64_t u, int64_t c) const { return data<F>(in.decays.whole)[u * shape.chunks + c]; }

  /// The unit of the tile's first token, its place in [B, H, T'] too.
  int64_t first_unit(int64_t u, int64_t c) const { return (u * shape.chunks + c) * L; }

  /// A tile of numbers [B, H, T'].
  const F* of(const at::Tensor& x, int64_t u, int64_t c) const { return data<F>(x) + first_unit(u, c); }

  F* to(const at::Tensor& x, int64_t u, int64_t c) const { return mutable_data<F>(x) + first_unit(u, c); }

  int64_t values_begin() const { return 2 * in.key_width(); }

  void read_values(int64_t u, int64_t c, F* values) const {
    const int64_t first = first_unit(u, c);
    const kernels::ReadTile<T> body{
        shape, V, data<T>(in.qkv_BTX) + values_begin(), in.qkv_BTX.size(2), values, first};
    run_units(body, first, first + L);
  }

  /// Of queries on the chunk's own tokens [L, L].
  void form_within(int64_t u, int64_t c, F* within) const {
    decay_tile<F>(shape, in.decays, u, c, scores(u, c), nullptr, /*strict=*/false, within);
  }

  /// (I + A)^-1 [L, L]; A is written over `lower`.
  void invert(int64_t u, int64_t c, F* lower, F* inverse) const {
    decay_tile<F>(shape, in.decays, u, c, scores(u, c) + L * L, data<F>(in.beta), /*strict=*/true, lower);
    run_units(kernels::InvertUnitTriangular<F>{L, lower, inverse}, 0, 1);
  }

  /// residual [L, V].
  void form_residual(int64_t u, int64_t c, const F* values, const F* read, F* residual) const {
    const kernels::DeltaResidual<F> body{
        tile, 0, V, values, read, of(in.decays.in, u, c), of(in.beta, u, c), residual};
    run_units(body, 0, L);
  }

  /// decayed_update = out u [L, V].
  void send(int64_t u, int64_t c, const F* updates, F* decayed_update) const {
    run_units(kernels::DecayedUpdate<F>{tile, 0, V, updates, of(in.decays.out, u, c), decayed_update}, 0, L);
  }

  at::Tensor scratch(int64_t count) const { return at::empty({count}, in.beta.options()); }
};

/// A chunk of a head on the way forward: what it reads, its updates and what they send to the next state.
template <class T>
struct ChunkForward {
  using F = Compute<T>;
  const TileInputs<T>& in;
  F *values, *residual, *decayed_update;  ///< [L, V]
  F* lower;                               ///< [L, L]

  static int64_t memory(const TileInputs<T>& in) { return 3 * whole_lanes(in.L * in.V) + in.L * in.L; }

  ChunkForward(const TileInputs<T>& inputs, Places<F>& places) : in(inputs) {
    for (F** matrix : {&values, &residual, &decayed_update}) *matrix = places.take(in.L * in.V);
    lower = places.take(in.L * in.L);
  }

  /// From the state [K, V] before the chunk: read [2 L, V], inverse [L, L], updates [L, V].
  void update(int64_t u, int64_t c, const F* state, F* read, F* inverse, F* updates) const {
    const int64_t L = in.L, K = in.K, V = in.V;
    if (c == 0) {
      std::fill_n(read, 2 * L * V, F(0));
    } else {
      multiply(2 * L, V, K, Matrix<F>{in.pairs(u, c), K}, Matrix<F>{state, V}, F(0), read, V);
    }
    in.read_values(u, c, values);
    in.invert(u, c, lower, inverse);
    in.form_residual(u, c, values, read, residual);
    multiply(L, V, L, Matrix<F>{inverse, L}, Matrix<F>{residual, V}, F(0), updates, V);
  }

  /// The state before the chunk -> after it. That before the first is not read.
  void carry(int64_t u, int64_t c, const F* updates, F* state) const {
    in.send(u, c, updates, decayed_update);
    const F decay = c == 0 ? F(0) : in.whole(u, c);
    multiply(in.K,
             in.V,
             in.L,
             Matrix<F>{in.keys(u, c), in.K, true},
             Matrix<F>{decayed_update, in.V},
             decay,
             state,
             in.V);
  }
};

/// A head from its first chunk to its last.
template <class T>
struct HeadForward {
  using F = Compute<T>;
  const TileInputs<T>& in;
  T* y;
  Places<F> places;
  ChunkForward<T> chunk;
  F *read, *updates, *own;  ///< [2 L, V], [L, V], [L, V]
  F *inverse, *within;      ///< [L, L]
  F* state;                 ///< [K, V]

  static int64_t memory(const TileInputs<T>& in) {
    return ChunkForward<T>::memory(in) + 4 * whole_lanes(in.L * in.V) + 2 * in.L * in.L +
           whole_lanes(in.K * in.V);
  }

  HeadForward(const TileInputs<T>& inputs, T* outputs, F* memory_of_thread)
      : in(inputs), y(outputs), places(memory_of_thread), chunk(inputs, places) {
    read = places.take(2 * in.L * in.V);
    for (F** matrix : {&updates, &own}) *matrix = places.take(in.L * in.V);
    for (F** matrix : {&inverse, &within}) *matrix = places.take(in.L * in.L);
    state = places.take(in.K * in.V);
  }

  void run(int64_t u) const {
    for (int64_t c = 0; c < in.shape.chunks; ++c) {
      chunk.update(u, c, state, read, inverse, updates);
      in.form_within(u, c, within);
      multiply(in.L, in.V, in.L, Matrix<F>{within, in.L}, Matrix<F>{updates, in.V}, F(0), own, in.V);
      join(u, c);
      if (c + 1 < in.shape.chunks) chunk.carry(u, c, updates, state);
    }
  }

 private:
  void join(int64_t u, int64_t c) const {
    const int64_t first = in.first_unit(u, c);
    const kernels::JoinOutputs<T> body{.shape = in.shape,
                                       .width = in.V,
                                       .within = own,
                                       .read = read,
                                       .read_lines = in.L,
                                       .in = data<F>(in.in.decays.in),
                                       .skip = nullptr,
                                       .x = nullptr,
                                       .stride = 0,
                                       .y = y,
                                       .origin = first};
    run_units(body, first, first + in.L);
  }
};

/// Sums over the heads of a part.
struct Parts {
  int64_t count;       ///< of a group
  at::Tensor dqk;      ///< [count, B G, C, 2 L, K], from the states
  at::Tensor dscores;  ///< [count, B G C, 2 L, L]

  explicit Parts(const DeltaInputs& in)
      : count(parts_of_heads(in.shape)),
        dqk(at::empty({count, in.rows(), in.shape.chunks, 2 * in.shape.chunk, in.rule.key_head_dim},
                      in.beta.options())),
        // Above the diagonal nothing is written.
        dscores(at::zeros({count, in.rows() * in.shape.chunks, 2 * in.shape.chunk, in.shape.chunk},
                          in.beta.options())) {}
};

/// A head's gradients: its chunks formed anew from the first on, then from the last back.
template <class T>
struct HeadBackward {
  using F = Compute<T>;
  const TileInputs<T>& in;
  const T* dy;
  const DeltaGradients& out;
  at::Tensor dfactor;  ///< [B, H, T'], the part of dbeta through A
  F *dqk, *dscores;    ///< of a part and group [C, 2 L, K] and [C, 2 L, L]
  bool adds = false;   ///< to those; else they are written
  Places<F> places;
  ChunkForward<T> chunk;
  F *down, *dupdates, *dresidual, *dvalues, *d_decayed_update;  ///< [L, V]
  F* dread;                                                     ///< [2 L, V]
  F *within, *dwithin;                                          ///< [L, L]; dwithin of A too
  F* dstate;                                                    ///< after the chunk [K, V]
  F *reads, *inverses, *updates, *states;                       ///< of every chunk

  static int64_t memory(const TileInputs<T>& in) {
    return ChunkForward<T>::memory(in) + 7 * whole_lanes(in.L * in.V) + 2 * in.L * in.L +
           whole_lanes(in.K * in.V) +
           in.shape.chunks * (3 * whole_lanes(in.L * in.V) + in.L * in.L + whole_lanes(in.K * in.V));
  }

  HeadBackward(const TileInputs<T>& inputs,
               const T* dy_BTV,
               const DeltaGradients& gradients,
               const at::Tensor& through_factor,
               F* memory_of_thread)
      : in(inputs),
        dy(dy_BTV),
        out(gradients),
        dfactor(through_factor),
        places(memory_of_thread),
        chunk(inputs, places) {
    for (F** matrix : {&down, &dupdates, &dresidual, &dvalues, &d_decayed_update})
      *matrix = places.take(in.L * in.V);
    dread = places.take(2 * in.L * in.V);
    for (F** matrix : {&within, &dwithin}) *matrix = places.take(in.L * in.L);
    dstate = places.take(in.K * in.V);
    reads = places.take(in.shape.chunks * 2 * whole_lanes(in.L * in.V));
    updates = places.take(in.shape.chunks * whole_lanes(in.L * in.V));
    inverses = places.take(in.shape.chunks * in.L * in.L);
    states = places.take(in.shape.chunks * whole_lanes(in.K * in.V));
  }

  void run(int64_t u) const {
    form_chunks(u);
    for (int64_t c = in.shape.chunks - 1; c >= 0; --c) {
      in.read_values(u, c, chunk.values);
      split_outputs(u, c);
      through_own(u, c);
      through_sent(u, c);
      through_residual(u, c);
      through_inverse(u, c);
      to_pairs(u, c);
      write_values(u, c);
      carry(u, c);
    }
  }

 private:
  F* read_of(int64_t c) const { return reads + c * 2 * whole_lanes(in.L * in.V); }

  F* updates_of(int64_t c) const { return updates + c * whole_lanes(in.L * in.V); }

  F* inverse_of(int64_t c) const { return inverses + c * in.L * in.L; }

  F* state_before(int64_t c) const { return states + c * whole_lanes(in.K * in.V); }

  bool is_last(int64_t c) const { return c + 1 == in.shape.chunks; }

  Matrix<F> state(int64_t c, bool transposed = false) const { return {state_before(c), in.V, transposed}; }

  void form_chunks(int64_t u) const {
    for (int64_t c = 0; c < in.shape.chunks; ++c) {
      chunk.update(u, c, state_before(c), read_of(c), inverse_of(c), updates_of(c));
      if (is_last(c)) return;
      if (c > 0) std::copy_n(state_before(c), in.K * in.V, state_before(c + 1));
      chunk.carry(u, c, updates_of(c), state_before(c + 1));
    }
  }

  /// down, the queries' half of dread, and d_log_decay_sum.
  void split_outputs(int64_t u, int64_t c) const {
    const int64_t first = in.first_unit(u, c);
    const kernels::JoinOutputsBackward<T> body{.shape = in.shape,
                                               .width = in.V,
                                               .dy = dy,
                                               .read = read_of(c),
                                               .read_lines = in.L,
                                               .in = data<F>(in.in.decays.in),
                                               .x = nullptr,
                                               .stride = 0,
                                               .dwithin = down,
                                               .dread = dread,
                                               .d_log_decay_sum = mutable_data<F>(out.d_log_decay_sum),
                                               .dskip = nullptr,
                                               .origin = first};
    run_units(body, first, first + in.L);
  }

  /// From the gradient of a decayed matrix, in dwithin, to the half of dscores that begins with `line`.
  void through_decay(int64_t u, int64_t c, int64_t line, bool of_keys) const {
    const int64_t unit = u * in.shape.chunks + c;
    const kernels::DecayScoresBackward<F> body{in.shape,
                                               in.in.decays.borders(),
                                               in.scores(u, c) + line * in.L,
                                               in.L * in.L,
                                               data<F>(in.in.decays.log_decay_sum),
                                               of_keys ? data<F>(in.in.beta) : nullptr,
                                               of_keys,
                                               dwithin,
                                               dscores + (c * 2 * in.L + line) * in.L,
                                               mutable_data<F>(out.d_log_decay_sum),
                                               of_keys ? mutable_data<F>(dfactor) : nullptr,
                                               unit,
                                               /*adds=*/true};
    run_units(body, unit, unit + 1);
  }

  /// Through y = within u: begins dupdates.
  void through_own(int64_t u, int64_t c) const {
    const int64_t L = in.L, V = in.V;
    in.form_within(u, c, within);
    multiply(L, V, L, Matrix<F>{within, L, true}, Matrix<F>{down, V}, F(0), dupdates, V);
    multiply(L, L, V, Matrix<F>{down, V}, Matrix<F>{updates_of(c), V, true}, F(0), dwithin, L);
    through_decay(u, c, 0, /*of_keys=*/false);
  }

  /// Nothing reads the last state.
  void through_sent(int64_t u, int64_t c) const {
    if (is_last(c)) {
      std::fill_n(d_decayed_update, in.L * in.V, F(0));
    } else {
      multiply(in.L,
               in.V,
               in.K,
               Matrix<F>{in.keys(u, c), in.K},
               Matrix<F>{dstate, in.V},
               F(0),
               d_decayed_update,
               in.V);
    }
    const kernels::DecayedUpdateBackward<F> body{in.tile,
                                                 0,
                                                 in.V,
                                                 updates_of(c),
                                                 d_decayed_update,
                                                 in.of(in.in.decays.out, u, c),
                                                 dupdates,
                                                 in.to(out.dout, u, c)};
    run_units(body, 0, in.L);
  }

  /// Writes the keys' half of dread, dvalues and the part of dbeta through the residual.
  void through_residual(int64_t u, int64_t c) const {
    const int64_t L = in.L, V = in.V;
    multiply(L, V, L, Matrix<F>{inverse_of(c), L, true}, Matrix<F>{dupdates, V}, F(0), dresidual, V);
    const kernels::DeltaResidualBackward<F> body{in.tile,
                                                 0,
                                                 V,
                                                 chunk.values,
                                                 read_of(c),
                                                 in.of(in.in.decays.in, u, c),
                                                 in.of(in.in.beta, u, c),
                                                 dresidual,
                                                 dvalues,
                                                 dread,
                                                 in.to(out.dbeta, u, c),
                                                 in.to(out.d_log_decay_sum, u, c)};
    run_units(body, 0, L);
  }

  /// Through u = (I + A)^-1 residual: dA = -dresidual u^T.
  void through_inverse(int64_t u, int64_t c) const {
    const int64_t L = in.L, V = in.V;
    multiply(L, L, V, Matrix<F>{dresidual, V}, Matrix<F>{updates_of(c), V, true}, F(0), dwithin, L, F(-1));
    through_decay(u, c, L, /*of_keys=*/true);
  }

  /// Queries and keys read a state, keys send to one.
  void to_pairs(int64_t u, int64_t c) const {
    const int64_t L = in.L, K = in.K, V = in.V;
    F* const total = dqk + c * 2 * L * K;
    if (c > 0) {
      multiply(2 * L, K, V, Matrix<F>{dread, V}, state(c, true), adds ? F(1) : F(0), total, K);
    } else if (!adds) {
      std::fill_n(total, 2 * L * K, F(0));
    }
    if (is_last(c)) return;
    in.send(u, c, updates_of(c), chunk.decayed_update);
    multiply(L, K, V, Matrix<F>{chunk.decayed_update, V}, Matrix<F>{dstate, V, true}, F(1), total + L * K, K);
  }

  void write_values(int64_t u, int64_t c) const {
    const int64_t first = in.first_unit(u, c);
    const kernels::WriteTile<T> body{in.shape,
                                     in.V,
                                     mutable_data<T>(out.dqkv_BTX) + in.values_begin(),
                                     out.dqkv_BTX.size(2),
                                     dvalues,
                                     first};
    run_units(body, first, first + in.L);
  }

  /// dstate -> of the state before the chunk; writes dwhole.
  void carry(int64_t u, int64_t c) const {
    const int64_t unit = u * in.shape.chunks + c;
    const bool any = c > 0 && !is_last(c);
    const kernels::WholeGradient<F> body{any ? in.K * in.V : 0,
                                         data<F>(in.in.decays.whole),
                                         state_before(c),
                                         dstate,
                                         mutable_data<F>(out.dwhole)};
    run_units(body, unit, unit + 1);
    if (c == 0) return;
    multiply(in.K,
             in.V,
             2 * in.L,
             Matrix<F>{in.pairs(u, c), in.K, true},
             Matrix<F>{dread, in.V},
             is_last(c) ? F(0) : in.whole(u, c),
             dstate,
             in.V);
  }
};

/// The heads of one part of a group.
template <class T>
void run_part(HeadBackward<T>& head, const Parts& parts, int64_t row, int64_t part) {
  using F = Compute<T>;
  const kernels::ChunkShape& shape = head.in.in.shape;
  const int64_t place = (part * shape.batch * shape.groups + row) * shape.chunks * 2 * shape.chunk;
  head.dqk = mutable_data<F>(parts.dqk) + place * head.in.K;
  head.dscores = mutable_data<F>(parts.dscores) + place * shape.chunk;
  const int64_t begin = first_head(shape, part);
  for (int64_t r = begin; r < first_head(shape, part + 1); ++r) {
    head.adds = r > begin;
    head.run(row * shape.heads + r);
  }
}

}  // namespace

at::Tensor delta_on_tiles(const DeltaInputs& inputs) {
  at::Tensor y = inputs.empty_outputs();
  with_element_type(y, kDeltaWhat, [&]<class T>(T) {
    const TileInputs<T> in(inputs);
    at::parallel_for(0, in.heads(), 1, [&](int64_t begin, int64_t end) {
      const at::Tensor memory = in.scratch(HeadForward<T>::memory(in));
      const HeadForward<T> head(in, mutable_data<T>(y), mutable_data<Compute<T>>(memory));
      for (int64_t u = begin; u < end; ++u) head.run(u);
    });
  });
  return y;
}

void delta_backward_on_tiles(const DeltaInputs& inputs,
                             const at::Tensor& dy_BTV,
                             const DeltaGradients& gradients) {
  const Parts parts(inputs);
  const at::Tensor dfactor = empty_as(gradients.dbeta);
  with_element_type(dy_BTV, kDeltaWhat, [&]<class T>(T) {
    const TileInputs<T> in(inputs);
    at::parallel_for(0, inputs.rows() * parts.count, 1, [&](int64_t begin, int64_t end) {
      const at::Tensor memory = in.scratch(HeadBackward<T>::memory(in));
      HeadBackward<T> head(in, data<T>(dy_BTV), gradients, dfactor, mutable_data<Compute<T>>(memory));
      for (int64_t i = begin; i < end; ++i) run_part(head, parts, i % inputs.rows(), i / inputs.rows());
    });
  });
  gradients.dbeta.add_(dfactor);
  gradients.write_keys(inputs, parts.dqk.sum(0), parts.dscores.sum(0));
}

}  // namespace automodel::ops
