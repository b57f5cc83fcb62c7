#include "core/data/prompt_completion.h"

#include <algorithm>
#include <string>
#include <utility>

namespace automodel::data {

Sample encode_prompt_completion(const TextEncoder& encoder,
                                std::string_view prompt,
                                std::string_view answer,
                                bool answer_only) {
  MarkedTokens tokens;
  tokens.ids = encoder.encode(std::string(prompt).append(answer));
  tokens.learnt.assign(tokens.ids.size(), 1);
  if (answer_only) {
    const tokenizer::Tokenizer& tokenizer = encoder.tokenizer();
    const size_t prompt_length = tokenizer.encode(prompt, false).size() + (tokenizer.add_bos_token() ? 1 : 0);
    std::fill_n(tokens.learnt.begin(), std::min(prompt_length, tokens.learnt.size()), 0);
  }
  return encoder.package(std::move(tokens));
}

}  // namespace automodel::data
