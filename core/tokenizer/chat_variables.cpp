#include "core/tokenizer/chat_variables.h"

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace automodel::tokenizer {
namespace {

using nlohmann::ordered_json;

/// Names a message's reasoning is given under, the usual one first.
constexpr const char* kReasoningNames[] = {"reasoning_content", "thinking", "reasoning"};

/// Templates treat a missing key well, and would print a null as "None".
void drop_nulls(ordered_json& message) {
  ordered_json kept = ordered_json::object();
  for (auto& [key, value] : message.items()) {
    if (!value.is_null()) kept[key] = std::move(value);
  }
  message = std::move(kept);
}

void name_reasoning(ordered_json& message) {
  for (const char* name : kReasoningNames) {
    const auto found = message.find(name);
    if (found == message.end()) continue;
    const ordered_json reasoning = *found;
    if (!message.contains("thinking")) {
      // The order of keys shows when a template prints a whole message: transformers puts "thinking" first.
      ordered_json renamed = {{"thinking", reasoning}};
      renamed.update(message);
      message = std::move(renamed);
    }
    message["reasoning_content"] = reasoning;
    return;
  }
}

/// `variables[name]` must be null or a list of objects.
void check_objects(const ordered_json& variables, const char* name) {
  const auto found = variables.find(name);
  if (found == variables.end() || found->is_null()) return;
  check(found->is_array(), ErrorCode::kData, "\"", name, "\": expected a list, found ", found->type_name());
  for (size_t i = 0; i < found->size(); ++i) {
    const ordered_json& item = (*found)[i];
    check(item.is_object(),
          ErrorCode::kData,
          "\"",
          name,
          "\"[",
          i,
          "]: expected an object, found ",
          item.type_name());
  }
}

}  // namespace

ordered_json chat_variables(ordered_json variables) {
  check(variables.is_object(),
        ErrorCode::kData,
        "the variables of a chat template: expected an object with \"messages\", found ",
        variables.type_name());
  for (const char* name : {"messages", "tools", "documents"}) check_objects(variables, name);
  for (const char* name : {"tools", "documents"}) {
    if (!variables.contains(name)) variables[name] = nullptr;
  }
  if (!variables.contains("add_generation_prompt")) variables["add_generation_prompt"] = false;
  if (const auto messages = variables.find("messages"); messages != variables.end() && messages->is_array()) {
    for (ordered_json& message : *messages) {
      drop_nulls(message);
      name_reasoning(message);
    }
  }
  return variables;
}

}  // namespace automodel::tokenizer
