#include "core/data/processor.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "tests/core/data/character_tokenizer.h"

namespace automodel::data {
namespace {

using config::DatasetConfig;
using Json = nlohmann::ordered_json;

/// A set in memory.
class Rows : public Source {
 public:
  explicit Rows(std::vector<std::string> rows) : rows_(std::move(rows)) {}

  int64_t num_rows() const override { return static_cast<int64_t>(rows_.size()); }

  Json row(int64_t index) const override { return Json::parse(rows_.at(static_cast<size_t>(index))); }

  std::string place(int64_t index) const override { return "set:" + std::to_string(index + 1); }

 private:
  std::vector<std::string> rows_;
};

class ProcessorTest : public WithTokenizer {
 protected:
  static DatasetConfig columns(std::map<std::string, std::string> mapping) {
    DatasetConfig dataset;
    dataset.kind = config::ColumnMappedSet{.column_mapping = std::move(mapping)};
    return dataset;
  }

  /// "inputs|labels" of a row.
  std::string process(const DatasetConfig& dataset,
                      const std::string& row,
                      const CharacterTokenizer& options = {}) {
    const Sample sample = sample_of(dataset, row, options);
    return shown(sample.input_ids) + "|" + shown(sample.labels);
  }

  Sample sample_of(const DatasetConfig& dataset,
                   const std::string& row,
                   const CharacterTokenizer& options = {}) {
    const auto tokenizer = make_tokenizer(options);
    const Rows rows({row});
    return make_processor(dataset, tokenizer, rows)->process(rows.row(0), 0);
  }

  std::string refusal(const DatasetConfig& dataset,
                      const std::string& row,
                      const CharacterTokenizer& options = {}) {
    return message_of(ErrorCode::kData, [&] { process(dataset, row, options); });
  }

  std::string config_refusal(const DatasetConfig& dataset) {
    const auto tokenizer = make_tokenizer();
    return message_of(ErrorCode::kConfig, [&] { make_processor(dataset, tokenizer, Rows({})); });
  }
};

const std::map<std::string, std::string> kQuestion = {{"question", "q"}, {"answer", "a"}};
const std::map<std::string, std::string> kContext = {{"context", "c"}, {"question", "q"}, {"answer", "a"}};

TEST_F(ProcessorTest, ColumnMappedJoinsWithBlanksAndLearnsTheAnswer) {
  EXPECT_EQ(process(columns(kQuestion), R"({"q": "1+1?", "a": "2!"})"), "1+1? 2|____2!");
  EXPECT_EQ(process(columns(kContext), R"({"c": "C", "q": "Q", "a": "A."})"), "C Q A|___A.");
  EXPECT_EQ(process(columns(kContext), R"({"c": null, "q": "Q", "a": "A."})"), "Q A|_A.");
  EXPECT_EQ(process(columns(kContext), R"({"c": "", "q": "Q", "a": "A."})"), " Q A|__A.");
  EXPECT_EQ(process(columns({{"context", "c"}, {"answer", "a"}}), R"({"c": "C", "a": "A."})"), "C A|_A.");
}

TEST_F(ProcessorTest, ColumnMappedMayLearnThePromptToo) {
  DatasetConfig dataset = columns(kQuestion);
  std::get<config::ColumnMappedSet>(dataset.kind).answer_only_loss_mask = false;
  EXPECT_EQ(process(dataset, R"({"q": "Q", "a": "A."})"), "Q A| A.");
}

TEST_F(ProcessorTest, BosCountsForTheMaskWhereTheTokenizersAttributeSaysSo) {
  const CharacterTokenizer both = {.adds_bos = true, .adds_eos = true};
  const std::string row = R"({"q": "Q", "a": "A."})";
  // The post-processor adds bos, and transformers' add_bos_token is false: the prompt's last token is learnt.
  EXPECT_EQ(process(columns(kQuestion), row, both), "^Q A.|_ A.$");
  auto tokenizer = make_tokenizer(both);
  tokenizer.set_add_special(true, {});
  const Rows rows({row});
  const Sample sample = make_processor(columns(kQuestion), tokenizer, rows)->process(rows.row(0), 0);
  EXPECT_EQ(shown(sample.input_ids) + "|" + shown(sample.labels), "^Q A.|__A.$");
}

TEST_F(ProcessorTest, TruncationCutsTheTextAndKeepsSpecialTokens) {
  DatasetConfig dataset = columns(kQuestion);
  dataset.seq_length = 6;
  const std::string row = R"({"q": "Q", "a": "ABCDEFGH"})";
  EXPECT_EQ(process(dataset, row), "Q ABCDEFG|_ABCDEFGH");
  dataset.truncation = "longest_first";
  EXPECT_EQ(process(dataset, row), "Q ABC|_ABCD");
  EXPECT_EQ(process(dataset, row, {.adds_bos = true, .adds_eos = true}), "^Q AB|_ AB$");
  dataset.seq_length.reset();  // then the tokenizer's model_max_length, 1000
  const std::string long_row = R"({"q": "Q", "a": ")" + std::string(2000, 'A') + "\"}";
  EXPECT_EQ(sample_of(dataset, long_row).input_ids.size(), 999U);
}

TEST_F(ProcessorTest, PaddingToMaxLengthPadsBeforeAndBehindTheShift) {
  DatasetConfig dataset = columns(kQuestion);
  dataset.seq_length = 7;
  dataset.padding = "max_length";
  const Sample sample = sample_of(dataset, R"({"q": "Q", "a": "A."})", {.pad_token = "#"});
  EXPECT_EQ(shown(sample.input_ids), "Q A.###");
  EXPECT_EQ(shown(sample.labels), "_A.____");
  EXPECT_EQ(sample.attention_mask, (std::vector<uint8_t>{1, 1, 1, 0, 0, 0, 0}));
}

TEST_F(ProcessorTest, WherePadIsEosOnlyWhatFollowsTheFirstIsPadding) {
  const std::string row = R"({"q": "Q", "a": "A</s></s></s>"})";
  const Sample one = sample_of(columns(kQuestion), row, {.pad_token = "</s>"});
  EXPECT_EQ(shown(one.input_ids), "Q A$$");
  EXPECT_EQ(one.attention_mask, (std::vector<uint8_t>{1, 1, 1, 0, 0}));
  const Sample other = sample_of(columns(kQuestion), row, {.pad_token = "#"});
  EXPECT_EQ(other.attention_mask, (std::vector<uint8_t>{1, 1, 1, 1, 1}));
}

TEST_F(ProcessorTest, ColumnMappedNamesWhatARowLacks) {
  expect_has(refusal(columns(kQuestion), R"({"q": "Q", "b": "A"})"),
             "\"a\" (the answer) is missing or null; set dataset.column_mapping.answer; the row has: q, b");
  expect_has(refusal(columns(kQuestion), R"({"a": "A"})"), "neither context nor question");
  expect_has(refusal(columns(kQuestion), R"({"q": 7, "a": "A"})"), "\"q\" is a number; expected text");
  expect_has(config_refusal(columns({{"answer", "a"}})), "column_mapping");
  expect_has(config_refusal(columns({{"question", "q"}, {"reply", "a"}})), "unknown name \"reply\"");
  DatasetConfig dataset = columns(kQuestion);
  dataset.padding = "always";
  expect_has(config_refusal(dataset), "dataset.padding");
  dataset.padding = "max_length";
  expect_has(config_refusal(dataset), "needs dataset.seq_length");
}

const std::string kTurns = "{% for m in messages %}{{ m.role[0] }}:{{ m.content }};{% endfor %}";

TEST_F(ProcessorTest, ColumnMappedTakesTheChatFormOnlyWhenAsked) {
  const std::string row = R"({"q": "Q", "a": "A"})";
  EXPECT_EQ(process(columns(kQuestion), row, {.chat_template = kTurns}), "Q |_A");
  DatasetConfig dataset = columns(kQuestion);
  std::get<config::ColumnMappedSet>(dataset.kind).use_hf_chat_template = true;
  EXPECT_EQ(process(dataset, row, {.chat_template = kTurns}), "u:Q;a:A|___a:A;");
  std::get<config::ColumnMappedSet>(dataset.kind).answer_only_loss_mask = false;
  EXPECT_EQ(process(dataset, row, {.chat_template = kTurns}), "u:Q;a:A|:Q;a:A;");
}

TEST_F(ProcessorTest, ColumnMappedHasASystemTurnOnlyWithAContext) {
  DatasetConfig dataset = columns(kContext);
  std::get<config::ColumnMappedSet>(dataset.kind).use_hf_chat_template = true;
  const auto shown_of = [&](const std::string& row) {
    return process(dataset, row, {.chat_template = kTurns});
  };
  EXPECT_EQ(shown_of(R"({"c": "C", "q": "Q", "a": "A"})"), "s:C;u:Q;a:A|_______a:A;");
  for (const std::string context : {"", R"("c": null, )", R"("c": "", )"}) {
    EXPECT_EQ(shown_of("{" + context + R"("q": "Q", "a": "A"})"), "u:Q;a:A|___a:A;") << context;
  }
}

DatasetConfig of_kind(decltype(DatasetConfig::kind) kind) {
  DatasetConfig dataset;
  dataset.kind = kind;
  return dataset;
}

TEST_F(ProcessorTest, SquadTakesTheFirstAnswerStripped) {
  const DatasetConfig squad = of_kind(config::SquadSet());
  const std::string row =
      R"({"context": "C", "question": "Q", "answers": {"text": [" A.\n", "B"], "answer_start": [0]}})";
  EXPECT_EQ(process(squad, row), "Context: C Question: Q Answer: A|______________________________A.");
  EXPECT_EQ(process(squad, row, {.chat_template = kTurns}),
            "u:Context: C Question: Q Answer: ;a:A.|_________________________________a:A.;");
  const std::string none = R"({"context": "C", "question": "Q", "answers": {"text": []}})";
  EXPECT_EQ(process(squad, none), "Context: C Question: Q Answer:|______________________________");
  expect_has(refusal(squad, none, {.chat_template = kTurns}), "\"answers.text\" is empty");
  expect_has(refusal(squad, R"({"context": "C", "question": "Q", "answers": ["A"]})"),
             "\"answers\" is missing or not");
  expect_has(refusal(squad, R"({"question": "Q"})"), "\"context\" is missing");
}

const DatasetConfig kChat = of_kind(config::ChatSet());
const std::string kTwoTurns =
    R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"},
  {"role": "user", "content": "?"}, {"role": "assistant", "content": "No"}]})";

TEST_F(ProcessorTest, ChatLearnsEveryAssistantTurnWithHeaderAndClosing) {
  EXPECT_EQ(process(kChat, kTwoTurns, {.chat_template = kTurns}), "u:Hi;a:Yo;u:?;a:No|____a:Yo;____a:No;");
}

TEST_F(ProcessorTest, ChatLearnsWhatStandsInGenerationBlocks) {
  const std::string marked =
      "{% for m in messages %}{{ m.role[0] }}:{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
      "{% endgeneration %}{% else %}{{ m.content }}{% endif %};{% endfor %}";
  EXPECT_EQ(process(kChat, kTwoTurns, {.chat_template = marked}), "u:Hi;a:Yo;u:?;a:No|______Yo_______No_");
}

const std::string kMarked =
    "{% for m in messages %}{{ m.role[0] }}:{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
    "{% endgeneration %}{% else %}{{ m.content }}{% endif %};{% endfor %}";

/// User, assistant, user, assistant, assistant, with a field in each of the assistant's turns.
std::string three_answers(const std::string& first, const std::string& second, const std::string& third) {
  const auto turn = [](const char* text, const std::string& field) {
    return R"({"role": "assistant", "content": ")" + std::string(text) + "\"" + (field.empty() ? "" : ", ") +
           field + "}";
  };
  return R"({"messages": [{"role": "user", "content": "Hi"}, )" + turn("Yo", first) +
         R"(, {"role": "user", "content": "?"}, )" + turn("No", second) + ", " + turn("So", third) + "]}";
}

TEST_F(ProcessorTest, TurnsThatOptOutAreNotLearntWithAndWithoutGenerationBlocks) {
  const auto learnt =
      [&](const std::string& row, const std::string& source, const DatasetConfig& dataset = kChat) {
        const std::string both = process(dataset, row, {.chat_template = source});
        return both.substr(both.find('|') + 1);
      };
  const std::string all = three_answers("", "", "");
  EXPECT_EQ(learnt(all, kTurns), "____a:Yo;____a:No;a:So;");
  EXPECT_EQ(learnt(all, kMarked), "______Yo_______No___So_");
  for (const std::string out : {R"("step_loss_mask": 0)",
                                R"("weight": 0)",
                                R"("weight": 0.0)",
                                R"("train": false)",
                                R"("training": false)",
                                R"("trainable": false)",
                                R"("loss": false)",
                                R"("loss_mask": 0)",
                                R"("step_loss_mask": 1, "weight": 0)"}) {
    EXPECT_EQ(learnt(three_answers(out, "", ""), kTurns), "_____________a:No;a:So;") << out;
    EXPECT_EQ(learnt(three_answers(out, "", ""), kMarked), "_______________No___So_") << out;
    EXPECT_EQ(learnt(three_answers("", out, ""), kTurns), "____a:Yo;_________a:So;") << out;
    EXPECT_EQ(learnt(three_answers("", out, ""), kMarked), "______Yo____________So_") << out;
    EXPECT_EQ(learnt(three_answers("", "", out), kMarked), "______Yo_______No______") << out;
    EXPECT_EQ(learnt(three_answers(out, out, out), kMarked), "_______________________") << out;
    EXPECT_EQ(learnt(three_answers(out, out, out), kTurns), "_______________________") << out;
    DatasetConfig last = kChat;
    std::get<config::ChatSet>(last.kind).mask_history = true;
    EXPECT_EQ(learnt(three_answers("", "", out), kMarked, last), "_______________No______") << out;
    EXPECT_EQ(learnt(three_answers("", "", out), kTurns, last), "_____________a:No;_____") << out;
    EXPECT_EQ(learnt(three_answers("", out, ""), kMarked, last), "____________________So_") << out;
    EXPECT_EQ(learnt(three_answers("", out, ""), kTurns, last), "__________________a:So;") << out;
  }
  for (const std::string in :
       {R"("step_loss_mask": 1)", R"("weight": 1)", R"("weight": null)", R"("train": true)"}) {
    EXPECT_EQ(learnt(three_answers(in, in, in), kMarked), learnt(all, kMarked)) << in;
  }
  expect_has(refusal(kChat, three_answers("", R"("weight": 0.5)", ""), {.chat_template = kMarked}),
             "messages[3].weight is 0.5; expected 0");
}

TEST_F(ProcessorTest, GenerationBlocksAreFoundWhereverTheTemplateWritesThem) {
  const std::string row = three_answers("", R"("weight": 0)", "");
  const auto learnt = [&](const std::string& source) {
    const std::string both = process(kChat, row, {.chat_template = source});
    return both.substr(both.find('|') + 1);
  };
  const std::string in_a_macro =
      "={% macro say(t) %}{% generation %}{{ t }}{% endgeneration %}{% endmacro %}"
      "{% for m in messages[1:] %}{% if m.role == 'assistant' %}{% for c in m.content %}{{ say(c) }}{% "
      "endfor %};"
      "{% endif %}{% endfor %}";
  EXPECT_EQ(learnt(in_a_macro), "Yo____So_");
  const std::string by_index =
      "{% for i in range(messages|length) %}{% set m = messages[i] %}{% if m.role == 'assistant' %}-"
      "{% generation %}{{ m.content }}{% endgeneration %};{% endif %}{% endfor %}";
  EXPECT_EQ(learnt(by_index), "Yo______So_");
  const std::string once_too_often = by_index + "{% generation %}x{% endgeneration %}";
  expect_has(refusal(kChat, row, {.chat_template = once_too_often}),
             "4 {% generation %} blocks for 3 assistant turns");
}

TEST_F(ProcessorTest, ChatMayLearnTheLastTurnOnly) {
  DatasetConfig dataset = kChat;
  std::get<config::ChatSet>(dataset.kind).mask_history = true;
  EXPECT_EQ(process(dataset, kTwoTurns, {.chat_template = kTurns}), "u:Hi;a:Yo;u:?;a:No|_____________a:No;");
}

TEST_F(ProcessorTest, ChatTruncatesBehindTheMask) {
  DatasetConfig dataset = kChat;
  dataset.seq_length = 8;
  dataset.truncation = "longest_first";
  EXPECT_EQ(process(dataset, kTwoTurns, {.chat_template = kTurns}), "u:Hi;a:|____a:Y");
}

TEST_F(ProcessorTest, ATerminatorBehindEveryRenderingIsTolerated) {
  // The terminator counts for a prefix's length, so borders inside the conversation move by it: as in the
  // reference.
  EXPECT_EQ(process(kChat, kTwoTurns, {.chat_template = kTurns + "{{ eos_token }}"}),
            "u:Hi;a:Yo;u:?;a:No;|_____:Yo;u____:No;$");
}

TEST_F(ProcessorTest, ATemplateThatRewritesEarlierTurnsIsRefused) {
  const std::string rewriting =
      "{% for m in messages %}{% if not loop.last %}old {% endif %}{{ m.role[0] }}:{{ m.content }};{% endfor "
      "%}";
  expect_has(refusal(kChat, kTwoTurns, {.chat_template = rewriting}),
             "the first 1 messages alone in another way");
  const std::string refusing = "{{ raise_exception('only one turn') }}";
  expect_has(refusal(kChat, kTwoTurns, {.chat_template = refusing}), "only one turn");
}

TEST_F(ProcessorTest, ReasoningMayBeLeftUnlearnt) {
  DatasetConfig dataset = kChat;
  std::get<config::ChatSet>(dataset.kind).mask_reasoning_content = true;
  const std::string thinking =
      "{% for m in messages %}{{ m.role[0] }}:{% if m.reasoning_content %}<{{ m.reasoning_content }}>{% "
      "endif %}"
      "{{ m.content }};{% endfor %}";
  const std::string row = R"({"messages": [{"role": "user", "content": "Hi"},
    {"role": "assistant", "reasoning_content": "hm", "content": "Yo"}]})";
  EXPECT_EQ(process(dataset, row, {.chat_template = thinking}), "u:Hi;a:<hm>Yo|____a:____Yo;");
  EXPECT_EQ(process(kChat, row, {.chat_template = thinking}), "u:Hi;a:<hm>Yo|____a:<hm>Yo;");
}

TEST_F(ProcessorTest, ATurnMayOptOutOfTheLoss) {
  const std::string row = R"({"messages": [{"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Yo", "step_loss_mask": 0}, {"role": "assistant", "content": "No"}]})";
  EXPECT_EQ(process(kChat, row, {.chat_template = kTurns}), "u:Hi;a:Yo;a:No|_________a:No;");
}

TEST_F(ProcessorTest, ToolsAndCallsReachTheTemplate) {
  const std::string with_tools =
      "{% if tools %}{{ tools[0].function.name }};{% endif %}{% for m in messages %}{{ m.role[0] }}:{{ "
      "m.content }}"
      "{% for c in m.tool_calls %}{{ c.id }} {{ c.function.arguments }}{% endfor %};{% endfor %}";
  const std::string row = R"({"tools": "[{\"function\": {\"name\": \"f\"}}]", "messages": [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]}]})";
  EXPECT_EQ(process(kChat, row, {.chat_template = with_tools}), "f;u:Hi;a: {'x': 1}|______a: {'x': 1};");
  DatasetConfig as_text = kChat;
  std::get<config::ChatSet>(as_text.kind).tool_arguments = "json_text";
  EXPECT_EQ(process(as_text, row, {.chat_template = with_tools}),
            "f;u:Hi;a:call_0 {\"x\": 1}|______a:call_0 {\"x\": 1};");
}

TEST_F(ProcessorTest, TheRecipesTemplateIsTextAFileOrAFieldOfAJsonFile) {
  const std::string expected = "[u]Hi[a]Yo[u]?[a]N|____[a]Yo____[a]No";
  const std::string text = "{% for m in messages %}[{{ m.role[0] }}]{{ m.content }}{% endfor %}";
  DatasetConfig dataset = kChat;
  for (const std::string& value :
       {text, put("a.jinja", text).string(), put("a.json", Json{{"chat_template", text}}.dump()).string()}) {
    dataset.chat_template = value;
    EXPECT_EQ(process(dataset, kTwoTurns, {.chat_template = kTurns}), expected) << value;
  }
  dataset.chat_template = "no-such-file.jinja";
  expect_has(config_refusal(dataset), "neither Jinja text nor a file");
  expect_has(config_refusal(kChat), "the tokenizer has no chat template");
}

TEST_F(ProcessorTest, ChatNeedsAnAssistantTurn) {
  expect_has(
      refusal(kChat, R"({"messages": [{"role": "user", "content": "Hi"}]})", {.chat_template = kTurns}),
      "no assistant turn");
}

DatasetConfig hellaswag(bool pads) {
  DatasetConfig dataset;
  dataset.kind = config::HellaSwagSet{.pad_to_max_length = pads};
  return dataset;
}

constexpr const char* kHellaSwag = R"({"ctx": "He", "endings": ["no", " sat"], "label": "1", "ind": 4})";

TEST_F(ProcessorTest, HellaSwagLearnsTheRightEnding) {
  EXPECT_EQ(process(hellaswag(false), kHellaSwag), "He sat|_ sat_");
  EXPECT_EQ(process(hellaswag(false), R"({"ctx": "He", "endings": ["no", " sat"], "label": 0})"),
            "Heno|_no_");
}

TEST_F(ProcessorTest, HellaSwagKeepsSpecialTokensAtTheEndsOnly) {
  EXPECT_EQ(process(hellaswag(false), kHellaSwag, {.adds_bos = true}), "^He sat|__ sat_");
  EXPECT_EQ(process(hellaswag(false), kHellaSwag, {.adds_eos = true}), "He sat$|_ sat$_");
  EXPECT_EQ(process(hellaswag(false), kHellaSwag, {.adds_bos = true, .adds_eos = true}), "^He sat$|__ sat$_");
}

TEST_F(ProcessorTest, HellaSwagPadsToTheLongestRowOfTheSet) {
  const auto tokenizer = make_tokenizer();
  const Rows rows({kHellaSwag, R"({"ctx": "1234", "endings": ["56789"], "label": "0"})"});
  const auto processor = make_processor(hellaswag(true), tokenizer, rows);
  const Sample sample = processor->process(rows.row(0), 0);
  EXPECT_EQ(shown(sample.input_ids) + "|" + shown(sample.labels), "He sat~~~~~~~~~~|_ sat___________");
  EXPECT_EQ(std::count(sample.attention_mask.begin(), sample.attention_mask.end(), 1), 6);
  EXPECT_EQ(processor->process(rows.row(1), 1).input_ids.size(), 16U);
}

TEST_F(ProcessorTest, HellaSwagDecidesByTheFirstRowOfAThousand) {
  // The tokenizer adds nothing; a special token stands in the text itself.
  std::vector<std::string> texts(1002, R"({"ctx": "ab", "endings": ["cd"], "label": "0"})");
  texts[0] = R"({"ctx": "ab</s>", "endings": ["cd"], "label": "0"})";
  texts[1001] = texts[0];
  const Rows rows(texts);
  const auto tokenizer = make_tokenizer();
  const auto processor = make_processor(hellaswag(false), tokenizer, rows);
  const auto inputs = [&](int64_t index) {
    return shown(processor->process(rows.row(index), index).input_ids);
  };
  EXPECT_EQ(inputs(0), "abcd");
  EXPECT_EQ(inputs(1), "acd");
  EXPECT_EQ(inputs(999), "acd");
  EXPECT_EQ(inputs(1000), "abcd");
  EXPECT_EQ(inputs(1001), "ab$cd");
}

TEST_F(ProcessorTest, HellaSwagNamesRowAndFieldOnOpening) {
  expect_has(refusal(hellaswag(true), R"({"ctx": "He", "endings": ["a"], "label": ""})"), "set:1: \"label\"");
  expect_has(refusal(hellaswag(true), R"({"ctx": "He", "endings": ["a"], "label": "1"})"),
             "there are 1 endings");
  expect_has(refusal(hellaswag(true), R"({"ctx": "He", "endings": "a", "label": "0"})"), "expected a list");
  expect_has(refusal(hellaswag(true), R"({"endings": ["a"], "label": "0"})"), "\"ctx\" is missing");
  expect_has(refusal(hellaswag(false), R"({"ctx": "", "endings": ["a"], "label": "0"})"), "gives no token");
}

}  // namespace
}  // namespace automodel::data
