#include "core/data/messages.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/data/python_text.h"
#include "core/data/row_json.h"
#include "core/data/row_kinds.h"

namespace automodel::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kShareGptRoles = {{
    {"system", "system"},
    {"human", "user"},
    {"user", "user"},
    {"gpt", "assistant"},
    {"assistant", "assistant"},
    {"chatgpt", "assistant"},
    {"model", "assistant"},
    {"bot", "assistant"},
}};

/// The value under `key`, or null.
const Json& get(const Json& object, const char* key) {
  static const Json none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

/// How a value stands in a message: text in quotes, anything else by its kind.
std::string shown(const Json& value) {
  return value.is_string() ? "\"" + value.get<std::string>() + "\"" : std::string(kind_of(value));
}

std::string read_content(const Json& content, const std::string& where) {
  if (content.is_null()) return "";
  check(!content.is_object(),
        ErrorCode::kData,
        where,
        ".content is an object; expected text or a list of parts");
  if (!content.is_array()) return python_str(content);
  std::string text;
  bool first = true;
  for (const Json& part : content) {
    const auto found = part.is_object() ? part.find("text") : part.end();
    if (!part.is_object() || found == part.end()) continue;  // an image, say
    check(found->is_string(), ErrorCode::kData, where, ".content: a part's \"text\" is ", kind_of(*found));
    if (!first) text += ' ';
    first = false;
    text += found->get_ref<const std::string&>();
  }
  return text;
}

/// Gives an absent, null or empty text field its default.
void default_text(Json& object, const char* key, const std::string& value, const std::string& where) {
  const Json& present = get(object, key);
  if (present.is_null() || present == "") {
    object[key] = value;
    return;
  }
  check(present.is_string(), ErrorCode::kData, where, ".", key, " is ", kind_of(present), "; expected text");
}

Json read_tool_calls(const Json& calls, const std::string& where) {
  check(calls.is_array(), ErrorCode::kData, where, " is ", kind_of(calls), "; expected a list");
  Json read = Json::array();
  for (size_t i = 0; i < calls.size(); ++i) {
    const std::string here = detail::join(where, "[", i, "]");
    check(calls[i].is_object(), ErrorCode::kData, here, " is ", kind_of(calls[i]), "; expected an object");
    Json call = calls[i];
    default_text(call, "id", detail::join("call_", i), here);
    default_text(call, "type", "function", here);
    const Json& function = get(call, "function");
    check(function.is_object(),
          ErrorCode::kData,
          here,
          ".function is ",
          kind_of(function),
          "; expected an object");
    const Json& name = get(function, "name");
    check(name.is_string() && name != "", ErrorCode::kData, here, ".function.name is missing or empty");
    const Json& arguments = get(function, "arguments");
    check(!arguments.is_null(), ErrorCode::kData, here, ".function.arguments is missing");
    if (!arguments.is_string()) call["function"]["arguments"] = python_json_dumps(arguments);
    read.push_back(std::move(call));
  }
  return read;
}

Json read_message(const Json& message, const std::string& where) {
  check(message.is_object(),
        ErrorCode::kData,
        where,
        " is ",
        kind_of(message),
        "; expected {\"role\", \"content\"}");
  const Json& role = get(message, "role");
  check(role == "system" || role == "user" || role == "assistant" || role == "tool",
        ErrorCode::kData,
        where,
        ".role is ",
        shown(role),
        "; expected system, user, assistant or tool");
  Json read = message;
  read["content"] = read_content(get(message, "content"), where);
  if (role == "assistant") {
    const auto reasoning = message.find("reasoning_content");
    if (reasoning != message.end()) {
      check(reasoning->is_null() || reasoning->is_string(),
            ErrorCode::kData,
            where,
            ".reasoning_content is ",
            kind_of(*reasoning),
            "; expected text");
      if (reasoning->is_null()) read["reasoning_content"] = "";
    }
    const auto calls = message.find("tool_calls");
    if (calls != message.end()) read["tool_calls"] = read_tool_calls(*calls, where + ".tool_calls");
  }
  if (role == "tool") {
    const Json& id = get(message, "tool_call_id");
    check(id.is_string() && id != "",
          ErrorCode::kData,
          where,
          ".tool_call_id is missing or empty; a tool message names the call it answers");
  }
  return read;
}

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
    const Json& from = turns[i].contains("from") ? turns[i]["from"] : get(turns[i], "role");
    std::string_view role;
    for (const auto& [name, meant] : kShareGptRoles) {
      if (from == name) role = meant;
    }
    check(!role.empty(),
          ErrorCode::kData,
          where,
          ".from is ",
          shown(from),
          "; expected system, human, user, gpt, assistant, chatgpt, model or bot");
    Json message = {{"role", role}};
    message["content"] =
        turns[i].contains("value") ? turns[i]["value"] : Json(turns[i].value("content", Json("")));
    messages.push_back(std::move(message));
  }
  return messages;
}

}  // namespace

Json read_messages(const Json& row) {
  const bool converted = get(row, "messages").is_null() && !get(row, "conversations").is_null();
  const Json messages = converted ? from_conversations(row["conversations"]) : get(row, "messages");
  if (messages.is_null()) {
    fail(ErrorCode::kData,
         "\"messages\" is missing; expected a list of {\"role\", \"content\"}, or ShareGPT's "
         "\"conversations\"; ",
         describe_row(row));
  }
  check(messages.is_array(),
        ErrorCode::kData,
        "\"messages\" is ",
        kind_of(messages),
        "; expected a list of {\"role\", \"content\"}");
  check(!messages.empty(), ErrorCode::kData, "\"messages\" is empty");
  Json read = Json::array();
  for (size_t i = 0; i < messages.size(); ++i) {
    read.push_back(
        read_message(messages[i], detail::join(converted ? "conversations[" : "messages[", i, "]")));
  }
  return read;
}

Json read_tools(const Json& row) {
  Json tools = get(row, "tools");
  if (tools.is_string()) {
    const std::string text = tools.get<std::string>();
    tools = Json::parse(text, nullptr, false);
    check(!tools.is_discarded(), ErrorCode::kData, "\"tools\" is text but not JSON; expected a list");
  }
  if (tools.is_null() || (tools.is_array() && tools.empty())) return nullptr;
  check(tools.is_array(),
        ErrorCode::kData,
        "\"tools\" is ",
        kind_of(tools),
        "; expected a list or its JSON text");
  return tools;
}

}  // namespace automodel::data
