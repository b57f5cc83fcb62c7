#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/config/recipe/recipe.h"
#include "core/data/text_encoder.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::data {

/// Jinja text from dataset.chat_template: the text itself, a file, or a JSON file's "chat_template".
std::string template_source(const std::string& chat_template);

/// Renders conversations with a chat template and marks what is learnt: what stands in the template's
/// {% generation %} blocks; without such blocks every assistant turn, header and closing token included,
/// found by rendering the conversation up to and with it. A turn that opts out (turn_weight.h) is not learnt
/// either way. Immutable: any thread may call.
class ChatEncoder {
 public:
  /// The template is dataset.chat_template (Jinja text; a file; a JSON file with that field) or the
  /// tokenizer's. A set of another kind than ChatSet masks nothing besides. Throws Error(kConfig) when there
  /// is neither template.
  ChatEncoder(const config::DatasetConfig& dataset, const tokenizer::Tokenizer& tokenizer);

  /// `messages` and `tools` as read_messages and read_tools give them. `answer_only`: false learns every
  /// token of a template without generation blocks. Throws Error(kData): the template refuses, no assistant
  /// turn, or a template that rewrites earlier turns when later ones follow.
  Sample encode(const nlohmann::ordered_json& messages,
                const nlohmann::ordered_json& tools,
                bool answer_only = true) const;

  int32_t pad_token_id() const { return encoder_.pad_token_id(); }

 private:
  /// Warns once of tools and calls that the template does not name.
  void notice_unread(const nlohmann::ordered_json& messages, const nlohmann::ordered_json& tools) const;
  tokenizer::Rendered render(const nlohmann::ordered_json& messages,
                             const nlohmann::ordered_json& tools) const;
  std::vector<uint8_t> mask_turns(const nlohmann::ordered_json& messages,
                                  const nlohmann::ordered_json& tools,
                                  const std::vector<int32_t>& ids) const;
  void unmark_reasoning(const nlohmann::ordered_json& messages,
                        const nlohmann::ordered_json& tools,
                        const std::string& text,
                        MarkedTokens& tokens) const;

  TextEncoder encoder_;
  std::optional<tokenizer::ChatTemplate> own_template_;
  std::vector<std::string> unnamed_;  ///< keys of tool use that are not in the template
  bool has_generation_block_ = false;
  bool mask_reasoning_content_ = false;
  bool mask_history_ = false;
};

}  // namespace automodel::data
