#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/python_json.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::tokenizer {
namespace {

using nlohmann::ordered_json;

std::string render(const char* source, const ordered_json& variables = ordered_json::object()) {
  return ChatTemplate(source).render(variables).text;
}

Error error_of(const char* source) {
  try {
    render(source);
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::kInternal, "nothing was thrown");
}

TEST(ChatTemplate, PrintsValuesAsPython) {
  const ordered_json variables = {{"d", {{"b", nullptr}, {"a", {true, 1.0, 1e16, "it's", "\n"}}}}};
  EXPECT_EQ(render("{{ d }}", variables), R"({'b': None, 'a': [True, 1.0, 1e+16, "it's", '\n']})");
  EXPECT_EQ(render("{{ d|tojson }}", variables), R"({"b": null, "a": [true, 1.0, 1e+16, "it's", "\n"]})");
  EXPECT_EQ(render("{{ (1,) }}{{ -7 // 2 }}{{ -7 % 3 }}{{ 'x' * 2 }}{{ missing }}"), "(1,)-42xx");
}

TEST(ChatTemplate, StripsBlocksAsTransformersSetsJinjaUp) {
  EXPECT_EQ(render("  {% if true %}\n  a\n  {% endif %}\nb\n"), "  a\nb");
}

TEST(ChatTemplate, KeepsTheOrderOfKeys) {
  EXPECT_EQ(render("{% for k in d %}{{ k }}{% endfor %}", {{"d", {{"z", 1}, {"a", 2}, {"m", 3}}}}), "zam");
}

TEST(ChatTemplate, SpansOfGenerationCountCodePoints) {
  const ChatTemplate chat_template(
      "\u00e9{% for x in l %}{% generation %}\u4e16{{ x }}{% endgeneration %}.{% endfor %}");
  EXPECT_TRUE(chat_template.has_generation_block());
  const Rendered rendered = chat_template.render({{"l", {"a", "bc"}}});
  EXPECT_EQ(rendered.text, "\u00e9\u4e16a.\u4e16bc.");
  const std::vector<std::pair<int64_t, int64_t>> expected = {{1, 3}, {4, 7}};
  EXPECT_EQ(rendered.assistant_spans, expected);
  EXPECT_EQ(rendered.span_messages, (std::vector<int64_t>{-1, -1}));
  EXPECT_FALSE(ChatTemplate("{{ 'generation' }}").has_generation_block());
}

TEST(ChatTemplate, ASpanKnowsTheMessageWhoseRoundOfALoopWroteIt) {
  const ordered_json variables =
      ordered_json::parse(R"({"messages": [{"c": "a"}, {"c": "b", "l": [1, 2]}, {"c": "a"}]})");
  const auto owners = [&](const char* source) {
    return ChatTemplate(source).render(variables).span_messages;
  };
  EXPECT_EQ(owners("{% for m in messages %}{% generation %}{{ m.c }}{% endgeneration %}{% endfor %}"),
            (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(
      owners(
          "{% set rest = messages[1:] %}{% for m in rest|reverse %}{% for x in m.l or [0] %}{% generation %}"
          "{{ x }}{% endgeneration %}{% endfor %}{% endfor %}{% generation %}{% endgeneration %}"),
      (std::vector<int64_t>{2, 1, 1, -1}));
}

TEST(ChatTemplate, NumbersKeepEveryDigit) {
  const auto render_json = [](const char* source, const std::string& value) {
    return ChatTemplate(source).render(io::parse_python_json("{\"x\": " + value + "}", "variables")).text;
  };
  const std::string big = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
  // Expected values printed by CPython 3.11.
  EXPECT_EQ(
      render_json("{{ x|tojson }}", "[117.55768042133525, 1707181493.8442461, 5e-324, 1e22, " + big + "]"),
      "[117.55768042133525, 1707181493.8442461, 5e-324, 1e+22, " + big + "]");
  EXPECT_EQ(
      render_json("{{ x }} {{ x|string }} {{ '%d' % x }} {{ '{:,}'.format(x)[:7] }} {{ -x == x }}", big),
      big + " " + big + " " + big + " 115,792 False");
  EXPECT_EQ(
      render_json("{{ x > 5 }}{{ x == x }}{{ x < 1.5 }}{{ x is integer }}{{ x is number }}{{ x|int == x }}",
                  big),
      "TrueTrueFalseTrueTrueTrue");
  EXPECT_EQ(render_json("{{ x|tojson }}{{ x }}", "[NaN, -Infinity, 1e400]"),
            "[NaN, -Infinity, Infinity][nan, -inf, inf]");
  EXPECT_EQ(render_json("{{ x|int }}", "1e40"), "10000000000000000303786028427003666890752");
  EXPECT_THROW(render_json("{{ x + 1 }}", big), Error);
}

TEST(ChatTemplate, TheClockCanBeHeldStill) {
  ASSERT_EQ(setenv("AUTOMODEL_NOW", "2024-07-26T12:00:00", 1), 0);
  EXPECT_EQ(render("{{ strftime_now('%d %b %Y, %A, day %j') }}"), "26 Jul 2024, Friday, day 208");
  ASSERT_EQ(setenv("AUTOMODEL_NOW", "tomorrow", 1), 0);
  EXPECT_NE(error_of("{{ 1 }}").message().find("AUTOMODEL_NOW is \"tomorrow\""), std::string::npos);
  unsetenv("AUTOMODEL_NOW");
}

TEST(ChatTemplate, ErrorsNameLineAndCause) {
  const Error broken = error_of("a\n\n{% for x in %}");
  EXPECT_EQ(broken.code(), ErrorCode::kFormat);
  EXPECT_EQ(broken.message(), "chat template, line 3: Expected an expression, got 'end of statement block'");
  const Error raised = error_of("\n{{ raise_exception('roles must alternate') }}");
  EXPECT_EQ(raised.code(), ErrorCode::kData);
  EXPECT_EQ(raised.message(), "chat template, line 2: roles must alternate");
  EXPECT_EQ(error_of("{{ a.b }}").message(), "chat template, line 1: 'a' is undefined");
  EXPECT_EQ(error_of("{% include 'x' %}").code(), ErrorCode::kUnsupported);
}

TEST(ChatTemplate, HostileTemplatesEnd) {
  EXPECT_NE(error_of("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")
                .message()
                .find("steps"),
            std::string::npos);
  EXPECT_NE(error_of("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}").message().find("recursion"),
            std::string::npos);
  // What a stopped template used up is there again for the next.
  EXPECT_EQ(render("{{ {'a': 1}.a }}", {{"x", 1}}), "1");
}

TEST(ChatTemplate, RendersOnSeveralThreadsAtOnce) {
  const ChatTemplate chat_template("{% for x in l %}{{ x }}{% endfor %}");
  std::vector<std::string> texts(4);
  std::vector<std::thread> threads;
  for (std::string& text : texts)
    threads.emplace_back([&] { text = chat_template.render({{"l", {1, 2, 3}}}).text; });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& text : texts) EXPECT_EQ(text, "123");
}

}  // namespace
}  // namespace automodel::tokenizer
