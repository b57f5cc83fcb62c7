#include "core/ops/attention/attention.h"

#include <algorithm>
#include <utility>

#include <ATen/Context.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/logaddexp.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "core/ops/attention/attention_tile.h"
#include "core/ops/dispatch.h"
#include "core/ops/dropout.h"
#include "core/ops/node.h"

namespace automodel::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct AttentionNode {
  AttentionKind kind;
  std::shared_ptr<const AttentionPlan> plan;
  AttentionOptions options;
  OpContext context;
};

/// A tile's part of x [B, T, N, H], heads first.
at::Tensor queries_of(const at::Tensor& x_BTNH, const AttentionTile& tile) {
  return x_BTNH.narrow(0, tile.row, tile.num_rows).narrow(1, tile.query, tile.num_queries).transpose(1, 2);
}

at::Tensor keys_of(const at::Tensor& x_BSKH, const AttentionTile& tile) {
  return x_BSKH.narrow(0, tile.row, tile.num_rows).narrow(1, tile.key, tile.num_keys).transpose(1, 2);
}

/// [B, N, queries, keys] of one tile: each token and head draws by key position.
at::Tensor dropped_of(const AttentionNode& node, const AttentionTile& tile, const at::Tensor& q_BTNH) {
  const at::Tensor keys = node.context.dropout_keys.view({q_BTNH.size(0), q_BTNH.size(1)})
                              .narrow(0, tile.row, tile.num_rows)
                              .narrow(1, tile.query, tile.num_queries)
                              .reshape({-1});
  const int64_t width = tile.key + tile.num_keys;
  const at::Tensor like = at::empty({0}, q_BTNH.options().dtype(sum_type(q_BTNH)));
  std::vector<at::Tensor> heads;
  for (int64_t n = 0; n < q_BTNH.size(2); ++n) {
    const uint64_t site = node.options.dropout_site + static_cast<uint64_t>(n);
    heads.push_back(dropout_mask(keys, site, width, node.options.dropout, like)
                        .view({tile.num_rows, tile.num_queries, width})
                        .narrow(2, tile.key, tile.num_keys));
  }
  return at::stack(heads, 1);
}

TileInput input_of(const AttentionNode& node,
                   const AttentionTile& tile,
                   const at::Tensor& q,
                   const at::Tensor& k,
                   const at::Tensor& v) {
  TileInput in{queries_of(q, tile), keys_of(k, tile), keys_of(v, tile), tile.mask, tile.causal};
  in.scale = node.options.scale;
  in.softcap = node.options.softcap;
  if (node.options.dropout > 0) in.dropped_BNTS = dropped_of(node, tile, q);
  return in;
}

TileOutput forward_by(AttentionKind kind, const TileInput& in) {
  switch (kind) {
    case AttentionKind::kBlocked:
      return blocked_forward(in);
    case AttentionKind::kAten:
      return aten_forward(in);
    case AttentionKind::kCudnn:
      return cudnn_forward(in);
    case AttentionKind::kPlain:
      return plain_forward(in);
  }
  fail(ErrorCode::kInternal, "attention kind ", static_cast<int>(kind));
}

TileGrads backward_by(AttentionKind kind,
                      const TileInput& in,
                      const TileOutput& out,
                      const at::Tensor& dout_BNTV) {
  switch (kind) {
    case AttentionKind::kBlocked:
      return blocked_backward(in, out, dout_BNTV);
    case AttentionKind::kAten:
      return aten_backward(in, out, dout_BNTV);
    case AttentionKind::kCudnn:
      return cudnn_backward(in, out, dout_BNTV);
    case AttentionKind::kPlain:
      return plain_backward(in, out, dout_BNTV);
  }
  fail(ErrorCode::kInternal, "attention kind ", static_cast<int>(kind));
}

/// [N, 1] in the type of sums.
at::Tensor sink_logits(const AttentionOptions& options, const at::Tensor& lse) {
  return options.sinks.value().to(lse.scalar_type()).unsqueeze(1);
}

/// Adds the sinks' term to a finished softmax: probabilities become exp(score - lse) of the larger lse.
void join_sinks(const AttentionOptions& options, TileOutput& out) {
  if (!options.sinks) return;
  const at::Tensor sinks = sink_logits(options, out.lse_BNT);
  const at::Tensor share = (out.lse_BNT - sinks).sigmoid();
  out.out_BNTV = (out.out_BNTV * share.unsqueeze(3)).to(out.out_BNTV.scalar_type());
  out.lse_BNT = at::logaddexp(out.lse_BNT, sinks);
}

class AttentionFunction : public torch::autograd::Function<AttentionFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx,
                            const at::Tensor& q,
                            const at::Tensor& k,
                            const at::Tensor& v,
                            const at::Tensor& /*anchor*/,
                            const AttentionNode& node) {
    TileOutput all = node.plan->tiles.size() == 1 ? only_tile(node, q, k, v) : every_tile(node, q, k, v);
    ctx->save_for_backward({q, k, v, all.out_BNTV, all.lse_BNT, all.seed, all.offset});
    save_value(ctx, node);
    return all.out_BNTV;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& node = saved_value<AttentionNode>(ctx);
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2], &out = saved[3], &lse = saved[4];
    if (node.options.sinks) give_sink_gradient(node, out, lse, grads[0]);
    if (node.plan->tiles.size() == 1) {
      const AttentionTile& tile = node.plan->tiles[0];
      const auto [dq, dk, dv] = backward_by(node.kind,
                                            input_of(node, tile, q, k, v),
                                            {out.transpose(1, 2), lse, saved[5], saved[6]},
                                            grads[0].transpose(1, 2));
      if (tile.num_keys == k.size(1))
        return {dq.transpose(1, 2), dk.transpose(1, 2), dv.transpose(1, 2), {}, {}};
      at::Tensor whole_dk = at::zeros(k.sizes(), k.options()), whole_dv = at::zeros(v.sizes(), v.options());
      keys_of(whole_dk, tile).copy_(dk);
      keys_of(whole_dv, tile).copy_(dv);
      return {dq.transpose(1, 2), whole_dk, whole_dv, {}, {}};
    }
    at::Tensor dq = at::empty(q.sizes(), q.options());
    // Tiles may share keys.
    at::Tensor dk = at::zeros(k.sizes(), k.options().dtype(sum_type(k)));
    at::Tensor dv = at::zeros(v.sizes(), v.options().dtype(sum_type(v)));
    for (const AttentionTile& tile : node.plan->tiles) {
      const TileOutput of_tile{queries_of(out, tile), lse_of(lse, tile), {}, {}};
      const TileGrads part =
          backward_by(node.kind, input_of(node, tile, q, k, v), of_tile, queries_of(grads[0], tile));
      queries_of(dq, tile).copy_(part.dq_BNTH);
      keys_of(dk, tile).add_(part.dk_BKSH);
      keys_of(dv, tile).add_(part.dv_BKSV);
    }
    return {dq, dk.to(k.scalar_type()), dv.to(v.scalar_type()), {}, {}};
  }

 private:
  static at::Tensor lse_of(const at::Tensor& lse_BNT, const AttentionTile& tile) {
    return lse_BNT.narrow(0, tile.row, tile.num_rows).narrow(2, tile.query, tile.num_queries);
  }

  /// The output with tokens before heads.
  static TileOutput only_tile(const AttentionNode& node,
                              const at::Tensor& q,
                              const at::Tensor& k,
                              const at::Tensor& v) {
    TileOutput all = forward_by(node.kind, input_of(node, node.plan->tiles[0], q, k, v));
    join_sinks(node.options, all);
    all.out_BNTV = all.out_BNTV.transpose(1, 2).contiguous();
    return all;
  }

  static TileOutput every_tile(const AttentionNode& node,
                               const at::Tensor& q,
                               const at::Tensor& k,
                               const at::Tensor& v) {
    TileOutput all;
    all.out_BNTV = at::empty({q.size(0), q.size(1), q.size(2), v.size(3)}, q.options());
    all.lse_BNT = at::empty({q.size(0), q.size(2), q.size(1)}, q.options().dtype(sum_type(q)));
    for (const AttentionTile& tile : node.plan->tiles) {
      TileOutput part = forward_by(node.kind, input_of(node, tile, q, k, v));
      join_sinks(node.options, part);
      queries_of(all.out_BNTV, tile).copy_(part.out_BNTV);
      lse_of(all.lse_BNT, tile).copy_(part.lse_BNT);
    }
    return all;
  }

  static void give_sink_gradient(const AttentionNode& node,
                                 const at::Tensor& out_BTNV,
                                 const at::Tensor& lse_BNT,
                                 const at::Tensor& dout_BTNV) {
    if (!node.options.sinks.unit->trainable()) return;
    const at::Tensor weight = (sink_logits(node.options, lse_BNT) - lse_BNT).exp_();
    const at::Tensor mean_BTN = (dout_BTNV.to(lse_BNT.scalar_type()) * out_BTNV).sum(3);
    node.context.sink->add(node.options.sinks,
                           (weight * mean_BTN.transpose(1, 2)).sum(at::IntArrayRef({0, 2})).neg_());
  }
};

void check_shapes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const bool fit = q.dim() == 4 && k.dim() == 4 && v.dim() == 4 && k.size(0) == q.size(0) &&
                   v.sizes().slice(0, 3) == k.sizes().slice(0, 3) && k.size(1) >= q.size(1) &&
                   q.size(2) % k.size(2) == 0 && k.size(3) == q.size(3);
  check(fit,
        ErrorCode::kInvalidArgument,
        "attention: q ",
        q.sizes(),
        ", k ",
        k.sizes(),
        ", v ",
        v.sizes(),
        "; expected [B, T, N, H], [B, S, K, H], [B, S, K, V]");
}

/// Queries of a tile that keep the plain implementation's scores within bounds.
int64_t most_plain_queries(const at::Tensor& q, int64_t keys) {
  const int64_t bound_bytes = int64_t{q.is_cuda() ? 1024 : 64} << 20;
  const int64_t bytes_per_query = q.size(0) * q.size(2) * keys * static_cast<int64_t>(sizeof(float));
  return std::max<int64_t>(16, bound_bytes / bytes_per_query);
}

}  // namespace

std::string_view name_of(AttentionKind kind) {
  switch (kind) {
    case AttentionKind::kBlocked:
      return "products by blocks of queries";
    case AttentionKind::kAten:
      return "ATen, blocked";
    case AttentionKind::kCudnn:
      return "cuDNN";
    case AttentionKind::kPlain:
      return "plain, scores in memory";
  }
  fail(ErrorCode::kInternal, "attention kind ", static_cast<int>(kind));
}

AttentionKind choose_attention(at::Device device,
                               at::ScalarType dtype,
                               int64_t head_dim,
                               const AttentionOptions& options,
                               bool generates) {
  if (options.softcap > 0 || options.dropout > 0) return AttentionKind::kPlain;
  const bool multiplies = dtype == at::kFloat || dtype == at::kDouble;
  if (device.is_cpu()) return multiplies ? AttentionKind::kBlocked : AttentionKind::kAten;
  if (generates || !options.alibi.empty()) return AttentionKind::kPlain;
  // The backward of ATen's cuDNN attention adds in any order.
  if (at::globalContext().deterministicAlgorithms()) return AttentionKind::kPlain;
  constexpr int64_t kLargestHead = 128;
  const bool half = dtype == at::kBFloat16 || dtype == at::kHalf;
  return half && head_dim % 8 == 0 && head_dim <= kLargestHead ? AttentionKind::kCudnn
                                                               : AttentionKind::kPlain;
}

at::Tensor attention(const at::Tensor& q_BTNH,
                     const at::Tensor& k_BSKH,
                     const at::Tensor& v_BSKV,
                     const AttentionOptions& options,
                     const AttentionRows& rows,
                     const OpContext& context) {
  check_shapes(q_BTNH, k_BSKH, v_BSKV);
  AttentionOptions in_force = options;
  if (!context.dropout_keys.defined()) in_force.dropout = 0;
  const int64_t queries = q_BTNH.size(1);
  const int64_t keys = k_BSKH.size(1);
  const int64_t head_dim = std::max(q_BTNH.size(3), v_BSKV.size(3));
  const AttentionKind kind =
      choose_attention(q_BTNH.device(), q_BTNH.scalar_type(), head_dim, in_force, queries != keys);
  AttentionShape shape{q_BTNH.size(0), queries, keys, q_BTNH.scalar_type(), q_BTNH.device()};
  // Multiples of slopes need more digits than 0 and infinity.
  if (!options.alibi.empty()) shape.mask_dtype = sum_type(q_BTNH);
  if (kind == AttentionKind::kPlain) shape.most_queries = most_plain_queries(q_BTNH, keys);
  const bool reads_rows = rows.documents_BT.defined() || rows.prefix_B.defined();
  shape.dense = kind == AttentionKind::kCudnn || (q_BTNH.is_cuda() && reads_rows);
  const auto plan = rows.plans ? rows.plans->of(options.span, options.alibi, shape, rows)
                               : plan_attention(options.span, options.alibi, shape, rows);
  return attention_by(kind, plan, q_BTNH, k_BSKH, v_BSKV, in_force, context);
}

at::Tensor attention_by(AttentionKind kind,
                        std::shared_ptr<const AttentionPlan> plan,
                        const at::Tensor& q_BTNH,
                        const at::Tensor& k_BSKH,
                        const at::Tensor& v_BSKV,
                        const AttentionOptions& options,
                        const OpContext& context) {
  const at::Tensor& anchor = options.sinks ? options.sinks.unit->anchor() : q_BTNH;
  return AttentionFunction::apply(
      q_BTNH, k_BSKH, v_BSKV, anchor, AttentionNode{kind, std::move(plan), options, context});
}

}  // namespace automodel::ops
