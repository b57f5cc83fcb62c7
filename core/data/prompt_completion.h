#pragma once

#include <string_view>

#include "core/data/text_encoder.h"

namespace automodel::data {

/// The sample of a prompt and its answer as plain text, tokenised in one piece. With `answer_only`, as many
/// tokens are left unlearnt as the prompt has when tokenised alone (with the bos token when the tokenizer
/// adds one): where a token spans the border, that is the reference's split.
Sample encode_prompt_completion(const TextEncoder& encoder,
                                std::string_view prompt,
                                std::string_view answer,
                                bool answer_only);

}  // namespace automodel::data
