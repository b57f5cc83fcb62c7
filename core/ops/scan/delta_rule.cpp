// B batch, T tokens, G key heads, H value heads, K and V their widths, C chunks, L their length, X = 2 G K +
// H V
#include "core/ops/scan/delta_rule.h"

#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>

#include "core/kernels/delta_rule.h"
#include "core/ops/node.h"
#include "core/ops/scan/delta_inputs.h"

namespace automodel::ops {
namespace {

using kernels::Compute;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Everything that forward and backward read where the products are over all heads at once.
struct Rule : DeltaInputs {
  at::Tensor values;          ///< [B G, T', H / G, V]
  at::Tensor within;          ///< of queries on the chunk's own tokens [B G C, H / G, L, L]
  at::Tensor inverse;         ///< (I + A)^-1 [B G C, H / G, L, L]
  at::Tensor updates;         ///< u [B G, T', H / G, V]
  at::Tensor decayed_update;  ///< out u, the same
  at::Tensor states;          ///< before each chunk and after the last [B G, C + 1, K, H V / G]
  at::Tensor read;            ///< by queries and keys from them [B G, C, 2 L, H V / G]

  Rule(DeltaInputs inputs, const at::Tensor& state) : DeltaInputs(std::move(inputs)) {
    const int64_t keys_end = 2 * key_width();
    values = per_group(qkv_BTX.narrow(2, keys_end, qkv_BTX.size(2) - keys_end), shape, type())
                 .view({rows(), shape.padded(), shape.heads, rule.value_head_dim});
    within = decay_scores(decays, scores, 0, {}, /*strict=*/false);
    invert(decay_scores(decays, scores, shape.chunk, beta, /*strict=*/true));
    walk_chunks(state);
  }

  int64_t line() const { return shape.heads * rule.value_head_dim; }

  /// [B G, T', H / G, V] -> [B G C, L, V] of one head.
  at::Tensor of(const at::Tensor& x, int64_t head) const {
    return x.view({rows() * shape.chunks, shape.chunk, line()})
        .narrow(2, head * rule.value_head_dim, rule.value_head_dim);
  }

  /// The same of one chunk, [B G, L, V].
  at::Tensor of(const at::Tensor& x, int64_t head, int64_t chunk) const {
    return in_chunk(x, chunk).narrow(2, head * rule.value_head_dim, rule.value_head_dim);
  }

  /// [B G, T', H / G, V] -> [B G, L, H V / G].
  at::Tensor in_chunk(const at::Tensor& x, int64_t chunk) const {
    return x.view({rows(), shape.chunks, shape.chunk, line()}).select(1, chunk);
  }

  /// [B G C, H / G, L, L] of one head and chunk: [B G, L, L].
  at::Tensor matrix(const at::Tensor& x, int64_t head, int64_t chunk) const {
    return x.view({rows(), shape.chunks, shape.heads, shape.chunk, shape.chunk})
        .select(1, chunk)
        .select(1, head);
  }

  /// Head-tokens of one chunk.
  int64_t chunk_units() const { return rows() * shape.chunk * shape.heads; }

  /// y [B, T, H V].
  at::Tensor outputs() const {
    at::Tensor own = empty_as(values);
    for (int64_t head = 0; head < shape.heads; ++head) {
      at::Tensor part = of(own, head);
      at::bmm_out(part, within.select(1, head), of(updates, head));
    }
    at::Tensor y = empty_outputs();
    with_element_type(y, kDeltaWhat, [&]<class T>(T) {
      using F = Compute<T>;
      run_body(y,
               kernels::JoinOutputs<T>{.shape = shape,
                                       .width = rule.value_head_dim,
                                       .within = data<F>(own),
                                       .read = data<F>(read),
                                       .read_lines = 2 * shape.chunk,
                                       .in = data<F>(decays.in),
                                       .skip = nullptr,
                                       .x = nullptr,
                                       .stride = 0,
                                       .y = mutable_data<T>(y)},
               head_tokens(),
               kHeadTokensPerThread);
    });
    return y;
  }

 private:
  void invert(const at::Tensor& lower) {
    inverse = empty_as(lower);
    with_element_type(lower, kDeltaWhat, [&]<class T>(T) {
      using F = Compute<T>;
      run_body(lower,
               kernels::InvertUnitTriangular<F>{shape.chunk, data<F>(lower), mutable_data<F>(inverse)},
               lower.size(0) * shape.heads,
               kHeadChunksPerThread);
    });
  }

  void walk_chunks(const at::Tensor& state) {
    updates = empty_as(values);
    decayed_update = empty_as(values);
    states = at::empty({rows(), shape.chunks + 1, rule.key_head_dim, line()}, values.options());
    read = at::empty({rows(), shape.chunks, 2 * shape.chunk, line()}, values.options());
    const at::Tensor residual = at::empty({rows(), shape.chunk, line()}, values.options());
    at::Tensor start = states.select(1, 0);
    state.defined() ? start.copy_(state.view(start.sizes())) : start.zero_();
    for (int64_t chunk = 0; chunk < shape.chunks; ++chunk) {
      at::Tensor from_state = read.select(1, chunk);
      at::bmm_out(from_state, qk.select(1, chunk), states.select(1, chunk));
      find_updates(chunk, residual);
      states.select(1, chunk + 1)
          .baddbmm_(keys().select(1, chunk).transpose(1, 2), in_chunk(decayed_update, chunk));
    }
  }

  /// Writes the chunk's updates and what it sends, and begins the next state.
  void find_updates(int64_t chunk, const at::Tensor& residual) {
    with_element_type(values, kDeltaWhat, [&]<class T>(T) {
      using F = Compute<T>;
      run_body(values,
               kernels::DeltaResidual<F>{shape,
                                         chunk,
                                         rule.value_head_dim,
                                         data<F>(values),
                                         data<F>(read),
                                         data<F>(decays.in),
                                         data<F>(beta),
                                         mutable_data<F>(residual)},
               chunk_units(),
               kHeadTokensPerThread);
      for (int64_t head = 0; head < shape.heads; ++head) {
        at::Tensor part = of(updates, head, chunk);
        at::bmm_out(part,
                    matrix(inverse, head, chunk),
                    residual.narrow(2, head * rule.value_head_dim, rule.value_head_dim));
      }
      run_body(values,
               kernels::DecayedUpdate<F>{shape,
                                         chunk,
                                         rule.value_head_dim,
                                         data<F>(updates),
                                         data<F>(decays.out),
                                         mutable_data<F>(decayed_update)},
               chunk_units(),
               kHeadTokensPerThread);
      const int64_t state_size = rule.key_head_dim * line();
      run_body(values,
               kernels::DecayState<F>{.shape = shape,
                                      .chunk = chunk,
                                      .keys = rule.key_head_dim,
                                      .width = rule.value_head_dim,
                                      .whole = data<F>(decays.whole),
                                      .from = data<F>(states) + chunk * state_size,
                                      .from_stride = states.stride(0),
                                      .to = mutable_data<F>(states) + (chunk + 1) * state_size,
                                      .to_stride = states.stride(0),
                                      .other = nullptr,
                                      .other_stride = 0,
                                      .dwhole = nullptr},
               rows() * shape.heads,
               1);
    });
  }
};

/// The gradients of a rule by products.
struct RuleBackward : DeltaGradients {
  const Rule& on;
  const kernels::ChunkShape& shape;
  at::Tensor dy_BTV;
  at::Tensor dupdates, dresidual, dvalues;  ///< [B G, T', H / G, V]
  at::Tensor dread;                         ///< [B G, C, 2 L, H V / G]
  at::Tensor dstates;                       ///< after each chunk [B G, C, K, H V / G]
  at::Tensor dqk;                           ///< [B G, C, 2 L, K]

  RuleBackward(const Rule& forward, const at::Tensor& dy)
      : DeltaGradients(forward), on(forward), shape(forward.shape), dy_BTV(dy.contiguous()) {
    allocate();
    at::Tensor dscores = empty_as(on.scores);
    through_own(split_outputs(), dscores);
    walk_chunks();
    through_inverse(dscores);
    write_keys(on, dqk, dscores);
    const int64_t keys_end = 2 * on.key_width();
    copy_from_groups(dvalues.flatten(2), shape, dqkv_BTX.narrow(2, keys_end, dqkv_BTX.size(2) - keys_end));
  }

 private:
  void allocate() {
    dwhole.zero_();
    dupdates = empty_as(on.values);
    dresidual = empty_as(on.values);
    dvalues = empty_as(on.values);
    dread = empty_as(on.read);
    dqk = empty_as(on.qk);
    dstates = at::empty({on.rows(), shape.chunks, on.rule.key_head_dim, on.line()}, on.values.options());
  }

  /// Fills the queries' half of dread, and d_log_decay_sum; the gradient of what a chunk gives to its own
  /// tokens.
  at::Tensor split_outputs() {
    at::Tensor down = empty_as(on.values);
    with_element_type(on.qkv_BTX, kDeltaWhat, [&]<class T>(T) {
      using F = Compute<T>;
      run_body(dy_BTV,
               kernels::JoinOutputsBackward<T>{.shape = shape,
                                               .width = on.rule.value_head_dim,
                                               .dy = data<T>(dy_BTV),
                                               .read = data<F>(on.read),
                                               .read_lines = 2 * shape.chunk,
                                               .in = data<F>(on.decays.in),
                                               .x = nullptr,
                                               .stride = 0,
                                               .dwithin = mutable_data<F>(down),
                                               .dread = mutable_data<F>(dread),
                                               .d_log_decay_sum = mutable_data<F>(d_log_decay_sum),
                                               .dskip = nullptr},
               on.head_tokens(),
               kHeadTokensPerThread);
    });
    return down;
  }

  /// Through y = within u: begins dupdates, writes the queries' half of dscores.
  void through_own(const at::Tensor& down, const at::Tensor& dscores) {
    at::Tensor dwithin = empty_as(on.within);
    for (int64_t head = 0; head < shape.heads; ++head) {
      const at::Tensor d = on.of(down, head);
      at::Tensor to_updates = on.of(dupdates, head);
      at::Tensor to_within = dwithin.select(1, head);
      at::bmm_out(to_updates, on.within.select(1, head).transpose(1, 2), d);
      at::bmm_out(to_within, d, on.of(on.updates, head).transpose(1, 2));
    }
    decay_scores_backward(on.decays, on.scores, 0, {}, false, dwithin, dscores, d_log_decay_sum, {});
  }

  /// Through u = (I + A)^-1 residual: writes the keys' half of dscores.
  void through_inverse(const at::Tensor& dscores) {
    at::Tensor dlower = empty_as(on.inverse);
    for (int64_t head = 0; head < shape.heads; ++head) {
      at::Tensor to = dlower.select(1, head);
      at::baddbmm_out(to, to, on.of(dresidual, head), on.of(on.updates, head).transpose(1, 2), 0, -1);
    }
    at::Tensor through_factor = empty_as(on.beta);
    decay_scores_backward(
        on.decays, on.scores, shape.chunk, on.beta, true, dlower, dscores, d_log_decay_sum, through_factor);
    dbeta.add_(through_factor);
  }

  void walk_chunks() {
    dstates.select(1, shape.chunks - 1).zero_();
    at::Tensor d_decayed_update = at::empty({on.rows(), shape.chunk, on.line()}, on.values.options());
    for (int64_t chunk = shape.chunks - 1; chunk >= 0; --chunk) {
      const at::Tensor after = dstates.select(1, chunk);
      at::bmm_out(d_decayed_update, on.keys().select(1, chunk), after);
      through_updates(chunk, d_decayed_update);
      at::Tensor to_qk = dqk.select(1, chunk);
      at::bmm_out(to_qk, dread.select(1, chunk), on.states.select(1, chunk).transpose(1, 2));
      to_qk.narrow(1, shape.chunk, shape.chunk)
          .baddbmm_(on.in_chunk(on.decayed_update, chunk), after.transpose(1, 2));
      if (chunk == 0) return;
      begin_state_before(chunk);
      dstates.select(1, chunk - 1).baddbmm_(on.qk.select(1, chunk).transpose(1, 2), dread.select(1, chunk));
    }
  }

  /// From the gradient of the chunk's decayed updates to those of what they are made of.
  void through_updates(int64_t chunk, const at::Tensor& d_decayed_update) {
    const int64_t width = on.rule.value_head_dim;
    with_element_type(on.values, kDeltaWhat, [&]<class T>(T) {
      using F = Compute<T>;
      run_body(on.values,
               kernels::DecayedUpdateBackward<F>{shape,
                                                 chunk,
                                                 width,
                                                 data<F>(on.updates),
                                                 data<F>(d_decayed_update),
                                                 data<F>(on.decays.out),
                                                 mutable_data<F>(dupdates),
                                                 mutable_data<F>(dout)},
               on.chunk_units(),
               kHeadTokensPerThread);
      for (int64_t head = 0; head < shape.heads; ++head) {
        at::Tensor part = on.of(dresidual, head, chunk);
        at::bmm_out(part, on.matrix(on.inverse, head, chunk).transpose(1, 2), on.of(dupdates, head, chunk));
      }
      run_body(on.values,
               kernels::DeltaResidualBackward<F>{shape,
                                                 chunk,
                                                 width,
                                                 data<F>(on.values),
                                                 data<F>(on.read),
                                                 data<F>(on.decays.in),
                                                 data<F>(on.beta),
                                                 data<F>(dresidual),
                                                 mutable_data<F>(dvalues),
                                                 mutable_data<F>(dread),
                                                 mutable_data<F>(dbeta),
                                                 mutable_data<F>(d_log_decay_sum)},
               on.chunk_units(),
               kHeadTokensPerThread);
    });
  }

  void begin_state_before(int64_t chunk) {
    const int64_t size = on.rule.key_head_dim * on.line();
    with_element_type(on.values, kDeltaWhat, [&]<class T>(T) {
      using F = Compute<T>;
      run_body(on.values,
               kernels::DecayState<F>{.shape = shape,
                                      .chunk = chunk,
                                      .keys = on.rule.key_head_dim,
                                      .width = on.rule.value_head_dim,
                                      .whole = data<F>(on.decays.whole),
                                      .from = data<F>(dstates) + chunk * size,
                                      .from_stride = dstates.stride(0),
                                      .to = mutable_data<F>(dstates) + (chunk - 1) * size,
                                      .to_stride = dstates.stride(0),
                                      .other = data<F>(on.states) + chunk * size,
                                      .other_stride = on.states.stride(0),
                                      .dwhole = mutable_data<F>(dwhole)},
               on.rows() * shape.heads,
               1);
    });
  }
};

/// As in ssd.cpp.
bool on_tiles(const DeltaInputs& inputs) {
  return inputs.rule.tiles && inputs.qkv_BTX.is_cpu();
}

DeltaGradients gradients_of(const DeltaInputs& inputs, const at::Tensor& dy) {
  if (!on_tiles(inputs)) {
    const RuleBackward by_products(Rule(inputs, {}), dy);
    return static_cast<const DeltaGradients&>(by_products);
  }
  DeltaGradients gradients(inputs);
  delta_backward_on_tiles(inputs, dy.contiguous(), gradients);
  return gradients;
}

struct DeltaNode {
  DeltaRule rule;
  at::Tensor first;
  GradSink* sink;
};

class DeltaRuleFunction : public torch::autograd::Function<DeltaRuleFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx,
                            const at::Tensor& qkv,
                            const at::Tensor& b,
                            const at::Tensor& a,
                            const at::Tensor& /*anchor*/,
                            const DeltaRule& rule,
                            const Untracked& first,
                            const OpContext& context) {
    ctx->save_for_backward({qkv, b, a});
    save_value(ctx, DeltaNode{rule, first.value, context.sink});
    const DeltaInputs inputs(qkv, b, a, rule, first.value, /*goes_on=*/false);
    return on_tiles(inputs) ? delta_on_tiles(inputs) : Rule(inputs, {}).outputs();
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& node = saved_value<DeltaNode>(ctx);
    const auto saved = ctx->get_saved_variables();
    const DeltaInputs inputs(saved[0], saved[1], saved[2], node.rule, node.first, /*goes_on=*/false);
    const DeltaGradients gradients = gradients_of(inputs, grads[0]);
    const auto gates = gradients.finish(inputs, *node.sink);
    const at::ScalarType type = saved[0].scalar_type();
    return {gradients.dqkv_BTX, gates.db_BTH.to(type), gates.da_BTH.to(type), {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor delta_rule(const at::Tensor& qkv,
                      const at::Tensor& b_BTH,
                      const at::Tensor& a_BTH,
                      const DeltaRule& rule,
                      const at::Tensor& first_BT,
                      const OpContext& context) {
  const tensor::Weight& learns = rule.a_log.unit->trainable() ? rule.a_log : rule.dt_bias;
  return DeltaRuleFunction::apply(
      qkv, b_BTH, a_BTH, learns.unit->anchor(), rule, Untracked{first_BT}, context);
}

at::Tensor delta_rule_next(const at::Tensor& qkv,
                           const at::Tensor& b_BTH,
                           const at::Tensor& a_BTH,
                           const DeltaRule& delta,
                           at::Tensor& state) {
  const c10::NoGradGuard no_grad;
  const Rule rule(DeltaInputs(qkv, b_BTH, a_BTH, delta, {}, state.defined()), state);
  state = rule.states.select(1, rule.shape.chunks)
              .reshape({rule.rows(), delta.key_head_dim, rule.shape.heads, delta.value_head_dim});
  return rule.outputs();
}

}  // namespace automodel::ops
