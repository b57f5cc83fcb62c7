#include "core/nn/rope_table.h"

#include <cmath>

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pow.h>

namespace automodel::nn {
namespace {

at::Tensor as_float_tensor(const std::vector<double>& values) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, at::kFloat);
  float* to = tensor.mutable_data_ptr<float>();
  for (size_t i = 0; i < values.size(); ++i) to[i] = static_cast<float>(values[i]);
  return tensor;
}

/// Dynamic NTK scaling: the base that keeps the longest wave in range at this length.
at::Tensor dynamic_inv_freq(const arch::RopeConfig& config, int64_t length) {
  const double dim = static_cast<double>(config.rotary_dim);
  const double stretch = config.dynamic_factor * static_cast<double>(length) /
                             static_cast<double>(config.original_max_position) -
                         (config.dynamic_factor - 1);
  const double base = config.theta * std::pow(stretch, dim / (dim - 2));
  const at::Tensor exponent = at::arange(0, config.rotary_dim, 2, at::kLong).to(at::kFloat).div_(dim);
  return at::pow(base, exponent).reciprocal_();
}

void lend(const ops::RopeAngles& angles, const Tokens& tokens) {
  if (tokens.lent) tokens.lent->insert(tokens.lent->end(), {angles.cos, angles.sin});
}

}  // namespace

RopeTable::RopeTable(arch::RopeConfig config, at::Device device)
    : config_(std::move(config)), device_(device) {
  check(config_.inv_freq.size() * 2 == static_cast<size_t>(config_.rotary_dim),
        ErrorCode::kInvalidArgument,
        "rope: ",
        config_.inv_freq.size(),
        " frequencies for rotary_dim ",
        config_.rotary_dim);
}

ops::RopeAngles RopeTable::angles(int64_t begin, int64_t end) const {
  auto found = made_.find({begin, end});
  if (found == made_.end()) {
    constexpr size_t kMostRanges = 64;
    if (made_.size() >= kMostRanges) made_.clear();
    found = made_.emplace(std::pair(begin, end), make(begin, end)).first;
  }
  return found->second;
}

ops::RopeAngles RopeTable::angles(const Tokens& tokens, int64_t before, int64_t length) const {
  const at::Tensor& positions = tokens.positions_BT;
  if (!positions.defined()) {
    ops::RopeAngles made = angles(before, before + length);
    lend(made, tokens);
    return made;
  }
  // The layers of a micro-batch ask for the same.
  if (last_positions_BT_.defined() && last_positions_BT_.is_same(positions)) return of_last_;
  // On a GPU the largest position is asked for only where mathematics depends on it: that waits for the
  // device.
  const bool bounded = positions.is_cuda() && config_.original_max_position == 0;
  const int64_t end = bounded ? before + length : positions.max().item<int64_t>() + 1;
  const ops::RopeAngles all = angles(0, end);
  lend(all, tokens);
  const at::Tensor rows = positions.reshape({-1});
  of_last_ = {all.cos.index_select(0, rows), all.sin.index_select(0, rows), config_.interleaved};
  last_positions_BT_ = positions;
  return of_last_;
}

ops::RopeAngles RopeTable::make(int64_t begin, int64_t end) const {
  const bool beyond = config_.original_max_position > 0 && end > config_.original_max_position;
  at::Tensor inv_freq = as_float_tensor(config_.inv_freq);
  double factor = config_.attention_factor;
  if (beyond && !config_.long_inv_freq.empty()) {
    inv_freq = as_float_tensor(config_.long_inv_freq);
    factor = config_.long_attention_factor;
  } else if (beyond && config_.dynamic_factor > 0) {
    inv_freq = dynamic_inv_freq(config_, end);
  }
  const at::Tensor turns = at::outer(at::arange(begin, end, at::kLong).to(at::kFloat), inv_freq);
  return {turns.cos().mul_(factor).to(device_), turns.sin().mul_(factor).to(device_), config_.interleaved};
}

}  // namespace automodel::nn
