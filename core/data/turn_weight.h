#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace automodel::data {

/// Whether an assistant's turn is learnt. It is not when one of these says 0 or false: step_loss_mask, weight
/// (OpenAI), train, training, trainable, loss, loss_mask. `where` names the turn. Throws Error(kData) for
/// another value of the first three than 0, 1, true, false and null; warns once of other words that look like
/// these.
bool is_learnt(const nlohmann::ordered_json& message, const std::string& where);

/// Warns once when another role's turn asks to be learnt: only the assistant's are.
void notice_weight_of_others(const nlohmann::ordered_json& message);

}  // namespace automodel::data
