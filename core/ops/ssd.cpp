// B batch, T tokens, H heads, P head_dim, G groups, N state_size, C chunks, L their length, X = H P + 2 G N
#include "core/ops/ssd.h"

#include <ATen/ops/bmm.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/zeros.h>

#include "core/kernels/ssd.h"
#include "core/ops/chunks.h"
#include "core/ops/node.h"

namespace automodel::ops {
namespace {

using kernels::Compute;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr const char* kWhat = "a state-space scan";

/// Everything that forward and backward read.
struct Scan {
  const StateSpace& space;
  kernels::ChunkShape shape;
  at::Tensor x_BTX;
  at::Tensor raw_BTH, softplus_BTH;  ///< of the time steps, before and after
  at::Tensor a_H, d_H;
  at::Tensor dt;  ///< [B, H, T']
  Decays decays;
  at::Tensor scaled, sent;   ///< [B G, T', heads, P]
  at::Tensor keys, queries;  ///< B, C [B G C, L, N]
  at::Tensor scores;         ///< [B G C, L, L]
  at::Tensor decayed;        ///< [B G C, heads, L, L]
  at::Tensor states;         ///< before each chunk [B G C, N, heads P]
  at::Tensor read;           ///< by the queries from them [B G C, L, heads P]
  at::Tensor last;           ///< state after the last chunk [B G, N, heads, P]

  Scan(const at::Tensor& x_B_C,
       const at::Tensor& dt_in_BTH,
       const StateSpace& state_space,
       const at::Tensor& first_BT,
       const at::Tensor& state)
      : space(state_space), x_BTX(x_B_C.contiguous()) {
    check_inputs(dt_in_BTH);
    const int64_t groups = space.num_groups;
    shape = cut(x_BTX.size(0), x_BTX.size(1), groups, space.num_heads / groups, space.chunk);
    make_time_steps(dt_in_BTH);
    decays = chunk_decays(dt * a_H.unsqueeze(1), shape, first_BT, state.defined());
    scale_inputs();
    const int64_t values = space.num_heads * space.head_dim;
    keys = in_chunks(per_group(x_BTX.narrow(2, values, groups * space.state_size), shape, type()));
    queries = in_chunks(per_group(
        x_BTX.narrow(2, values + groups * space.state_size, groups * space.state_size), shape, type()));
    scores = at::bmm(queries, keys.transpose(1, 2));
    decayed = decay_scores(decays, scores, 0, {}, /*strict=*/false);
    carry_states(state);
    read = at::bmm(queries, states);
  }

  at::ScalarType type() const { return sum_type(x_BTX); }

  /// [B G, T', ...] -> [B G C, L, the rest as one].
  at::Tensor in_chunks(const at::Tensor& x) const {
    return x.view({shape.batch * shape.groups * shape.chunks, shape.chunk, -1});
  }

  /// [B G C, L, heads P] of one head.
  at::Tensor of(const at::Tensor& x, int64_t head) const {
    return in_chunks(x).narrow(2, head * space.head_dim, space.head_dim);
  }

  int64_t head_tokens() const { return shape.batch * shape.padded() * shape.all_heads(); }

  /// y [B, T, H P].
  at::Tensor outputs() const {
    at::Tensor within = empty_as(scaled);
    for (int64_t head = 0; head < shape.heads; ++head) {
      at::Tensor part = of(within, head);
      at::bmm_out(part, decayed.select(1, head), of(scaled, head));
    }
    at::Tensor y = at::empty({shape.batch, shape.length, space.num_heads * space.head_dim}, x_BTX.options());
    with_element_type(x_BTX, kWhat, [&]<class T>(T) {
      using F = Compute<T>;
      run_body(y,
               kernels::JoinOutputs<T>{shape,
                                       space.head_dim,
                                       data<F>(within),
                                       data<F>(read),
                                       shape.chunk,
                                       data<F>(decays.in),
                                       data<F>(d_H),
                                       data<T>(x_BTX),
                                       x_BTX.size(2),
                                       mutable_data<T>(y)},
               head_tokens(),
               kHeadTokensAThread);
    });
    return y;
  }

 private:
  void check_inputs(const at::Tensor& dt_in_BTH) const {
    const int64_t width = space.num_heads * space.head_dim + 2 * space.num_groups * space.state_size;
    check(x_BTX.dim() == 3 && x_BTX.size(2) == width && dt_in_BTH.size(2) == space.num_heads,
          ErrorCode::kInvalidArgument,
          "a state-space scan of ",
          width,
          " channels and ",
          space.num_heads,
          " heads got ",
          x_BTX.sizes(),
          " and ",
          dt_in_BTH.sizes());
    check(space.num_groups > 0 && space.num_heads % space.num_groups == 0,
          ErrorCode::kInvalidArgument,
          "a state-space scan of ",
          space.num_heads,
          " heads in ",
          space.num_groups,
          " groups: not a whole number each");
  }

  void make_time_steps(const at::Tensor& dt_in_BTH) {
    raw_BTH = dt_in_BTH.to(type()) + space.dt_bias.value().to(type());
    softplus_BTH = at::softplus(raw_BTH);
    dt = per_head(at::clamp(softplus_BTH, space.dt_min, space.dt_max), shape);
    a_H = space.a_log.value().to(type()).exp().neg_();
    d_H = space.d.value().to(type()).contiguous();
  }

  void scale_inputs() {
    const auto options = x_BTX.options().dtype(type());
    scaled = at::empty({shape.batch * shape.groups, shape.padded(), shape.heads, space.head_dim}, options);
    sent = empty_as(scaled);
    with_element_type(x_BTX, kWhat, [&]<class T>(T) {
      using F = Compute<T>;
      run_body(x_BTX,
               kernels::SsdInputs<T>{shape,
                                     space.head_dim,
                                     data<T>(x_BTX),
                                     x_BTX.size(2),
                                     data<F>(dt),
                                     data<F>(decays.out),
                                     mutable_data<F>(scaled),
                                     mutable_data<F>(sent)},
               head_tokens(),
               kHeadTokensAThread);
    });
  }

  void carry_states(const at::Tensor& state) {
    states = at::bmm(keys.transpose(1, 2), in_chunks(sent));
    const std::vector<int64_t> sizes = {
        shape.batch * shape.groups, space.state_size, shape.heads, space.head_dim};
    last = state.defined() ? state.clone() : at::zeros(sizes, states.options());
    check(last.sizes() == at::IntArrayRef(sizes),
          ErrorCode::kInvalidArgument,
          "cache: a state ",
          last.sizes(),
          " does not fit ",
          at::IntArrayRef(sizes));
    with_element_type(states, kWhat, [&]<class T>(T) {
      using F = Compute<T>;
      run_body(states,
               kernels::CarryStates<F>{shape,
                                       space.state_size,
                                       space.head_dim,
                                       data<F>(decays.whole),
                                       mutable_data<F>(states),
                                       mutable_data<F>(last)},
               shape.batch * shape.all_heads(),
               1);
    });
  }
};

/// The gradients of a scan.
struct ScanBackward {
  const Scan& scan;
  const kernels::ChunkShape& shape;
  at::Tensor dy_BTV;
  at::Tensor dwithin, dread;  ///< [B G, T', heads, P]
  at::Tensor dcum, dout, ddt, dskip, dwhole;
  at::Tensor dx_BTX;

  ScanBackward(const Scan& forward, const at::Tensor& dy)
      : scan(forward), shape(forward.shape), dy_BTV(dy.contiguous()) {
    split_outputs();
    at::Tensor dscaled = empty_as(dwithin);
    at::Tensor dscores = through_scores(dscaled);
    at::Tensor dqueries =
        at::bmm(scan.in_chunks(dread), scan.states.transpose(1, 2)).baddbmm_(dscores, scan.keys);
    const at::Tensor dstates = through_states();
    at::Tensor dkeys = at::bmm(scan.in_chunks(scan.sent), dstates.transpose(1, 2))
                           .baddbmm_(dscores.transpose(1, 2), scan.queries);
    join_inputs(dscaled, at::bmm(scan.keys, dstates));
    const int64_t values = scan.space.num_heads * scan.space.head_dim;
    const int64_t width = scan.space.num_groups * scan.space.state_size;
    copy_from_groups(grouped(dkeys), shape, dx_BTX.narrow(2, values, width));
    copy_from_groups(grouped(dqueries), shape, dx_BTX.narrow(2, values + width, width));
  }

  /// The gradient of dt_in; those of A_log, dt_bias and D go to the sink.
  at::Tensor finish(GradSink& sink) const {
    const StateSpace& space = scan.space;
    const at::Tensor dg = chunk_decays_backward(scan.decays, dcum, dout, dwhole);
    if (space.a_log.unit->trainable())
      sink.add(space.a_log, (dg * scan.dt).sum(at::IntArrayRef({0, 2})).mul_(scan.a_H));
    if (space.d.unit->trainable()) sink.add(space.d, dskip.sum(at::IntArrayRef({0, 2})));
    const at::Tensor& steps = scan.softplus_BTH;
    at::Tensor draw_BTH = per_token(ddt + dg * scan.a_H.unsqueeze(1), shape) * scan.raw_BTH.sigmoid();
    draw_BTH.masked_fill_(steps.lt(space.dt_min).logical_or_(steps.gt(space.dt_max)), 0);
    if (space.dt_bias.unit->trainable()) sink.add(space.dt_bias, draw_BTH.sum(at::IntArrayRef({0, 1})));
    return draw_BTH;
  }

 private:
  at::Tensor grouped(const at::Tensor& x) const {
    return x.view({shape.batch * shape.groups, shape.padded(), -1});
  }

  void split_outputs() {
    dwithin = empty_as(scan.scaled);
    dread = empty_as(scan.scaled);
    dcum = empty_as(scan.dt);
    dout = empty_as(scan.dt);
    ddt = empty_as(scan.dt);
    dskip = empty_as(scan.dt);
    dwhole = empty_as(scan.decays.whole);
    dx_BTX = empty_as(scan.x_BTX);
    with_element_type(scan.x_BTX, kWhat, [&]<class T>(T) {
      using F = Compute<T>;
      run_body(dy_BTV,
               kernels::JoinOutputsBackward<T>{shape,
                                               scan.space.head_dim,
                                               data<T>(dy_BTV),
                                               data<F>(scan.read),
                                               shape.chunk,
                                               data<F>(scan.decays.in),
                                               data<T>(scan.x_BTX),
                                               scan.x_BTX.size(2),
                                               mutable_data<F>(dwithin),
                                               mutable_data<F>(dread),
                                               mutable_data<F>(dcum),
                                               mutable_data<F>(dskip)},
               scan.head_tokens(),
               kHeadTokensAThread);
    });
  }

  /// Writes dscaled, adds to dcum; the gradient of the scores.
  at::Tensor through_scores(const at::Tensor& dscaled) {
    at::Tensor ddecayed = empty_as(scan.decayed);
    for (int64_t head = 0; head < shape.heads; ++head) {
      const at::Tensor d = scan.of(dwithin, head);
      at::Tensor to_scores = ddecayed.select(1, head);
      at::Tensor to_values = scan.of(dscaled, head);
      at::bmm_out(to_scores, d, scan.of(scan.scaled, head).transpose(1, 2));
      at::bmm_out(to_values, scan.decayed.select(1, head).transpose(1, 2), d);
    }
    at::Tensor dscores = empty_as(scan.scores);
    decay_scores_backward(scan.decays, scan.scores, 0, {}, false, ddecayed, dscores, dcum, {});
    return dscores;
  }

  /// The gradient of the state after each chunk [B G C, N, heads P]; writes dwhole.
  at::Tensor through_states() {
    at::Tensor dstates = at::bmm(scan.queries.transpose(1, 2), scan.in_chunks(dread));
    at::Tensor carried = at::zeros(scan.last.sizes(), scan.last.options());
    with_element_type(dstates, kWhat, [&]<class T>(T) {
      using F = Compute<T>;
      run_body(dstates,
               kernels::CarryStatesBackward<F>{shape,
                                               scan.space.state_size,
                                               scan.space.head_dim,
                                               data<F>(scan.decays.whole),
                                               data<F>(scan.states),
                                               mutable_data<F>(dstates),
                                               mutable_data<F>(carried),
                                               mutable_data<F>(dwhole)},
               shape.batch * shape.all_heads(),
               1);
    });
    return dstates;
  }

  void join_inputs(const at::Tensor& dscaled, const at::Tensor& dsent) {
    with_element_type(scan.x_BTX, kWhat, [&]<class T>(T) {
      using F = Compute<T>;
      run_body(dy_BTV,
               kernels::SsdInputsBackward<T>{shape,
                                             scan.space.head_dim,
                                             data<T>(scan.x_BTX),
                                             data<T>(dy_BTV),
                                             scan.x_BTX.size(2),
                                             data<F>(scan.dt),
                                             data<F>(scan.decays.out),
                                             data<F>(scan.d_H),
                                             data<F>(scan.scaled),
                                             mutable_data<F>(dscaled),
                                             data<F>(dsent),
                                             mutable_data<T>(dx_BTX),
                                             mutable_data<F>(ddt),
                                             mutable_data<F>(dout)},
               scan.head_tokens(),
               kHeadTokensAThread);
    });
  }
};

struct SsdNode {
  StateSpace space;
  at::Tensor first;
  GradSink* sink;
};

class SsdFunction : public torch::autograd::Function<SsdFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx,
                            const at::Tensor& x_B_C,
                            const at::Tensor& dt_in,
                            const at::Tensor& /*anchor*/,
                            const StateSpace& space,
                            const Untracked& first,
                            const OpContext& context) {
    ctx->save_for_backward({x_B_C, dt_in});
    keep(ctx, SsdNode{space, first.value, context.sink});
    return Scan(x_B_C, dt_in, space, first.value, {}).outputs();
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& node = kept<SsdNode>(ctx);
    const auto saved = ctx->get_saved_variables();
    const Scan scan(saved[0], saved[1], node.space, node.first, {});
    const ScanBackward backward(scan, grads[0]);
    return {backward.dx_BTX, backward.finish(*node.sink).to(saved[1].scalar_type()), {}, {}, {}, {}};
  }
};

/// A leaf that requires a gradient where any of the parameters learns.
const at::Tensor& anchor_of(const StateSpace& space) {
  for (const tensor::Weight& weight : {space.a_log, space.dt_bias, space.d}) {
    if (weight.unit->trainable()) return weight.unit->anchor();
  }
  return space.a_log.unit->anchor();
}

}  // namespace

at::Tensor ssd(const at::Tensor& x_B_C,
               const at::Tensor& dt_in_BTH,
               const StateSpace& space,
               const at::Tensor& first_BT,
               const OpContext& context) {
  return SsdFunction::apply(x_B_C, dt_in_BTH, anchor_of(space), space, Untracked{first_BT}, context);
}

at::Tensor ssd_next(const at::Tensor& x_B_C,
                    const at::Tensor& dt_in_BTH,
                    const StateSpace& space,
                    at::Tensor& state) {
  const c10::NoGradGuard no_grad;
  const Scan scan(x_B_C, dt_in_BTH, space, {}, state);
  state = scan.last;
  return scan.outputs();
}

}  // namespace automodel::ops
