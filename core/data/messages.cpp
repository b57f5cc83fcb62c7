#include "core/data/messages.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/data/python_text.h"
#include "core/data/row_json.h"
#include "core/data/row_kinds.h"
#include "core/data/sharegpt.h"
#include "core/data/system_column.h"
#include "core/data/turn_weight.h"
#include "core/io/python_json.h"

namespace automodel::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 7> kRoles = {
    "system", "developer", "user", "assistant", "tool", "function", "ipython"};

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
  check(!io::written_json(content) || !kind_of(content).starts_with("text"),
        ErrorCode::kData,
        where,
        ".content is ",
        kind_of(content));
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

/// A call with its function under "function", or flat.
void check_call(const Json& call, const std::string& where) {
  check(call.is_object(), ErrorCode::kData, where, " is ", kind_of(call), "; expected an object");
  const Json& function = get(call, "function");
  check(function.is_null() || function.is_object(),
        ErrorCode::kData,
        where,
        ".function is ",
        kind_of(function),
        "; expected an object");
  const Json& name = get(function.is_null() ? call : function, "name");
  check(name.is_string() && name != "", ErrorCode::kData, where, ".function.name is missing or empty");
}

/// AutoModel's form of a call.
void complete_call(Json& call, size_t index, const std::string& where) {
  default_text(call, "id", detail::join("call_", index), where);
  default_text(call, "type", "function", where);
  check(call.contains("function"), ErrorCode::kData, where, ".function is missing; expected an object");
  const Json& arguments = get(call["function"], "arguments");
  check(!arguments.is_null(), ErrorCode::kData, where, ".function.arguments is missing");
  if (!arguments.is_string()) call["function"]["arguments"] = python_json_dumps(arguments);
}

Json read_tool_calls(const Json& calls, ToolArguments form, const std::string& where) {
  check(calls.is_array(), ErrorCode::kData, where, " is ", kind_of(calls), "; expected a list");
  Json read = calls;
  for (size_t i = 0; i < read.size(); ++i) {
    const std::string here = detail::join(where, "[", i, "]");
    check_call(read[i], here);
    if (form == ToolArguments::kJsonText) complete_call(read[i], i, here);
  }
  return read;
}

void check_role(const Json& role, const std::string& where) {
  check(std::ranges::any_of(kRoles, [&](std::string_view known) { return role == known; }),
        ErrorCode::kData,
        where,
        ".role is ",
        shown(role),
        "; expected system, developer, user, assistant, tool, function or ipython");
}

/// A null is a missing key to a template; AutoModel has an empty reasoning instead.
void read_reasoning(Json& message, ToolArguments form, const std::string& where) {
  const auto reasoning = message.find("reasoning_content");
  if (reasoning == message.end()) return;
  check(reasoning->is_null() || reasoning->is_string(),
        ErrorCode::kData,
        where,
        ".reasoning_content is ",
        kind_of(*reasoning),
        "; expected text");
  if (!reasoning->is_null()) return;
  if (form == ToolArguments::kJsonText) {
    *reasoning = "";
  } else {
    message.erase("reasoning_content");
  }
}

Json read_message(const Json& message, ToolArguments form, const std::string& where) {
  check(message.is_object(),
        ErrorCode::kData,
        where,
        " is ",
        kind_of(message),
        "; expected {\"role\", \"content\"}");
  const Json& role = get(message, "role");
  check_role(role, where);
  Json read = message;
  read["content"] = read_content(get(message, "content"), where);
  if (role == "assistant") {
    read_reasoning(read, form, where);
    if (const Json& calls = get(message, "tool_calls"); !calls.is_null())
      read["tool_calls"] = read_tool_calls(calls, form, where + ".tool_calls");
  } else {
    notice_weight_of_others(message);
  }
  return read;
}

}  // namespace

Json read_messages(const Json& row, ToolArguments form) {
  const bool converted = get(row, "messages").is_null() && !get(row, "conversations").is_null();
  const Json messages = converted ? from_conversations(row["conversations"]) : get(row, "messages");
  if (messages.is_null()) {
    fail(
        ErrorCode::kData,
        "\"messages\" is missing; expected a list of {\"role\", \"content\"}, or ShareGPT's \"conversations\"; ",
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
        read_message(messages[i], form, detail::join(converted ? "conversations[" : "messages[", i, "]")));
  }
  add_system_column(row, read);
  return read;
}

Json read_tools(const Json& row) {
  Json tools = get(row, "tools");
  if (tools.is_string()) {
    const std::string text = tools.get<std::string>();
    if (trim(text).empty()) return nullptr;
    io::JsonFault fault;
    std::optional<Json> read = io::read_python_json(text, fault);
    check(read.has_value(),
          ErrorCode::kData,
          "\"tools\" is text but not JSON at byte ",
          fault.byte + 1,
          " (",
          fault.reason,
          "); expected a list");
    tools = *std::move(read);
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
