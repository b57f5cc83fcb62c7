#include "core/io/python_json.h"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace automodel::io {
namespace {

using Json = nlohmann::ordered_json;

Json read(const std::string& text) {
  return parse_python_json(text, "rows");
}

std::string again(const std::string& text) {
  return write_python_json(read(text));
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const Error& error) {
    return error.message();
  }
  return "nothing was thrown";
}

// Expected values printed by CPython 3.11: json.dumps(json.loads(text)).
TEST(PythonJson, NumbersKeepEveryDigit) {
  EXPECT_EQ(again("[117.55768042133525, 1707181493.8442461, 5e-324, 0.1, 1.0, 1E+16, -0.0, 2.5e-5]"),
            "[117.55768042133525, 1707181493.8442461, 5e-324, 0.1, 1.0, 1e+16, -0.0, 2.5e-05]");
  EXPECT_EQ(again("[1000000000000000000000, -12345678901234567890123, 18446744073709551615, "
                  "18446744073709551616, -9223372036854775808, -9223372036854775809, -0]"),
            "[1000000000000000000000, -12345678901234567890123, 18446744073709551615, "
            "18446744073709551616, -9223372036854775808, -9223372036854775809, 0]");
  EXPECT_EQ(again("1" + std::string(400, '0')), "1" + std::string(400, '0'));
}

TEST(PythonJson, NumbersThatAreNotFinite) {
  EXPECT_EQ(again("[NaN, Infinity, -Infinity, 1e400, -1e400, 1e-400]"),
            "[NaN, Infinity, -Infinity, Infinity, -Infinity, 0.0]");
  EXPECT_TRUE(std::isnan(read("NaN").get<double>()));
  EXPECT_TRUE(read("1e400").is_number_float());
}

TEST(PythonJson, KeysKeepTheirOrderAndTheLastOfTwoCounts) {
  EXPECT_EQ(again(R"({"b": 1, "a": {"z": [], "y": {}}, "b": 2})"), R"({"b": 2, "a": {"z": [], "y": {}}})");
}

TEST(PythonJson, TextsAreUnescapedAndEscaped) {
  EXPECT_EQ(read(R"("\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00")"), "\"\\/\b\f\n\r\t\u00e4\U0001f600");
  EXPECT_EQ(again("\"\u00e4\U0001f600\x7f\\u0001\""), "\"\\u00e4\\ud83d\\ude00\x7f\\u0001\"");
  EXPECT_EQ(write_python_json(read(R"("\u00e4\ud83d\ude00\u0001")"), false), "\"\u00e4\U0001f600\\u0001\"");
}

TEST(PythonJson, HalfASurrogatePairStaysAsItIsWritten) {
  for (const std::string text : {R"("a\ud800")", R"("\ude00b")", R"("\ud800\ud800")", R"("\ud800\u0041")"}) {
    const Json value = read(text);
    EXPECT_FALSE(value.is_string());
    EXPECT_EQ(written_json(value), text);
  }
  EXPECT_EQ(written_json(read("1")), std::nullopt);
  EXPECT_EQ(written_json(read("\"1\"")), std::nullopt);
  EXPECT_EQ(written_json(read("100000000000000000000")), "100000000000000000000");
}

TEST(PythonJson, EachFaultHasItsPlace) {
  EXPECT_EQ(refusal("{\"a\": 1,\n b}"), "rows:2:2: not JSON: expected a key in double quotes");
  EXPECT_EQ(refusal("[1, 2"), "rows:1:6: not JSON: expected ',' or ']', found the end");
  EXPECT_EQ(refusal(""), "rows:1:1: not JSON: expected a value, found the end");
  EXPECT_EQ(refusal("1 2"), "rows:1:3: not JSON: something stands behind the value");
  for (const char* text : {"nan",
                           "+1",
                           "01",
                           "1.",
                           ".5",
                           "1e",
                           "- 1",
                           "tru",
                           "[1,]",
                           "{\"a\" 1}",
                           "{\"a\": }",
                           "'a'",
                           "\"a",
                           "\"\\x\"",
                           "\"\\u12g4\"",
                           "\"\t\"",
                           "{\"\\ud800\": 1}",
                           "\"\xff\"",
                           "-"}) {
    EXPECT_NE(refusal(text).find("not JSON: "), std::string::npos) << text;
  }
  EXPECT_NE(refusal(std::string(257, '[') + std::string(257, ']')).find("256 levels"), std::string::npos);
  EXPECT_EQ(read(std::string(256, '[') + std::string(256, ']')).size(), 1U);
}

}  // namespace
}  // namespace automodel::io
