#include "core/data/messages.h"

#include <nlohmann/json.hpp>

#include "core/io/python_json.h"
#include "tests/core/data/scratch.h"

namespace automodel::data {
namespace {

using Json = nlohmann::ordered_json;

Json read(const std::string& row) {
  return read_messages(Json::parse(row));
}

Json read_automodel(const std::string& row) {
  return read_messages(Json::parse(row), ToolArguments::kJsonText);
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

TEST(Messages, TurnsReachTheTemplateAsTheRowGivesThem) {
  const std::string turns = R"([{"role": "user", "content": "q", "name": "n"},
    {"role": "assistant", "content": "", "tool_calls": [
      {"function": {"name": "a", "arguments": {"z": "Z\u00fcrich", "a": 1e16, "n": [117.55768042133525]}}},
      {"id": "x", "type": "function", "function": {"arguments": "{\"a\":1}", "name": "b"}},
      {"name": "flat", "arguments": {}}, {"function": {"name": "none"}}], "extra": {"k": null}},
    {"role": "tool", "content": "r"}, {"role": "function", "name": "a", "content": "r"},
    {"role": "assistant", "content": "x", "function_call": {"name": "a", "arguments": "{}"}},
    {"role": "developer", "content": "d"}, {"role": "ipython", "content": "i"}])";
  EXPECT_EQ(read(R"({"messages": )" + turns + "}").dump(), Json::parse(turns).dump());
}

TEST(Messages, NullsAreNotThere) {
  const Json messages = read(
      R"({"messages": [{"role": "assistant", "content": null, "tool_calls": null, "reasoning_content": null}]})");
  EXPECT_EQ(messages[0]["content"], "");
  EXPECT_FALSE(messages[0].contains("reasoning_content"));
}

TEST(Messages, AutoModelsFormHasIdsTypesAndArgumentsAsText) {
  const Json messages =
      read_automodel(R"({"messages": [{"role": "assistant", "content": "", "reasoning_content": null,
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

TEST(Messages, ShareGptKeepsCallsAnswersAndOtherFields) {
  const Json messages = read(R"({"conversations": [{"from": "human", "value": "h", "weight": 0},
    {"from": "function_call", "value": "{\"name\": \"f\", \"arguments\": {\"wei\": 1000000000000000000000}}"},
    {"from": "observation", "value": "o"}, {"from": "gpt", "value": "g", "step_loss_mask": 0},
    {"from": "tool_call", "value": [{"name": "f", "arguments": "{}"}, {"name": "g"}]},
    {"from": "tool", "value": "t"}]})");
  EXPECT_EQ(messages[0], Json::parse(R"({"role": "user", "content": "h", "weight": 0})"));
  EXPECT_EQ(io::write_python_json(messages[1]),
            R"({"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": )"
            R"({"name": "f", "arguments": {"wei": 1000000000000000000000}}}]})");
  EXPECT_EQ(messages[2], Json::parse(R"({"role": "tool", "content": "o"})"));
  EXPECT_EQ(messages[3], Json::parse(R"({"role": "assistant", "content": "g", "step_loss_mask": 0})"));
  EXPECT_EQ(messages[4]["tool_calls"].size(), 2U);
  EXPECT_EQ(messages[4]["tool_calls"][0]["function"]["arguments"], "{}");
  EXPECT_EQ(messages[5]["role"], "tool");
}

TEST(Messages, ASystemColumnOpensTheConversation) {
  const std::string turns =
      R"("messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}])";
  for (const std::string column : {"system", "system_prompt", "system_message", "systemPrompt", "System"}) {
    const Json messages = read("{\"" + column + "\": \"Be terse.\", " + turns + "}");
    ASSERT_EQ(messages.size(), 3U) << column;
    EXPECT_EQ(messages[0], Json::parse(R"({"role": "system", "content": "Be terse."})"));
    EXPECT_EQ(messages[1]["role"], "user");
  }
  for (const std::string nothing : {R"("system": null)", R"("system": "")", R"("system": [])"}) {
    EXPECT_EQ(read("{" + nothing + ", " + turns + "}").size(), 2U) << nothing;
  }
  EXPECT_EQ(read(R"({"system": "s", "conversations": [{"from": "human", "value": "q"}]})")[0]["content"],
            "s");
}

TEST(Messages, AColumnThatIsNotReadIsNamedOnce) {
  const std::string turns =
      R"("messages": [{"role": "system", "content": "own"}, {"role": "user", "content": "q"}]})";
  const auto log_of = [&](const std::string& columns) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(read("{" + columns + ", " + turns).size(), 2U);
    return testing::internal::GetCapturedStderr();
  };
  expect_has(log_of(R"("system_prompt": "other")"), "\"system_prompt\" is not read: the conversations begin");
  EXPECT_EQ(log_of(R"("system_prompt": "other")"), "");
  EXPECT_EQ(log_of(R"("system_message": "own")"), "");
  expect_has(log_of(R"("my_system_text": "x")"),
             "\"my_system_text\" is not read: it looks like a system prompt");
  expect_has(log_of(R"("system_instruction": 7)"), "\"system_instruction\" is not read: it is a number");
  expect_has(log_of(R"("weights": [0, 1])"), "\"weights\" is not read: weights stand in the turns");
  EXPECT_EQ(log_of(R"("id": 7, "filesystem_": null)"), "");
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
  expect_has(refusal(R"({"messages": [{"role": "assistant", "reasoning_content": 1}]})"),
             "messages[0].reasoning_content");
  expect_has(refusal(R"({"messages": [{"role": "assistant", "tool_calls": "x"}]})"),
             "messages[0].tool_calls is text");
  expect_has(refusal(R"({"messages": [{"role": "assistant", "tool_calls": [{"function": "f"}]}]})"),
             "tool_calls[0].function is text");
  expect_has(
      refusal(R"({"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": ""}}]}]})"),
      "tool_calls[0].function.name");
  const auto automodel_refusal = [](const std::string& row) {
    return message_of(ErrorCode::kData, [&] { read_automodel(row); });
  };
  expect_has(automodel_refusal(
                 R"({"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}]})"),
             "tool_calls[0].function.arguments");
  expect_has(
      automodel_refusal(
          R"({"messages": [{"role": "assistant", "tool_calls": [{"id": 1, "function": {"name": "f"}}]}]})"),
      "tool_calls[0].id");
  expect_has(refusal(R"({"conversations": [{"from": "narrator", "value": ""}]})"),
             "conversations[0].from is \"narrator\"");
  expect_has(refusal(R"({"conversations": [{"from": "function_call", "value": "f of x"}]})"),
             "conversations[0].value is no JSON of a call");
  expect_has(refusal(R"({"conversations": [{"from": "function_call", "value": "[1]"}]})"),
             "conversations[0].value is a number where a call was expected");
  expect_has(refusal(R"({"conversations": {"from": "human"}})"), "\"conversations\" is an object");
}

TEST(Messages, ToolsAreAListOrItsJsonText) {
  const Json list = Json::parse(R"([{"type": "function", "function": {"name": "t"}}])");
  EXPECT_EQ(read_tools(Json{{"tools", list}}), list);
  EXPECT_EQ(read_tools(Json{{"tools", list.dump()}}), list);
  EXPECT_TRUE(read_tools(Json{{"tools", Json::array()}}).is_null());
  EXPECT_TRUE(read_tools(Json{{"tools", " "}}).is_null());
  EXPECT_EQ(io::write_python_json(read_tools(Json{{"tools", R"([{"maximum": 1000000000000000000000}])"}})),
            R"([{"maximum": 1000000000000000000000}])");
  EXPECT_TRUE(read_tools(Json::object()).is_null());
  expect_has(message_of(ErrorCode::kData, [] { read_tools(Json{{"tools", "[not json"}}); }), "not JSON");
  expect_has(message_of(ErrorCode::kData, [] { read_tools(Json{{"tools", 1}}); }), "\"tools\" is a number");
}

}  // namespace
}  // namespace automodel::data
