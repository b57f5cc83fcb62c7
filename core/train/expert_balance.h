#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/models/decoder.h"

namespace automodel::train {

/// Tokens that each expert got in a step, by block: [E] f32 sums over the micro-batches' results. Empty for a
/// model without experts.
std::map<std::string, at::Tensor> tokens_per_expert(const std::vector<nn::State>& results);

/// The counts of all layers one behind the other as a vector f64, in the order of the layers, with the number
/// of experts of each. Undefined for a model without experts.
struct JoinedLoads {
  at::Tensor values;
  std::vector<int64_t> num_experts;
};

JoinedLoads join_loads(const models::Decoder& decoder, const std::vector<nn::State>& results);

/// Moves the score biases of the routers that learn and have an update rate towards experts with less load
/// (see core/arch/moe_config.h). After the optimizer's step; does not wait for the device.
void balance_experts(models::Decoder& decoder, const std::vector<nn::State>& results);

}  // namespace automodel::train
