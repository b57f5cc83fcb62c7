#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/tokenizer/hub_folder.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::tokenizer {

/// The chat templates of a tokenizer folder with the special tokens they may print. Needs no vocabulary.
/// Immutable but for `replace`.
class ChatFolder {
 public:
  ChatFolder() = default;

  /// Compiles every template. A broken one is an error when it is used, not before.
  explicit ChatFolder(const HubFolder& folder);

  /// The template of that name, or null. Throws Error(kFormat) when it did not compile.
  const ChatTemplate* find(const std::string& name) const;

  /// Takes `source` as the only template. Throws Error(kFormat) when it does not compile.
  void replace(std::string_view source);

  /// As transformers' apply_chat_template: "tool_use" where there is one and tools are given, else "default";
  /// `own`, when given, in place of both. Throws Error(kConfig) when there is none.
  Rendered render(const nlohmann::ordered_json& variables, const ChatTemplate* own = nullptr) const;

 private:
  struct Entry {
    std::shared_ptr<const ChatTemplate> compiled;
    std::shared_ptr<const Error> failure;
  };

  std::map<std::string, Entry> templates_;
  nlohmann::ordered_json special_tokens_ = nlohmann::ordered_json::object();
  std::string place_;
};

}  // namespace automodel::tokenizer
