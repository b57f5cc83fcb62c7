#include "core/tokenizer/hub_class.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/core/tokenizer/tiny_folder.h"

namespace automodel::tokenizer {
namespace {

using nlohmann::ordered_json;

std::string class_of(const std::filesystem::path& folder, const char* named, const char* model_type) {
  ordered_json config = ordered_json::object(), model = ordered_json::object();
  if (named != nullptr) config["tokenizer_class"] = named;
  if (model_type != nullptr) model["model_type"] = model_type;
  return hub_tokenizer_class(folder, config, model);
}

TEST(HubClass, TheFolderNamesItsClass) {
  TinyFolder folder;
  EXPECT_EQ(class_of(folder.path(), "GPT2TokenizerFast", nullptr), "GPT2Tokenizer");
  EXPECT_EQ(class_of(folder.path(), "LlamaTokenizer", "llama"), "LlamaTokenizer");
  EXPECT_EQ(class_of(folder.path(), "PreTrainedTokenizerFast", "llama"), "");
  EXPECT_EQ(class_of(folder.path(), nullptr, "qwen3"), "Qwen2Tokenizer");
  EXPECT_EQ(class_of(folder.path(), nullptr, "llama"), "");
}

TEST(HubClass, SomeModelTypesOverrideIt) {
  TinyFolder folder;
  EXPECT_EQ(class_of(folder.path(), "LlamaTokenizer", "phi3"), "");
  EXPECT_EQ(class_of(folder.path(), "LlamaTokenizer", "mistral"), "");
  EXPECT_EQ(class_of(folder.path(), "GPT2Tokenizer", "qwen2"), "Qwen2Tokenizer");
  EXPECT_EQ(class_of(folder.path(), "GPT2Tokenizer", "qwen3"), "GPT2Tokenizer");
}

TEST(HubClass, AByteLevelFileIsNoLlamaTokenizer) {
  TinyFolder folder;
  folder.write_json();
  EXPECT_EQ(class_of(folder.path(), "LlamaTokenizer", "llama"), "");
}

TEST(HubClass, RebuildingKeepsVocabularyMergesAndPostProcessor) {
  const nlohmann::json source = {{"model", {{"vocab", {{"a", 0}}}, {"merges", {"a b"}}}},
                                 {"normalizer", {{"type", "NFD"}}},
                                 {"post_processor", {{"type", "ByteLevel"}}}};
  const nlohmann::json built = rebuild_tokenizer("Qwen2Tokenizer", source, ordered_json::object(), "");
  EXPECT_EQ(built["model"]["vocab"], source["model"]["vocab"]);
  EXPECT_EQ(built["model"]["merges"].dump(), R"([["a","b"]])");
  EXPECT_EQ(built["post_processor"], source["post_processor"]);
  EXPECT_EQ(built["normalizer"]["type"], "NFC");
}

}  // namespace
}  // namespace automodel::tokenizer
