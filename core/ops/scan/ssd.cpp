// B batch, T tokens, H heads, P head_dim, G groups, N state_size, C chunks, L their length, X = H P + 2 G N
#include "core/ops/scan/ssd.h"

#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "core/kernels/ssd.h"
#include "core/ops/node.h"
#include "core/ops/scan/ssd_inputs.h"

namespace automodel::ops {
namespace {

using kernels::Compute;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Everything that forward and backward read where the products are over all heads at once.
struct Scan : SsdInputs {
  at::Tensor scaled, decayed_update;  ///< [B G, T', heads, P]
  at::Tensor decayed;                 ///< [B G C, heads, L, L]
  at::Tensor states;                  ///< before each chunk [B G C, N, heads P]
  at::Tensor read;                    ///< by the queries from them [B G C, L, heads P]
  at::Tensor last;                    ///< state after the last chunk [B G, N, heads, P]

  Scan(SsdInputs inputs, const at::Tensor& state) : SsdInputs(std::move(inputs)) {
    scale_inputs();
    decayed = decay_scores(decays, scores, 0, {}, /*strict=*/false);
    carry_states(state);
    read = at::bmm(queries, states);
  }

  /// [B G C, L, heads P] of one head.
  at::Tensor of(const at::Tensor& x, int64_t head) const {
    return in_chunks(x).narrow(2, head * space.head_dim, space.head_dim);
  }

  /// y [B, T, H P].
  at::Tensor outputs() const {
    at::Tensor within = empty_as(scaled);
    for (int64_t head = 0; head < shape.heads; ++head) {
      at::Tensor part = of(within, head);
      at::bmm_out(part, decayed.select(1, head), of(scaled, head));
    }
    at::Tensor y = empty_outputs();
    with_element_type(x_BTX, kSsdWhat, [&]<class T>(T) {
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
               kHeadTokensPerThread);
    });
    return y;
  }

 private:
  void scale_inputs() {
    const auto options = x_BTX.options().dtype(type());
    scaled = at::empty({shape.batch * shape.groups, shape.padded(), shape.heads, space.head_dim}, options);
    decayed_update = empty_as(scaled);
    with_element_type(x_BTX, kSsdWhat, [&]<class T>(T) {
      using F = Compute<T>;
      run_body(x_BTX,
               kernels::SsdInputs<T>{shape,
                                     space.head_dim,
                                     data<T>(x_BTX),
                                     x_BTX.size(2),
                                     data<F>(dt),
                                     data<F>(decays.out),
                                     mutable_data<F>(scaled),
                                     mutable_data<F>(decayed_update)},
               head_tokens(),
               kHeadTokensPerThread);
    });
  }

  void carry_states(const at::Tensor& state) {
    states = at::bmm(keys.transpose(1, 2), in_chunks(decayed_update));
    const std::vector<int64_t> sizes = {
        shape.batch * shape.groups, space.state_size, shape.heads, space.head_dim};
    last = state.defined() ? state.clone() : at::zeros(sizes, states.options());
    check(last.sizes() == at::IntArrayRef(sizes),
          ErrorCode::kInvalidArgument,
          "cache: a state ",
          last.sizes(),
          " does not fit ",
          at::IntArrayRef(sizes));
    with_element_type(states, kSsdWhat, [&]<class T>(T) {
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

/// The gradients of a scan by products.
struct ScanBackward : SsdGradients {
  const Scan& scan;
  const kernels::ChunkShape& shape;
  at::Tensor dy_BTV;
  at::Tensor dwithin, dread;  ///< [B G, T', heads, P]

  ScanBackward(const Scan& forward, const at::Tensor& dy)
      : SsdGradients(forward), scan(forward), shape(forward.shape), dy_BTV(dy.contiguous()) {
    split_outputs();
    at::Tensor dscaled = empty_as(dwithin);
    at::Tensor dscores = through_scores(dscaled);
    const at::Tensor dqueries =
        at::bmm(scan.in_chunks(dread), scan.states.transpose(1, 2)).baddbmm_(dscores, scan.keys);
    const at::Tensor dstates = through_states();
    const at::Tensor dkeys = at::bmm(scan.in_chunks(scan.decayed_update), dstates.transpose(1, 2))
                                 .baddbmm_(dscores.transpose(1, 2), scan.queries);
    join_inputs(dscaled, at::bmm(scan.keys, dstates));
    write_keys(scan, dkeys, dqueries);
  }

 private:
  void split_outputs() {
    dwithin = empty_as(scan.scaled);
    dread = empty_as(scan.scaled);
    with_element_type(scan.x_BTX, kSsdWhat, [&]<class T>(T) {
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
                                               mutable_data<F>(d_log_decay_sum),
                                               mutable_data<F>(dskip)},
               scan.head_tokens(),
               kHeadTokensPerThread);
    });
  }

  /// Writes dscaled, adds to d_log_decay_sum; the gradient of the scores.
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
    decay_scores_backward(scan.decays, scan.scores, 0, {}, false, ddecayed, dscores, d_log_decay_sum, {});
    return dscores;
  }

  /// The gradient of the state after each chunk [B G C, N, heads P]; writes dwhole.
  at::Tensor through_states() {
    at::Tensor dstates = at::bmm(scan.queries.transpose(1, 2), scan.in_chunks(dread));
    at::Tensor carried = at::zeros(scan.last.sizes(), scan.last.options());
    with_element_type(dstates, kSsdWhat, [&]<class T>(T) {
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

  void join_inputs(const at::Tensor& dscaled, const at::Tensor& d_decayed_update) {
    with_element_type(scan.x_BTX, kSsdWhat, [&]<class T>(T) {
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
                                             data<F>(d_decayed_update),
                                             mutable_data<T>(dx_BTX),
                                             mutable_data<F>(ddt),
                                             mutable_data<F>(dout)},
               scan.head_tokens(),
               kHeadTokensPerThread);
    });
  }
};

/// A device has no cache of its own for every head, but many products to make at once.
bool on_tiles(const SsdInputs& inputs) {
  return inputs.space.tiles && inputs.x_BTX.is_cpu();
}

SsdGradients gradients_of(const SsdInputs& inputs, const at::Tensor& dy) {
  if (!on_tiles(inputs)) {
    const ScanBackward by_products(Scan(inputs, {}), dy);
    return static_cast<const SsdGradients&>(by_products);
  }
  SsdGradients gradients(inputs);
  ssd_backward_on_tiles(inputs, dy.contiguous(), gradients);
  return gradients;
}

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
    save_value(ctx, SsdNode{space, first.value, context.sink});
    const SsdInputs inputs(x_B_C, dt_in, space, first.value, /*goes_on=*/false);
    return on_tiles(inputs) ? ssd_on_tiles(inputs) : Scan(inputs, {}).outputs();
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& node = saved_value<SsdNode>(ctx);
    const auto saved = ctx->get_saved_variables();
    const SsdInputs inputs(saved[0], saved[1], node.space, node.first, /*goes_on=*/false);
    const SsdGradients gradients = gradients_of(inputs, grads[0]);
    return {
        gradients.dx_BTX, gradients.finish(inputs, *node.sink).to(saved[1].scalar_type()), {}, {}, {}, {}};
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
  const Scan scan(SsdInputs(x_B_C, dt_in_BTH, space, {}, state.defined()), state);
  state = scan.last;
  return scan.outputs();
}

}  // namespace automodel::ops
