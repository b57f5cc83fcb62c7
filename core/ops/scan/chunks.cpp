#include "core/ops/scan/chunks.h"

#include <algorithm>

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

namespace automodel::ops {
namespace {

/// Calls body(F{}) with the type that the tensor's elements are computed in.
template <class Body>
void with_compute_type(const at::Tensor& x, Body body) {
  x.scalar_type() == at::kDouble ? body(double{}) : body(float{});
}

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

kernels::ChunkShape cut(int64_t batch, int64_t length, int64_t groups, int64_t heads, int64_t largest_chunk) {
  constexpr int64_t kSmallest = 16;
  int64_t chunk = kSmallest;
  while (chunk < std::min(length, largest_chunk)) chunk *= 2;
  return {batch, length, chunk, ceil_div(length, chunk), groups, heads};
}

at::Tensor per_head(const at::Tensor& x_BTH, const kernels::ChunkShape& shape) {
  at::Tensor y = at::zeros({shape.batch, shape.all_heads(), shape.padded()}, x_BTH.options());
  y.narrow(2, 0, shape.length).copy_(x_BTH.transpose(1, 2));
  return y;
}

at::Tensor per_token(const at::Tensor& x_BHT, const kernels::ChunkShape& shape) {
  return x_BHT.narrow(2, 0, shape.length).transpose(1, 2);
}

at::Tensor per_group(const at::Tensor& x_BTX, const kernels::ChunkShape& shape, at::ScalarType dtype) {
  const int64_t width = x_BTX.size(2) / shape.groups;
  at::Tensor y = at::empty({shape.batch, shape.groups, shape.padded(), width}, x_BTX.options().dtype(dtype));
  y.narrow(2, 0, shape.length).copy_(x_BTX.unflatten(2, {shape.groups, width}).transpose(1, 2));
  y.narrow(2, shape.length, shape.padded() - shape.length).zero_();
  return y.flatten(0, 1);
}

void copy_from_groups(const at::Tensor& x, const kernels::ChunkShape& shape, const at::Tensor& to_BTX) {
  const at::Tensor grouped = x.view({shape.batch, shape.groups, shape.padded(), x.size(-1)});
  to_BTX.unflatten(2, {shape.groups, x.size(-1)}).copy_(grouped.narrow(2, 0, shape.length).transpose(1, 2));
}

Decays chunk_decays(const at::Tensor& g_BHT,
                    const kernels::ChunkShape& shape,
                    const at::Tensor& first_BT,
                    bool goes_on) {
  Decays decays{shape,
                first_BT.defined() ? first_BT.contiguous() : first_BT,
                goes_on,
                empty_as(g_BHT),
                empty_as(g_BHT),
                empty_as(g_BHT),
                at::empty({shape.batch, shape.all_heads(), shape.chunks}, g_BHT.options())};
  with_compute_type(g_BHT, [&]<class F>(F) {
    run_body(g_BHT,
             kernels::ChunkDecays<F>{shape,
                                     decays.borders(),
                                     data<F>(g_BHT),
                                     mutable_data<F>(decays.log_decay_sum),
                                     mutable_data<F>(decays.in),
                                     mutable_data<F>(decays.out),
                                     mutable_data<F>(decays.whole)},
             shape.batch * shape.chunks * shape.all_heads(),
             kHeadChunksPerThread);
  });
  return decays;
}

at::Tensor chunk_decays_backward(const Decays& decays,
                                 const at::Tensor& d_log_decay_sum,
                                 const at::Tensor& dout,
                                 const at::Tensor& dwhole) {
  at::Tensor dg = empty_as(d_log_decay_sum);
  const kernels::ChunkShape& shape = decays.shape;
  with_compute_type(d_log_decay_sum, [&]<class F>(F) {
    run_body(d_log_decay_sum,
             kernels::ChunkDecaysBackward<F>{shape,
                                             decays.borders(),
                                             data<F>(d_log_decay_sum),
                                             data<F>(dout),
                                             data<F>(dwhole),
                                             mutable_data<F>(dg)},
             shape.batch * shape.chunks * shape.all_heads(),
             kHeadChunksPerThread);
  });
  return dg;
}

at::Tensor decay_scores(const Decays& decays,
                        const at::Tensor& scores,
                        int64_t first_line,
                        const at::Tensor& factor,
                        bool strict) {
  const kernels::ChunkShape& shape = decays.shape;
  at::Tensor decayed = at::empty({scores.size(0), shape.heads, shape.chunk, shape.chunk}, scores.options());
  with_compute_type(scores, [&]<class F>(F) {
    run_body(scores,
             kernels::DecayScores<F>{shape,
                                     decays.borders(),
                                     data<F>(scores) + first_line * shape.chunk,
                                     scores.stride(0),
                                     data<F>(decays.log_decay_sum),
                                     factor.defined() ? data<F>(factor) : nullptr,
                                     strict,
                                     mutable_data<F>(decayed)},
             scores.size(0) * shape.heads,
             kHeadChunksPerThread);
  });
  return decayed;
}

void decay_scores_backward(const Decays& decays,
                           const at::Tensor& scores,
                           int64_t first_line,
                           const at::Tensor& factor,
                           bool strict,
                           const at::Tensor& ddecayed,
                           const at::Tensor& dscores,
                           const at::Tensor& d_log_decay_sum,
                           const at::Tensor& dfactor) {
  const kernels::ChunkShape& shape = decays.shape;
  with_compute_type(scores, [&]<class F>(F) {
    run_body(scores,
             kernels::DecayScoresBackward<F>{shape,
                                             decays.borders(),
                                             data<F>(scores) + first_line * shape.chunk,
                                             scores.stride(0),
                                             data<F>(decays.log_decay_sum),
                                             factor.defined() ? data<F>(factor) : nullptr,
                                             strict,
                                             mutable_data<F>(ddecayed),
                                             mutable_data<F>(dscores) + first_line * shape.chunk,
                                             mutable_data<F>(d_log_decay_sum),
                                             factor.defined() ? mutable_data<F>(dfactor) : nullptr},
             scores.size(0),
             1);
  });
}

}  // namespace automodel::ops
