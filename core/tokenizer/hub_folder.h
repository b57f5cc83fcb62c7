#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace automodel::tokenizer {

/// An added token as tokenizer.json and tokenizer_config.json write it.
struct AddedToken {
  std::string content;
  bool single_word = false;
  bool lstrip = false;
  bool rstrip = false;
  bool normalized = false;
  bool special = true;
};

/// What the small files of a tokenizer folder say; the vocabulary is not read.
struct HubFolder {
  std::filesystem::path path;
  nlohmann::ordered_json config;  ///< tokenizer_config.json, {} when absent
  std::string
      tokenizer_class;  ///< transformers' class that AutoTokenizer would take; empty: the plain backend
  /// bos_token, eos_token, ... in transformers' order, then model-specific ones; only those that are set.
  std::vector<std::pair<std::string, AddedToken>> special_tokens;
  std::vector<AddedToken> extra_special_tokens;
  /// tokenizer_config.json's added_tokens_decoder by id; nullopt when it has none.
  std::optional<std::map<int64_t, AddedToken>> added_tokens;
  std::map<std::string, std::string> chat_templates;  ///< by name; "default" is the usual one

  /// The token's text, or empty.
  std::string special_token(const std::string& name) const;
};

/// Reads tokenizer_config.json, special_tokens_map.json, added_tokens.json, chat_template.jinja and
/// config.json of a folder, as transformers' AutoTokenizer does. Throws Error(kFormat) naming file and key.
HubFolder read_hub_folder(const std::filesystem::path& path);

/// From a JSON text or object. `place` names it in messages.
AddedToken read_added_token(const nlohmann::ordered_json& value, const std::string& place);

/// Reads a tokenizer.json, an object with a "model", or all of it but the model. Throws Error(kFormat).
nlohmann::json read_tokenizer_json(const std::filesystem::path& path, bool with_model);

/// Reads a small JSON file keeping the order of keys. Throws Error(kFormat) naming the file.
nlohmann::ordered_json read_ordered_json(const std::filesystem::path& path);

}  // namespace automodel::tokenizer
