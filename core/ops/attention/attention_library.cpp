// Attention by the kernels of libraries. Their backwards form probabilities as exp(score - lse).
#include <algorithm>
#include <tuple>

#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention_backward.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h>
#include <ATen/ops/constant_pad_nd.h>

#include "core/ops/attention/attention_tile.h"

namespace automodel::ops {
namespace {

std::optional<at::Tensor> optional_of(const at::Tensor& mask) {
  return mask.defined() ? std::optional(mask) : std::nullopt;
}

/// x [..., H] with zeros behind it up to `width`.
at::Tensor widened(const at::Tensor& x, int64_t width) {
  return x.size(-1) == width ? x : at::constant_pad_nd(x, {0, width - x.size(-1)});
}

at::Tensor narrowed(const at::Tensor& x, int64_t width) {
  return x.size(-1) == width ? x : x.narrow(-1, 0, width);
}

/// The head_dim at which both libraries run: keys and values have one.
int64_t common_width(const TileInput& in) {
  return std::max(in.q_BNTH.size(3), in.v_BKSV.size(3));
}

/// [B, N, T, S] of any mask.
at::Tensor bias_of(const TileInput& in) {
  if (!in.mask.defined()) return {};
  return in.mask.expand({in.q_BNTH.size(0), in.q_BNTH.size(1), in.q_BNTH.size(2), in.k_BKSH.size(2)});
}

}  // namespace

TileOutput aten_forward(const TileInput& in) {
  const int64_t width = common_width(in);
  const auto [out, lse] = at::_scaled_dot_product_flash_attention_for_cpu(widened(in.q_BNTH, width),
                                                                          widened(in.k_BKSH, width),
                                                                          widened(in.v_BKSV, width),
                                                                          0.0,
                                                                          in.causal,
                                                                          optional_of(in.mask),
                                                                          in.scale);
  return {narrowed(out, in.v_BKSV.size(3)), lse, {}, {}};
}

TileGrads aten_backward(const TileInput& in, const TileOutput& out, const at::Tensor& dout_BNTV) {
  const int64_t width = common_width(in);
  const auto [dq, dk, dv] =
      at::_scaled_dot_product_flash_attention_for_cpu_backward(widened(dout_BNTV, width),
                                                               widened(in.q_BNTH, width),
                                                               widened(in.k_BKSH, width),
                                                               widened(in.v_BKSV, width),
                                                               widened(out.out_BNTV, width),
                                                               out.lse_BNT,
                                                               0.0,
                                                               in.causal,
                                                               optional_of(in.mask),
                                                               in.scale);
  return {narrowed(dq, in.q_BNTH.size(3)), narrowed(dk, in.q_BNTH.size(3)), narrowed(dv, in.v_BKSV.size(3))};
}

TileOutput cudnn_forward(const TileInput& in) {
  const int64_t width = common_width(in);
  const auto [out, lse, cum_q, cum_k, max_q, max_k, seed, offset, mask] =
      at::_scaled_dot_product_cudnn_attention(widened(in.q_BNTH, width),
                                              widened(in.k_BKSH, width),
                                              widened(in.v_BKSV, width),
                                              optional_of(bias_of(in)),
                                              /*compute_log_sumexp=*/true,
                                              /*dropout_p=*/0.0,
                                              in.causal,
                                              /*return_debug_mask=*/false,
                                              in.scale);
  const at::Tensor& q = in.q_BNTH;
  return {narrowed(out, in.v_BKSV.size(3)), lse.view({q.size(0), q.size(1), q.size(2)}), seed, offset};
}

TileGrads cudnn_backward(const TileInput& in, const TileOutput& out, const at::Tensor& dout_BNTV) {
  const int64_t width = common_width(in);
  const auto [dq, dk, dv] =
      at::_scaled_dot_product_cudnn_attention_backward(widened(dout_BNTV, width),
                                                       widened(in.q_BNTH, width),
                                                       widened(in.k_BKSH, width),
                                                       widened(in.v_BKSV, width),
                                                       widened(out.out_BNTV, width),
                                                       out.lse_BNT.contiguous().unsqueeze(3),
                                                       out.seed,
                                                       out.offset,
                                                       bias_of(in),
                                                       /*cum_seq_q=*/{},
                                                       /*cum_seq_k=*/{},
                                                       in.q_BNTH.size(2),
                                                       in.k_BKSH.size(2),
                                                       /*dropout_p=*/0.0,
                                                       in.causal,
                                                       in.scale);
  return {narrowed(dq, in.q_BNTH.size(3)), narrowed(dk, in.q_BNTH.size(3)), narrowed(dv, in.v_BKSV.size(3))};
}

}  // namespace automodel::ops
