#pragma once

#include "core/recipes/entry.h"

namespace automodel::recipes {

/// Continues each prompt, one after the other: the prompt in one pass, then a token a step, with what
/// attention keeps of the tokens before in a cache. Greedy and sampled texts are those of transformers'
/// generate (docs/generate.md). Throws Error(kUnsupported) naming a setting of generation_config.json that
/// would change the text and is not implemented.
void generate(const GenerateRequest& request, const GenerateEvents& events);

}  // namespace automodel::recipes
