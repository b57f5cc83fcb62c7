#include "core/io/json_values.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace automodel::io {
namespace {

std::vector<std::string> values(const std::string& text) {
  std::vector<std::string> found;
  for (const size_t begin : index_json_values(text, "a.json")) found.emplace_back(json_value_at(text, begin));
  return found;
}

std::string refusal(const std::string& text) {
  try {
    index_json_values(text, "a.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kData);
    return error.message();
  }
  return "";
}

using Texts = std::vector<std::string>;

TEST(JsonValues, FindsElementsOfAnArrayAndValuesInARow) {
  EXPECT_EQ(values(" [ {\"a\": [1, {}]} , 2,\"]\\\"\"\n] "), (Texts{"{\"a\": [1, {}]}", "2", "\"]\\\"\""}));
  EXPECT_EQ(values("{\"a\":1}\n{\"a\":\n2}{\"b\":\"}\"}"),
            (Texts{"{\"a\":1}", "{\"a\":\n2}", "{\"b\":\"}\"}"}));
  EXPECT_EQ(values(""), Texts{});
  EXPECT_EQ(values(" [ ] "), Texts{});
}

TEST(JsonValues, SaysWhereTextIsCutOffOrOutOfPlace) {
  EXPECT_EQ(refusal("[{\"a\":1},\n{\"a\":"), "a.json:2: the JSON value that begins here is cut off");
  EXPECT_EQ(refusal("\n[{\"a\":1}"), "a.json:2: the JSON array that begins here is cut off");
  EXPECT_EQ(refusal("[1 2]"), "a.json:1: expected ',' or ']' between rows of the JSON array");
  EXPECT_EQ(refusal("[1,]"), "a.json:1: a comma without a row behind it");
  EXPECT_EQ(refusal("[1]\n]"), "a.json:2: something stands behind the JSON array");
  EXPECT_EQ(refusal("[,1]"), "a.json:1: expected a JSON value");
  EXPECT_EQ(refusal("{\"a\": \"b\\\"}"), "a.json:1: the JSON value that begins here is cut off");
}

TEST(JsonValues, CountsNestingOutsideStrings) {
  EXPECT_EQ(json_depth("{\"[[[\": [[1], {}]}"), 3U);
  EXPECT_EQ(json_depth("7"), 0U);
  EXPECT_EQ(json_depth(std::string(100000, '[')), 100000U);
}

}  // namespace
}  // namespace automodel::io
