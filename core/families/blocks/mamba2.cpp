// Fields of Mamba-2.
#include <limits>

#include "core/families/field_setters.h"

namespace automodel::families {
namespace {

/// A number, or an infinity.
double as_limit(const json& value, const std::string& where) {
  const std::string infinity = infinity_in(value);
  if (infinity.empty()) return as_number(value, where);
  return (infinity[0] == '-' ? -1 : 1) * std::numeric_limits<double>::infinity();
}

void set_dt_limit(Draft& d, const json& v, const std::string& w) {
  check(v.is_array() && v.size() == 2, ErrorCode::kFormat, w, ": expected a list of two numbers");
  d.layer.mamba2.dt_min = as_limit(v[0], w);
  d.layer.mamba2.dt_max = as_limit(v[1], w);
}

Setter first_step(double arch::FirstSteps::* of) {
  return [=](Draft& d, const json& v, const std::string& w) {
    auto& steps = d.layer.mamba2.first_steps;
    if (!steps) steps.emplace();
    (*steps).*of = as_number(v, w);
    check((*steps).*of > 0, ErrorCode::kFormat, w, ": expected a number above 0");
  };
}

void set_ssm_multipliers(Draft& d, const json& v, const std::string& w) {
  if (v.is_null()) return;
  const std::vector<double> numbers = as_numbers(v, w);
  auto& parts = d.layer.mamba2.part_multipliers;
  check(numbers.size() == parts.size(), ErrorCode::kFormat, w, ": expected a list of five numbers");
  std::copy(numbers.begin(), numbers.end(), parts.begin());
}

}  // namespace

std::vector<Field> mamba2_fields();

std::vector<Field> mamba2_fields() {
  return {
      {"ssm_num_heads", "heads of a state space", size(OF(layer.mamba2.num_heads), 1)},
      {"ssm_head_dim",
       "width of a state space's head; 0, null or auto: channels / heads",
       [](Draft& d, const json& v, const std::string& w) {
         const bool open = v.is_null() || (v.is_string() && v == "auto");
         d.layer.mamba2.head_dim = open ? 0 : as_int(v, w, 0, kMaxSize);
       }},
      {"ssm_inner_size", "channels of a state space; 0: ssm_expand hidden_size", size(OF(ssm_inner_size), 0)},
      {"ssm_expand",
       "channels of a state space over hidden_size; 0: as its heads say",
       number(OF(ssm_expand))},
      {"ssm_num_groups", "groups of heads that share B and C", size(OF(layer.mamba2.num_groups), 1)},
      {"ssm_state_size", "width of a state space's state", size(OF(layer.mamba2.state_size), 1)},
      {"ssm_conv_kernel", "taps of a state space's convolution", size(OF(layer.mamba2.conv_kernel), 1, 64)},
      {"ssm_conv_bias", "bias of a state space's convolution", yes_or_no(OF(layer.mamba2.conv_bias))},
      {"ssm_in_bias", "bias of a state space's input projection", yes_or_no(OF(layer.mamba2.in_bias))},
      {"ssm_out_bias", "bias of a state space's output projection", yes_or_no(OF(layer.mamba2.out_bias))},
      {"ssm_dt_min", "time steps of a state space are at least this", number(OF(layer.mamba2.dt_min))},
      {"ssm_first_step_min",
       "drawn at random, time steps are log-uniform from this on; dt_bias begins at one without",
       first_step(&arch::FirstSteps::min)},
      {"ssm_first_step_max", "up to this", first_step(&arch::FirstSteps::max)},
      {"ssm_first_step_floor", "and at least this", first_step(&arch::FirstSteps::floor)},
      {"ssm_out_by_depth",
       "drawn at random, a state space's output projection is uniform below 1 / sqrt(inputs x layers)",
       yes_or_no(OF(layer.mamba2.out_by_depth))},
      {"ssm_dt_limit", "list of the least and the greatest", set_dt_limit},
      {"ssm_norm",
       "whether a state space's output is normalised, not gated alone",
       [](Draft& d, const json& v, const std::string& w) {
         if (!as_bool(v, w)) d.layer.mamba2.gate = kernels::GateOrder::kGateOnly;
       }},
      {"ssm_norm_before_gate",
       "a state space's output is normalised, then gated; else the other way round",
       [](Draft& d, const json& v, const std::string& w) {
         if (as_bool(v, w) && d.layer.mamba2.gate != kernels::GateOrder::kGateOnly)
           d.layer.mamba2.gate = kernels::GateOrder::kNormFirst;
       }},
      {"ssm_in_multiplier", "of what a state space reads", number(OF(layer.mamba2_multipliers.in))},
      {"ssm_out_multiplier", "of what a state space adds", number(OF(layer.mamba2_multipliers.out))},
      {"ssm_multipliers", "list of those of z, x, B, C and dt in a state space", set_ssm_multipliers},
  };
}

}  // namespace automodel::families
