#include "core/ops/scan/ssd_inputs.h"

#include <ATen/ops/clamp.h>
#include <ATen/ops/softplus.h>

#include "core/ops/batched_product.h"

namespace automodel::ops {

SsdInputs::SsdInputs(const at::Tensor& x_B_C,
                     const at::Tensor& dt_in_BTH,
                     const StateSpace& state_space,
                     const at::Tensor& first_BT,
                     bool goes_on)
    : space(state_space), x_BTX(x_B_C.contiguous()) {
  check_inputs(dt_in_BTH);
  const int64_t groups = space.num_groups;
  shape = cut(x_BTX.size(0), x_BTX.size(1), groups, space.num_heads / groups, space.chunk);
  make_time_steps(dt_in_BTH);
  decays = chunk_decays(dt * a_H.unsqueeze(1), shape, first_BT, goes_on);
  const int64_t values = space.num_heads * space.head_dim;
  const int64_t width = groups * space.state_size;
  keys = in_chunks(per_group(x_BTX.narrow(2, values, width), shape, type()));
  queries = in_chunks(per_group(x_BTX.narrow(2, values + width, width), shape, type()));
  scores = batched_product(queries, keys.transpose(1, 2));
}

at::Tensor SsdInputs::empty_outputs() const {
  return at::empty({shape.batch, shape.length, space.num_heads * space.head_dim}, x_BTX.options());
}

void SsdInputs::check_inputs(const at::Tensor& dt_in_BTH) const {
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

void SsdInputs::make_time_steps(const at::Tensor& dt_in_BTH) {
  raw_BTH = dt_in_BTH.to(type()) + space.dt_bias.value().to(type());
  softplus_BTH = at::softplus(raw_BTH);
  dt = per_head(at::clamp(softplus_BTH, space.dt_min, space.dt_max), shape);
  a_H = space.a_log.value().to(type()).exp().neg_();
  d_H = space.d.value().to(type()).contiguous();
}

SsdGradients::SsdGradients(const SsdInputs& inputs)
    : d_log_decay_sum(empty_as(inputs.dt)),
      dout(empty_as(inputs.dt)),
      ddt(empty_as(inputs.dt)),
      dskip(empty_as(inputs.dt)),
      dwhole(empty_as(inputs.decays.whole)),
      dx_BTX(empty_as(inputs.x_BTX)) {}

void SsdGradients::write_keys(const SsdInputs& inputs,
                              const at::Tensor& dkeys,
                              const at::Tensor& dqueries) const {
  const kernels::ChunkShape& shape = inputs.shape;
  const int64_t values = inputs.space.num_heads * inputs.space.head_dim;
  const int64_t width = inputs.space.num_groups * inputs.space.state_size;
  const auto grouped = [&](const at::Tensor& x) {
    return x.view({shape.batch * shape.groups, shape.padded(), -1});
  };
  copy_from_groups(grouped(dkeys), shape, dx_BTX.narrow(2, values, width));
  copy_from_groups(grouped(dqueries), shape, dx_BTX.narrow(2, values + width, width));
}

at::Tensor SsdGradients::finish(const SsdInputs& inputs, GradSink& sink) const {
  const StateSpace& space = inputs.space;
  const at::Tensor dg = chunk_decays_backward(inputs.decays, d_log_decay_sum, dout, dwhole);
  if (space.a_log.unit->trainable())
    sink.add(space.a_log, (dg * inputs.dt).sum(at::IntArrayRef({0, 2})).mul_(inputs.a_H));
  if (space.d.unit->trainable()) sink.add(space.d, dskip.sum(at::IntArrayRef({0, 2})));
  const at::Tensor& steps = inputs.softplus_BTH;
  at::Tensor draw_BTH =
      per_token(ddt + dg * inputs.a_H.unsqueeze(1), inputs.shape) * inputs.raw_BTH.sigmoid();
  draw_BTH.masked_fill_(steps.lt(space.dt_min).logical_or_(steps.gt(space.dt_max)), 0);
  if (space.dt_bias.unit->trainable()) sink.add(space.dt_bias, draw_BTH.sum(at::IntArrayRef({0, 1})));
  return draw_BTH;
}

}  // namespace automodel::ops
