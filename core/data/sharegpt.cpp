#include "core/data/sharegpt.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/data/row_json.h"
#include "core/io/python_json.h"

namespace automodel::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kCall = "function_call";

constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kRoles = {{
    {"system", "system"},
    {"human", "user"},
    {"user", "user"},
    {"gpt", "assistant"},
    {"assistant", "assistant"},
    {"chatgpt", "assistant"},
    {"model", "assistant"},
    {"bot", "assistant"},
    {"function_call", kCall},
    {"tool_call", kCall},
    {"observation", "tool"},
    {"tool", "tool"},
    {"tool_response", "tool"},
    {"function_response", "tool"},
    {"developer", "developer"},
}};

std::string_view role_of(const Json& from, const std::string& where) {
  for (const auto& [name, meant] : kRoles) {
    if (from == name) return meant;
  }
  const std::string shown =
      from.is_string() ? "\"" + from.get<std::string>() + "\"" : std::string(kind_of(from));
  fail(
      ErrorCode::kData,
      where,
      ".from is ",
      shown,
      "; expected system, human, user, gpt, assistant, chatgpt, model, bot, function_call, observation or tool");
}

/// The calls that the value of a function_call names.
Json calls_of(const Json& value, const std::string& where) {
  Json named = value;
  if (value.is_string()) {
    io::JsonFault fault;
    std::optional<Json> read = io::read_python_json(value.get_ref<const std::string&>(), fault);
    check(read.has_value(),
          ErrorCode::kData,
          where,
          ".value is no JSON of a call ({\"name\", \"arguments\"}) at byte ",
          fault.byte + 1,
          ": ",
          fault.reason);
    named = *std::move(read);
  }
  if (!named.is_array()) named = Json::array({std::move(named)});
  Json calls = Json::array();
  for (Json& function : named) {
    check(function.is_object() && function.contains("name"),
          ErrorCode::kData,
          where,
          ".value is ",
          kind_of(function),
          " where a call was expected: {\"name\", \"arguments\"}");
    calls.push_back(Json({{"type", "function"}, {"function", std::move(function)}}));
  }
  return calls;
}

}  // namespace

Json from_conversations(const Json& turns) {
  check(turns.is_array(),
        ErrorCode::kData,
        "\"conversations\" is ",
        kind_of(turns),
        "; expected a list of turns");
  Json messages = Json::array();
  for (size_t i = 0; i < turns.size(); ++i) {
    const std::string where = detail::join("conversations[", i, "]");
    check(turns[i].is_object(),
          ErrorCode::kData,
          where,
          " is ",
          kind_of(turns[i]),
          "; expected {\"from\", \"value\"}");
    const auto field = [&](const char* name, const char* other) {
      return turns[i].contains(name) ? turns[i][name] : turns[i].value(other, Json());
    };
    const std::string_view role = role_of(field("from", "role"), where);
    const Json value = field("value", "content");
    Json message = {{"role", role == kCall ? "assistant" : role}};
    message["content"] = role == kCall ? Json("") : value;
    if (role == kCall) message["tool_calls"] = calls_of(value, where);
    for (const auto& [name, more] : turns[i].items()) {
      if (name != "from" && name != "value" && !message.contains(name)) message[name] = more;
    }
    messages.push_back(std::move(message));
  }
  return messages;
}

}  // namespace automodel::data
