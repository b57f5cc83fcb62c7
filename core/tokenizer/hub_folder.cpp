#include "core/tokenizer/hub_folder.h"

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/tokenizer/hub_class.h"

namespace automodel::tokenizer {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::array<std::string_view, 7> kNamedTokens = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};

bool is_named_token(std::string_view key) {
  return std::ranges::find(kNamedTokens, key) != kNamedTokens.end();
}

ordered_json read_optional(const fs::path& file) {
  if (!fs::exists(file)) return ordered_json::object();
  ordered_json json = read_ordered_json(file);
  check(json.is_object(),
        ErrorCode::kFormat,
        file.string(),
        ": expected an object, found a ",
        json.type_name());
  return json;
}

/// vocab.json and merges.txt without a tokenizer.json: GPT-2's form, whoever wrote it.
bool is_pair_only(const fs::path& path) {
  return !fs::exists(path / "tokenizer.json") && fs::exists(path / "vocab.json") &&
         fs::exists(path / "merges.txt");
}

/// chat_template.jinja and additional_chat_templates/NAME.jinja come before what tokenizer_config.json says.
std::map<std::string, std::string> read_chat_templates(const HubFolder& folder) {
  std::map<std::string, std::string> templates;
  const fs::path file = folder.path / "chat_template.jinja";
  if (fs::exists(file)) templates["default"] = read_file(file);
  const fs::path more = folder.path / "additional_chat_templates";
  if (fs::is_directory(more)) {
    for (const auto& entry : fs::directory_iterator(more)) {
      if (entry.path().extension() == ".jinja")
        templates[entry.path().stem().string()] = read_file(entry.path());
    }
  }
  if (!templates.empty()) return templates;

  const auto found = folder.config.find("chat_template");
  if (found == folder.config.end() || found->is_null()) return templates;
  const std::string place = (folder.path / "tokenizer_config.json").string() + ": chat_template";
  if (found->is_string()) {
    templates["default"] = found->get<std::string>();
  } else if (found->is_array()) {
    for (const ordered_json& entry : *found) {
      check(entry.is_object() && entry.contains("name") && entry.contains("template") &&
                entry["name"].is_string() && entry["template"].is_string(),
            ErrorCode::kFormat,
            place,
            ": expected a list of {name, template}");
      templates[entry["name"].get<std::string>()] = entry["template"].get<std::string>();
    }
  } else if (found->is_object()) {
    for (const auto& [name, source] : found->items()) {
      check(source.is_string(), ErrorCode::kFormat, place, ".", name, ": expected text");
      templates[name] = source.get<std::string>();
    }
  } else {
    fail(ErrorCode::kFormat,
         place,
         " is a ",
         found->type_name(),
         "; expected text or a list of {name, template}");
  }
  return templates;
}

void read_added_tokens(HubFolder& folder) {
  const std::string place = (folder.path / "tokenizer_config.json").string() + ": added_tokens_decoder.";
  const auto found = folder.config.find("added_tokens_decoder");
  if (found != folder.config.end() && found->is_object()) {
    folder.added_tokens.emplace();
    for (const auto& [id, token] : found->items()) {
      check(!id.empty() && id.size() < 10 &&
                std::ranges::all_of(id, [](unsigned char c) { return std::isdigit(c); }),
            ErrorCode::kFormat,
            place,
            id,
            ": expected an id");
      folder.added_tokens->emplace(std::stoll(id), read_added_token(token, place + id));
    }
    return;
  }
  // Folders of older transformers name their tokens in two more files.
  const ordered_json special_tokens = read_optional(folder.path / "special_tokens_map.json");
  for (const auto& [key, value] : special_tokens.items()) folder.config[key] = value;
}

std::optional<AddedToken> token_of(const HubFolder& folder,
                                   const std::string& key,
                                   const ordered_json& value) {
  if (value.is_null()) return std::nullopt;
  AddedToken token = read_added_token(value, (folder.path / "tokenizer_config.json").string() + ": " + key);
  if (folder.added_tokens) {
    for (const auto& [id, added] : *folder.added_tokens) {
      if (added.content == token.content) token = added;
    }
  }
  token.special = true;
  return token;
}

void read_special_tokens(HubFolder& folder) {
  const ordered_json defaults = class_special_tokens(folder.tokenizer_class);
  for (std::string_view name : kNamedTokens) {
    const std::string key(name);
    const ordered_json& source = folder.config.contains(key) ? folder.config : defaults;
    if (!source.contains(key)) continue;
    if (auto token = token_of(folder, key, source[key])) folder.special_tokens.emplace_back(key, *token);
  }
  for (const auto& [key, value] : folder.config.items()) {
    if (key.ends_with("_token") && !is_named_token(key) && value.is_string()) {
      folder.special_tokens.emplace_back(key, *token_of(folder, key, value));
    }
  }
  const char* extra =
      folder.config.contains("extra_special_tokens") && !folder.config["extra_special_tokens"].empty()
          ? "extra_special_tokens"
          : "additional_special_tokens";
  if (!folder.config.contains(extra)) return;
  for (const auto& [key, value] : folder.config[extra].items()) {
    auto token = token_of(folder, extra, value);
    if (!token) continue;
    if (folder.config[extra].is_object()) {
      folder.special_tokens.emplace_back(key, *token);
    } else {
      folder.extra_special_tokens.push_back(*token);
    }
  }
}

}  // namespace

std::string HubFolder::special_token(const std::string& name) const {
  for (const auto& [key, token] : special_tokens) {
    if (key == name) return token.content;
  }
  return "";
}

ordered_json read_ordered_json(const fs::path& path) {
  try {
    return ordered_json::parse(read_file(path));
  } catch (const ordered_json::exception& error) {
    fail(ErrorCode::kFormat, path.string(), ": not valid JSON: ", error.what());
  }
}

nlohmann::json read_tokenizer_json(const fs::path& path, bool with_model) {
  const auto keep = [&](int depth, nlohmann::json::parse_event_t event, const nlohmann::json& parsed) {
    return with_model || depth != 1 || event != nlohmann::json::parse_event_t::key || parsed != "model";
  };
  nlohmann::json tokenizer;
  try {
    tokenizer = nlohmann::json::parse(read_file(path), keep);
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kFormat, path.string(), ": not valid JSON: ", error.what());
  }
  check(tokenizer.is_object(), ErrorCode::kFormat, path.string(), ": expected an object");
  return tokenizer;
}

AddedToken read_added_token(const ordered_json& value, const std::string& place) {
  AddedToken token;
  if (value.is_string()) {
    token.content = value.get<std::string>();
    return token;
  }
  check(value.is_object() && value.contains("content") && value["content"].is_string(),
        ErrorCode::kFormat,
        place,
        ": expected text or an object with \"content\"");
  const auto flag = [&](const char* name, bool missing) {
    if (!value.contains(name)) return missing;
    check(value[name].is_boolean(), ErrorCode::kFormat, place, ".", name, ": expected true or false");
    return value[name].get<bool>();
  };
  token.content = value["content"].get<std::string>();
  token.single_word = flag("single_word", false);
  token.lstrip = flag("lstrip", false);
  token.rstrip = flag("rstrip", false);
  token.special = flag("special", false);
  token.normalized = flag("normalized", !token.special);
  return token;
}

HubFolder read_hub_folder(const fs::path& path) {
  check(fs::is_directory(path), ErrorCode::kIo, path.string(), ": no such folder");
  HubFolder folder;
  folder.path = path;
  folder.config = read_optional(path / "tokenizer_config.json");
  folder.tokenizer_class = hub_tokenizer_class(path, folder.config, read_optional(path / "config.json"));
  if (folder.tokenizer_class.empty() && is_pair_only(path)) folder.tokenizer_class = "GPT2Tokenizer";
  read_added_tokens(folder);
  read_special_tokens(folder);
  folder.chat_templates = read_chat_templates(folder);
  return folder;
}

}  // namespace automodel::tokenizer
