#include "core/data/python_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace automodel::data {
namespace {

using Json = nlohmann::ordered_json;

// Expected values printed by CPython 3.11.
TEST(PythonText, StripsUnicodeSpace) {
  EXPECT_EQ(python_strip(" \t\r\n\v\f\x1c a b \xc2\xa0\xe3\x80\x80\xe2\x80\x83"), "a b");
  EXPECT_EQ(python_strip("\xe2\x80\x8b"
                         "a"),
            "\xe2\x80\x8b"
            "a");  // zero width space is not space to Python
  EXPECT_EQ(python_strip(" \n "), "");
}

TEST(PythonText, WritesScalarsAsStrDoes) {
  EXPECT_EQ(python_str("text"), "text");
  EXPECT_EQ(python_str(nullptr), "None");
  EXPECT_EQ(python_str(true), "True");
  EXPECT_EQ(python_str(-7), "-7");
  EXPECT_EQ(python_str(0.1), "0.1");
  EXPECT_EQ(python_str(1.0), "1.0");
  EXPECT_EQ(python_str(1e15), "1000000000000000.0");
  EXPECT_EQ(python_str(1e16), "1e+16");
  EXPECT_EQ(python_str(1.5e300), "1.5e+300");
  EXPECT_EQ(python_str(0.0001), "0.0001");
  EXPECT_EQ(python_str(0.00001), "1e-05");
}

TEST(PythonText, WritesJsonAsDumpsDoes) {
  const Json value = Json::parse(
      R"({"b": [1, 2.50, null, true], "a": {"x": "\"\\\n\t\b\u0001/"}, "u": "\u00e4\u20ac😀", "e": [], "o": {}})");
  EXPECT_EQ(
      python_json_dumps(value),
      R"({"b": [1, 2.5, null, true], "a": {"x": "\"\\\n\t\b\u0001/"}, "u": "\u00e4\u20ac\ud83d\ude00", "e": [], "o": {}})");
}

}  // namespace
}  // namespace automodel::data
