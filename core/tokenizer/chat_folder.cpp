#include "core/tokenizer/chat_folder.h"

#include "core/tokenizer/chat_variables.h"

namespace automodel::tokenizer {

using nlohmann::ordered_json;

ChatFolder::ChatFolder(const HubFolder& folder) : place_(folder.path.string()) {
  for (const auto& [name, token] : folder.special_tokens) special_tokens_[name] = token.content;
  for (const auto& [name, source] : folder.chat_templates) {
    Entry& entry = templates_[name];
    try {
      entry.compiled = std::make_shared<const ChatTemplate>(source);
    } catch (Error& error) {
      error.add_context("compiling the chat template \"" + name + "\" of " + place_);
      entry.failure = std::make_shared<const Error>(error);
    }
  }
}

const ChatTemplate* ChatFolder::find(const std::string& name) const {
  const auto found = templates_.find(name);
  if (found == templates_.end()) return nullptr;
  if (found->second.failure) throw *found->second.failure;
  return found->second.compiled.get();
}

void ChatFolder::replace(std::string_view source) {
  auto compiled = std::make_shared<const ChatTemplate>(source);
  templates_.clear();
  templates_["default"] = {compiled, nullptr};
}

Rendered ChatFolder::render(const ordered_json& variables, const ChatTemplate* own) const {
  ordered_json all = chat_variables(variables);
  for (const auto& [name, token] : special_tokens_.items()) {
    if (!all.contains(name)) all[name] = token;
  }
  if (own != nullptr) return own->render(all);
  const bool has_tools = !all["tools"].is_null();
  const ChatTemplate* chosen = has_tools ? find("tool_use") : nullptr;
  if (chosen == nullptr) chosen = find("default");
  check(
      chosen != nullptr,
      ErrorCode::kConfig,
      place_.empty() ? "the tokenizer" : place_,
      ": no chat template (chat_template in tokenizer_config.json, or chat_template.jinja); give one with dataset.chat_template in a recipe");
  return chosen->render(all);
}

}  // namespace automodel::tokenizer
