#include "core/tokenizer/chat_variables.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace automodel::tokenizer {
namespace {

using nlohmann::ordered_json;

TEST(ChatVariables, NamesWhatTransformersAlwaysPasses) {
  const ordered_json all = chat_variables({{"messages", ordered_json::array()}});
  EXPECT_EQ(all.dump(), R"({"messages":[],"tools":null,"documents":null,"add_generation_prompt":false})");
  const ordered_json given = {
      {"tools", ordered_json::array()}, {"documents", nullptr}, {"add_generation_prompt", true}};
  EXPECT_EQ(chat_variables(given), given);
}

TEST(ChatVariables, FindsReasoningUnderItsNames) {
  const ordered_json all = chat_variables({{"messages",
                                            {{{"role", "a"}, {"reasoning_content", "r"}},
                                             {{"role", "b"}, {"thinking", "t"}},
                                             {{"role", "c"}, {"reasoning", "s"}},
                                             {{"role", "d"}, {"reasoning_content", nullptr}}}}});
  EXPECT_EQ(all["messages"][0].dump(), R"({"thinking":"r","role":"a","reasoning_content":"r"})");
  EXPECT_EQ(all["messages"][1].dump(), R"({"role":"b","thinking":"t","reasoning_content":"t"})");
  EXPECT_EQ(all["messages"][2].dump(),
            R"({"thinking":"s","role":"c","reasoning":"s","reasoning_content":"s"})");
  EXPECT_EQ(all["messages"][3].dump(), R"({"role":"d"})");
}

TEST(ChatVariables, AMessagesNullsAreNotThere) {
  const ordered_json all = chat_variables(ordered_json::parse(
      R"({"messages": [{"role": "assistant", "content": null, "tool_calls": [{"id": null}], "name": null}]})"));
  EXPECT_EQ(all["messages"][0].dump(), R"({"role":"assistant","tool_calls":[{"id":null}]})");
}

TEST(ChatVariables, RefusesWhatIsNotAListOfObjects) {
  EXPECT_THROW(chat_variables({{"messages", "hi"}}), Error);
  EXPECT_THROW(chat_variables({{"messages", {"hi"}}}), Error);
  EXPECT_THROW(chat_variables({{"tools", {1}}}), Error);
  EXPECT_THROW(chat_variables(ordered_json::array()), Error);
}

}  // namespace
}  // namespace automodel::tokenizer
