#include "core/data/messages.h"

#include <nlohmann/json.hpp>

#include "tests/core/data/scratch.h"

namespace automodel::data {
namespace {

using Json = nlohmann::ordered_json;

Json read(const std::string& row) {
  return read_messages(Json::parse(row));
}

std::string refusal(const std::string& row) {
  return message_of(ErrorCode::kData, [&] { read(row); });
}

TEST(Messages, ContentBecomesText) {
  const Json messages = read(R"({"messages": [
    {"role": "system", "content": 123}, {"role": "user", "content": null}, {"role": "assistant", "content": true},
    {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]},
    {"role": "user"}]})");
  EXPECT_EQ(messages[0]["content"], "123");
  EXPECT_EQ(messages[1]["content"], "");
  EXPECT_EQ(messages[2]["content"], "True");
  EXPECT_EQ(messages[3]["content"], "a b");
  EXPECT_EQ(messages[4]["content"], "");
}

TEST(Messages, ToolCallsGetIdsTypesAndArgumentsAsText) {
  const Json messages = read(R"({"messages": [{"role": "assistant", "content": "", "reasoning_content": null,
    "tool_calls": [{"function": {"name": "a", "arguments": {"city": "Z\u00fcrich", "n": 1}}},
                   {"id": "", "type": "", "function": {"name": "b", "arguments": "{}"}},
                   {"id": "x", "type": "function", "function": {"name": "c", "arguments": []}}]}]})");
  EXPECT_EQ(messages[0]["reasoning_content"], "");
  const Json& calls = messages[0]["tool_calls"];
  EXPECT_EQ(calls[0]["id"], "call_0");
  EXPECT_EQ(calls[0]["type"], "function");
  EXPECT_EQ(calls[0]["function"]["arguments"], R"({"city": "Z\u00fcrich", "n": 1})");
  EXPECT_EQ(calls[1]["id"], "call_1");
  EXPECT_EQ(calls[1]["function"]["arguments"], "{}");
  EXPECT_EQ(calls[2]["id"], "x");
  EXPECT_EQ(calls[2]["function"]["arguments"], "[]");
}

TEST(Messages, ShareGptBecomesMessages) {
  const Json messages =
      read(R"({"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "h"},
    {"from": "gpt", "value": "g"}, {"role": "user", "content": "u"}]})");
  EXPECT_EQ(messages, Json::parse(R"([{"role": "system", "content": "s"}, {"role": "user", "content": "h"},
    {"role": "assistant", "content": "g"}, {"role": "user", "content": "u"}])"));
}

TEST(Messages, EachFaultNamesItsField) {
  expect_has(refusal(R"({"text": 1})"),
             "\"messages\" is missing; expected a list of {\"role\", \"content\"}");
  expect_has(refusal(R"({"messages": "x"})"), "\"messages\" is text");
  expect_has(refusal(R"({"messages": []})"), "\"messages\" is empty");
  expect_has(refusal(R"({"messages": ["x"]})"), "messages[0] is text");
  expect_has(refusal(R"({"messages": [{"role": "bot", "content": ""}]})"), "messages[0].role is \"bot\"");
  expect_has(refusal(R"({"messages": [{"role": "user", "content": {"a": 1}}]})"),
             "messages[0].content is an object");
  expect_has(refusal(R"({"messages": [{"role": "tool", "content": ""}]})"), "messages[0].tool_call_id");
  expect_has(refusal(R"({"messages": [{"role": "assistant", "reasoning_content": 1}]})"),
             "messages[0].reasoning_content");
  expect_has(refusal(R"({"messages": [{"role": "assistant", "tool_calls": "x"}]})"),
             "messages[0].tool_calls is text");
  expect_has(refusal(R"({"messages": [{"role": "assistant", "tool_calls": [{"id": 1}]}]})"),
             "tool_calls[0].id");
  expect_has(
      refusal(R"({"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": ""}}]}]})"),
      "tool_calls[0].function.name");
  expect_has(refusal(R"({"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}]})"),
             "tool_calls[0].function.arguments");
  expect_has(refusal(R"({"conversations": [{"from": "function_call", "value": ""}]})"),
             "conversations[0].from is \"function_call\"");
  expect_has(refusal(R"({"conversations": {"from": "human"}})"), "\"conversations\" is an object");
}

TEST(Messages, ToolsAreAListOrItsJsonText) {
  const Json list = Json::parse(R"([{"type": "function", "function": {"name": "t"}}])");
  EXPECT_EQ(read_tools(Json{{"tools", list}}), list);
  EXPECT_EQ(read_tools(Json{{"tools", list.dump()}}), list);
  EXPECT_TRUE(read_tools(Json{{"tools", Json::array()}}).is_null());
  EXPECT_TRUE(read_tools(Json::object()).is_null());
  expect_has(message_of(ErrorCode::kData, [] { read_tools(Json{{"tools", "[not json"}}); }), "not JSON");
  expect_has(message_of(ErrorCode::kData, [] { read_tools(Json{{"tools", 1}}); }), "\"tools\" is a number");
}

}  // namespace
}  // namespace automodel::data
