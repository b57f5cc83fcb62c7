#include <ATen/ops/bmm.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/triu.h>

#include "core/ops/attention/attention_tile.h"
#include "core/ops/dispatch.h"

namespace automodel::ops {
namespace {

/// [B, N, T, X] as [B K, N / K T, X]: queries of one group of heads stand together.
at::Tensor by_group(const at::Tensor& x, int64_t kv_heads) {
  return x.reshape({x.size(0) * kv_heads, x.size(1) / kv_heads * x.size(2), x.size(3)});
}

at::Tensor by_kv_head(const at::Tensor& x) {
  return x.reshape({x.size(0) * x.size(1), x.size(2), x.size(3)});
}

struct Scores {
  at::Tensor masked_BNTS;  ///< in the type of sums
  at::Tensor slope_BNTS;   ///< of the soft cap; undefined without one
};

Scores scores_of(const TileInput& in, bool want_slope) {
  const at::Tensor& q = in.q_BNTH;
  const int64_t kv_heads = in.k_BKSH.size(1);
  Scores scores;
  at::Tensor s = at::bmm(by_group(q, kv_heads), by_kv_head(in.k_BKSH).transpose(1, 2));
  s = s.view({q.size(0), q.size(1), q.size(2), in.k_BKSH.size(2)}).to(sum_type(q)).mul_(in.scale);
  if (in.softcap > 0) {
    s.div_(in.softcap).tanh_();
    if (want_slope) scores.slope_BNTS = s.square().neg_().add_(1);
    s.mul_(in.softcap);
  }
  if (in.mask.defined()) s.add_(in.mask);
  if (in.causal) {
    const at::Tensor later = at::ones({s.size(2), s.size(3)}, s.options().dtype(at::kBool)).triu(1);
    s.masked_fill_(later, -std::numeric_limits<double>::infinity());
  }
  scores.masked_BNTS = s;
  return scores;
}

}  // namespace

TileOutput plain_forward(const TileInput& in) {
  const int64_t kv_heads = in.k_BKSH.size(1);
  at::Tensor probabilities = scores_of(in, false).masked_BNTS;
  const at::Tensor lse = at::logsumexp(probabilities, {3});
  probabilities.sub_(lse.unsqueeze(3)).exp_();
  if (in.dropped_BNTS.defined()) probabilities.mul_(in.dropped_BNTS);
  const at::Tensor out =
      at::bmm(by_group(probabilities.to(in.q_BNTH.scalar_type()), kv_heads), by_kv_head(in.v_BKSV));
  return {
      out.view({in.q_BNTH.size(0), in.q_BNTH.size(1), in.q_BNTH.size(2), in.v_BKSV.size(3)}), lse, {}, {}};
}

TileGrads plain_backward(const TileInput& in, const TileOutput& out, const at::Tensor& dout_BNTV) {
  const at::ScalarType type = in.q_BNTH.scalar_type();
  const int64_t kv_heads = in.k_BKSH.size(1);
  const auto [scores, slope] = scores_of(in, true);
  const at::Tensor p = scores.sub(out.lse_BNT.unsqueeze(3)).exp_();
  const at::Tensor dout = by_group(dout_BNTV, kv_heads);
  const at::Tensor kept = in.dropped_BNTS.defined() ? p * in.dropped_BNTS : p;
  const at::Tensor dv = at::bmm(by_group(kept.to(type), kv_heads).transpose(1, 2), dout);
  at::Tensor ds = at::bmm(dout, by_kv_head(in.v_BKSV).transpose(1, 2)).view(p.sizes()).to(p.scalar_type());
  if (in.dropped_BNTS.defined()) ds.mul_(in.dropped_BNTS);
  const at::Tensor mean = (dout_BNTV.to(p.scalar_type()) * out.out_BNTV).sum(3, /*keepdim=*/true);
  ds.sub_(mean).mul_(p).mul_(in.scale);
  if (slope.defined()) ds.mul_(slope);
  const at::Tensor ds_rows = by_group(ds.to(type), kv_heads);
  const at::Tensor dq = at::bmm(ds_rows, by_kv_head(in.k_BKSH));
  const at::Tensor dk = at::bmm(ds_rows.transpose(1, 2), by_group(in.q_BNTH, kv_heads));
  return {dq.view(in.q_BNTH.sizes()), dk.view(in.k_BKSH.sizes()), dv.view(in.v_BKSV.sizes())};
}

}  // namespace automodel::ops
