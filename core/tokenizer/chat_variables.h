#pragma once

#include <nlohmann/json_fwd.hpp>

namespace automodel::tokenizer {

/// What transformers hands to a chat template when its caller gives `variables`: tools and documents are none
/// and add_generation_prompt is false unless given; a message's keys without a value (null) are not there;
/// its reasoning is found under both of its names (reasoning_content, thinking). Throws Error(kData) when
/// messages, tools or documents have the wrong shape.
nlohmann::ordered_json chat_variables(nlohmann::ordered_json variables);

}  // namespace automodel::tokenizer
