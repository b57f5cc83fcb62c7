#include "core/tokenizer/tokenizer.h"

#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "tests/core/tokenizer/tiny_folder.h"

namespace automodel::tokenizer {
namespace {

using Ids = std::vector<int32_t>;

template <class Work>
Error error_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::kInternal, "nothing was thrown");
}

constexpr const char* kConfig = R"({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>",
  "eos_token": {"__type": "AddedToken", "content": "</s>", "lstrip": false, "normalized": false, "rstrip": false,
                "single_word": false}})";

TEST(Tokenizer, ReadsOneTokenizerFileAsItStands) {
  TinyFolder folder;
  folder.write_json();
  const Tokenizer tokenizer = Tokenizer::load(folder.path() / "tokenizer.json");
  EXPECT_EQ(tokenizer.encode("abb"), (Ids{6, 2, 1}));
  EXPECT_EQ(tokenizer.encode("abb", false), (Ids{2, 1}));
  EXPECT_EQ(tokenizer.vocab_size(), 8);
  EXPECT_EQ(tokenizer.bos_token_id(), std::nullopt);
}

TEST(Tokenizer, APostProcessorWithATokenThatNothingDefinesIsAMalformedFile) {
  TinyFolder folder;
  folder.write_json();
  const std::filesystem::path file = folder.path() / "tokenizer.json";
  auto json = nlohmann::json::parse(std::ifstream(file));
  json["post_processor"]["special_tokens"] = nlohmann::json::object();
  folder.write("tokenizer.json", json.dump());
  const Error error = error_of([&] { Tokenizer::load(file); });
  EXPECT_EQ(error.code(), ErrorCode::kFormat);
  EXPECT_NE(error.message().find("tokenizer.json: no text can be encoded"), std::string::npos)
      << error.message();
}

TEST(Tokenizer, ReadsVocabularyAndMergesAsByteLevel) {
  TinyFolder folder;
  folder.write_pair();
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer"})");
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  // GPT-2's own special token is added at the end, as transformers does.
  EXPECT_EQ(tokenizer.encode("ab\u00e9 b<|endoftext|>"), (Ids{2, 4, 5, 3, 1, 6}));
  EXPECT_EQ(tokenizer.eos_token(), "<|endoftext|>");
  EXPECT_EQ(tokenizer.decode({2, 4, 5, 3, 1, 6}, false), "ab\u00e9 b<|endoftext|>");
  EXPECT_EQ(tokenizer.decode({2, 4, 5, 3, 1, 6}, true), "ab\u00e9 b");
}

TEST(Tokenizer, ABarePairOfFilesIsReadAsGpt2) {
  TinyFolder folder;
  folder.write_pair();
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_EQ(tokenizer.encode("ab ab<|endoftext|>"), (Ids{2, 3, 2, 6}));
  EXPECT_EQ(tokenizer.bos_token_id(), 6);
}

TEST(Tokenizer, OffsetsCountCodePoints) {
  TinyFolder folder;
  folder.write_json();
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  const Encoding encoding = tokenizer.encode_with_offsets("\u00e9ab b", false);
  EXPECT_EQ(encoding.ids, (Ids{4, 5, 2, 3, 1}));
  const std::vector<std::pair<int64_t, int64_t>> expected = {{0, 1}, {0, 1}, {1, 3}, {3, 4}, {4, 5}};
  EXPECT_EQ(encoding.offsets, expected);
}

TEST(Tokenizer, KnowsWhatThePostProcessorAdds) {
  TinyFolder folder;
  folder.write_json();
  folder.write("tokenizer_config.json", kConfig);
  Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_EQ(tokenizer.encode("a"), (Ids{6, 0}));
  EXPECT_EQ(tokenizer.bos_token_id(), 6);
  EXPECT_EQ(tokenizer.eos_token_id(), 7);

  tokenizer.set_add_special(std::nullopt, true);
  EXPECT_EQ(tokenizer.encode("a"), (Ids{6, 0, 7}));
  tokenizer.set_add_special(false, std::nullopt);
  EXPECT_EQ(tokenizer.encode("a"), (Ids{0, 7}));
  tokenizer.set_add_special(false, false);
  EXPECT_EQ(tokenizer.encode("a"), (Ids{0}));
}

// As transformers 5.23 sets it: tests/tokenizer/masks_test.py compares live.
TEST(Tokenizer, TheAttributeForBosIsNotWhatThePostProcessorAdds) {
  TinyFolder folder;
  folder.write_json();
  folder.write("tokenizer_config.json",
               R"({"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true})");
  Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_EQ(tokenizer.encode("a"), (Ids{6, 0}));
  EXPECT_FALSE(tokenizer.add_bos_token());
  tokenizer.set_add_special(std::nullopt, false);
  EXPECT_FALSE(tokenizer.add_bos_token());
  tokenizer.set_add_special(true, std::nullopt);
  EXPECT_TRUE(tokenizer.add_bos_token());
  tokenizer.set_add_special(false, std::nullopt);
  EXPECT_FALSE(tokenizer.add_bos_token());

  TinyFolder pair;
  pair.write_pair();
  const std::string config = R"({"tokenizer_class": "GPT2Tokenizer", "add_bos_token": true, "bos_token": )";
  pair.write("tokenizer_config.json", config + "\"<s>\"}");
  EXPECT_TRUE(Tokenizer::load(pair.path()).add_bos_token());
  pair.write("tokenizer_config.json", config + "null}");
  EXPECT_FALSE(Tokenizer::load(pair.path()).add_bos_token());
}

TEST(Tokenizer, PadsWithTheEosTokenWhenNoneIsNamed) {
  TinyFolder folder;
  folder.write_json();
  folder.write("tokenizer_config.json", kConfig);
  EXPECT_EQ(Tokenizer::load(folder.path()).pad_token(), "</s>");
  folder.write("tokenizer_config.json",
               R"({"tokenizer_class": "X", "pad_token": "<pad>", "eos_token": "</s>"})");
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_EQ(tokenizer.pad_token_id(), 8);  // not in the file: added after its last id
}

TEST(Tokenizer, EncodesABatchAsItsTexts) {
  TinyFolder folder;
  folder.write_json();
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  const std::vector<Ids> expected = {{6, 2}, {6}, {6, 1, 3, 0}};
  EXPECT_EQ(tokenizer.encode_batch({"ab", "", "b a"}), expected);
  EXPECT_TRUE(tokenizer.encode_batch({}).empty());
}

TEST(Tokenizer, GivesTheSameIdsOnEveryThread) {
  TinyFolder folder;
  folder.write_json();
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  std::vector<Ids> results(4);
  std::vector<std::thread> threads;
  for (Ids& result : results) threads.emplace_back([&] { result = tokenizer.encode("abba ab", false); });
  for (std::thread& thread : threads) thread.join();
  for (const Ids& result : results) EXPECT_EQ(result, (Ids{2, 1, 0, 3, 2}));
}

TEST(Tokenizer, RefusesOtherVocabulariesByName) {
  TinyFolder folder;
  folder.write("tokenizer.model", "\n");
  const Error error = error_of([&] { Tokenizer::load(folder.path()); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_NE(error.message().find("tokenizer.model: a SentencePiece model"), std::string::npos)
      << error.what();
}

TEST(Tokenizer, RefusesMalformedFilesByName) {
  TinyFolder folder;
  folder.write("tokenizer.json", "{\"model\": ");
  const Error error = error_of([&] { Tokenizer::load(folder.path()); });
  EXPECT_EQ(error.code(), ErrorCode::kFormat);
  EXPECT_NE(error.message().find("tokenizer.json"), std::string::npos) << error.what();
  EXPECT_EQ(error_of([] { Tokenizer::load("/nowhere"); }).code(), ErrorCode::kIo);
}

TEST(Tokenizer, RefusesTextThatIsNotUtf8) {
  TinyFolder folder;
  folder.write_json();
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_EQ(error_of([&] { tokenizer.encode("a\xff"); }).code(), ErrorCode::kData);
}

TEST(Tokenizer, RendersChatsWithItsSpecialTokens) {
  TinyFolder folder;
  folder.write_json();
  folder.write("tokenizer_config.json", kConfig);
  folder.write("chat_template.jinja",
               "{{ bos_token }}{{ messages[0].content }}{{ tools is none }}{{ eos_token }}\n");
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  const nlohmann::ordered_json chat = {{"messages", {{{"role", "user"}, {"content", "hi"}}}}};
  EXPECT_EQ(tokenizer.render_chat(chat).text, "<s>hiTrue</s>");
}

TEST(Tokenizer, TakesTheToolTemplateWhenToolsAreGiven) {
  TinyFolder folder;
  folder.write_json();
  folder.write("tokenizer_config.json", R"({"chat_template": [
    {"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools"}]})");
  Tokenizer tokenizer = Tokenizer::load(folder.path());
  nlohmann::ordered_json chat = {{"messages", nlohmann::ordered_json::array()}};
  EXPECT_EQ(tokenizer.render_chat(chat).text, "plain");
  chat["tools"] = nlohmann::ordered_json::array();
  EXPECT_EQ(tokenizer.render_chat(chat).text, "tools");
  tokenizer.set_chat_template("mine");
  EXPECT_EQ(tokenizer.render_chat(chat).text, "mine");
}

TEST(Tokenizer, ABrokenTemplateIsAnErrorWhenItIsUsed) {
  TinyFolder folder;
  folder.write_json();
  folder.write("chat_template.jinja", "a\n{% if %}");
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_EQ(tokenizer.encode("a", false), (Ids{0}));
  const Error error = error_of([&] { tokenizer.chat_template(); });
  EXPECT_EQ(error.code(), ErrorCode::kFormat);
  EXPECT_NE(error.message().find("line 2"), std::string::npos) << error.what();
}

TEST(Tokenizer, ListsTheFilesThatBelongToIt) {
  TinyFolder folder;
  folder.write_json();
  folder.write("tokenizer_config.json", kConfig);
  folder.write("model.safetensors", "");
  const std::vector<std::filesystem::path> expected = {folder.path() / "tokenizer.json",
                                                       folder.path() / "tokenizer_config.json"};
  EXPECT_EQ(Tokenizer::load(folder.path()).files(), expected);
}

}  // namespace
}  // namespace automodel::tokenizer
