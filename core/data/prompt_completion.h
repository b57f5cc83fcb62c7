#pragma once

#include <string_view>

#include "core/data/text_encoder.h"

namespace automodel::data {

/// The sample of a prompt and its answer as plain text, tokenised in one piece. With `answer_only`, as many
/// tokens are left unlearnt as the prompt has when tokenised alone, and one for the bos token where the
/// tokenizer's attribute add_bos_token is true. That is the reference's split: where a token spans the
/// border, and where a post-processor adds the bos token without the attribute, the last token of the prompt
/// is learnt.
Sample encode_prompt_completion(const TextEncoder& encoder,
                                std::string_view prompt,
                                std::string_view answer,
                                bool answer_only);

}  // namespace automodel::data
