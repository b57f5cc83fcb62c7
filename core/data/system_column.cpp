#include "core/data/system_column.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/data/notices.h"
#include "core/data/row_json.h"

namespace automodel::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 6> kSystem = {
    "system", "systemprompt", "systemmessage", "systeminstruction", "systeminstructions", "sysprompt"};
constexpr std::array<std::string_view, 5> kLikeSystem = {
    "developer", "developermessage", "developerprompt", "instructions", "preamble"};
constexpr std::array<std::string_view, 6> kLikeWeights = {
    "weight", "weights", "lossmask", "lossweight", "lossweights", "trainonturn"};

/// "System_Prompt" and "systemPrompt" are one name.
std::string plain_name(std::string_view column) {
  std::string name;
  for (const char c : column) {
    if (c == '_' || c == '-' || c == ' ') continue;
    name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return name;
}

template <class Names>
bool is_among(const Names& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

bool looks_like_system(const std::string& name) {
  return name.find("system") != std::string::npos || is_among(kSystem, name) || is_among(kLikeSystem, name);
}

bool is_empty(const Json& value) {
  return value.is_null() || value == "" || (value.is_structured() && value.empty());
}

bool begins_with_system(const Json& messages) {
  if (messages.empty()) return false;
  return messages[0]["role"] == "system" || messages[0]["role"] == "developer";
}

void not_read(const std::string& column, const std::string& why) {
  warn_once("dataset: the column \"" + column + "\" is not read: " + why);
}

}  // namespace

void notice_system_column(const std::string& column, const Json& value) {
  if (!is_empty(value) && looks_like_system(plain_name(column)))
    not_read(column,
             "it looks like a system prompt; name it in dataset.column_mapping as the context to use it");
}

void add_system_column(const Json& row, Json& messages) {
  const bool has_own = begins_with_system(messages);
  Json prompt;
  for (const auto& [column, value] : row.items()) {
    if (is_empty(value)) continue;
    const std::string name = plain_name(column);
    if (is_among(kLikeWeights, name)) {
      not_read(column, "weights stand in the turns, as \"weight\": 0 or 1");
    } else if (!is_among(kSystem, name)) {
      if (looks_like_system(name))
        not_read(column, "it looks like a system prompt; name it \"system\" to use it");
    } else if (!value.is_string()) {
      not_read(column, "it is " + std::string(kind_of(value)) + ", expected the text of a system prompt");
    } else if (has_own) {
      if (messages[0].value("content", Json()) != value)
        not_read(column, "the conversations begin with a system turn of their own");
    } else if (prompt.is_null()) {
      prompt = value;
    } else if (prompt != value) {
      not_read(column, "another column before it is the system prompt");
    }
  }
  if (!prompt.is_null()) messages.insert(messages.begin(), Json({{"role", "system"}, {"content", prompt}}));
}

}  // namespace automodel::data
