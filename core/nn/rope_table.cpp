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
at::Tensor dynamic_inv_freq(const RopeConfig& config, int64_t length) {
  const double dim = static_cast<double>(config.rotary_dim);
  const double stretch = config.dynamic_factor * static_cast<double>(length) /
                             static_cast<double>(config.original_max_position) -
                         (config.dynamic_factor - 1);
  const double base = config.theta * std::pow(stretch, dim / (dim - 2));
  const at::Tensor exponent = at::arange(0, config.rotary_dim, 2, at::kLong).to(at::kFloat).div_(dim);
  return at::pow(base, exponent).reciprocal_();
}

}  // namespace

RopeTable::RopeTable(RopeConfig config, at::Device device) : config_(std::move(config)), device_(device) {
  check(config_.inv_freq.size() * 2 == static_cast<size_t>(config_.rotary_dim),
        ErrorCode::kInvalidArgument,
        "rope: ",
        config_.inv_freq.size(),
        " frequencies for rotary_dim ",
        config_.rotary_dim);
}

std::pair<at::Tensor, at::Tensor> RopeTable::tables(int64_t begin, int64_t end) const {
  auto found = made_.find({begin, end});
  if (found == made_.end()) {
    constexpr size_t kMostRanges = 64;
    if (made_.size() >= kMostRanges) made_.clear();
    found = made_.emplace(std::pair(begin, end), make(begin, end)).first;
  }
  return found->second;
}

std::pair<at::Tensor, at::Tensor> RopeTable::make(int64_t begin, int64_t end) const {
  const bool beyond = config_.original_max_position > 0 && end > config_.original_max_position;
  at::Tensor inv_freq = as_float_tensor(config_.inv_freq);
  double factor = config_.attention_factor;
  if (beyond && !config_.long_inv_freq.empty()) {
    inv_freq = as_float_tensor(config_.long_inv_freq);
    factor = config_.long_attention_factor;
  } else if (beyond && config_.dynamic_factor > 0) {
    inv_freq = dynamic_inv_freq(config_, end);
  }
  const at::Tensor angles = at::outer(at::arange(begin, end, at::kLong).to(at::kFloat), inv_freq);
  return {angles.cos().mul_(factor).to(device_), angles.sin().mul_(factor).to(device_)};
}

}  // namespace automodel::nn
