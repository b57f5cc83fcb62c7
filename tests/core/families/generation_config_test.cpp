#include "core/families/generation_config.h"

#include <gtest/gtest.h>

#include "tests/core/data/scratch.h"

namespace automodel::families {
namespace {

using Ids = std::vector<int64_t>;
using Texts = std::vector<std::string>;

class GenerationConfigTest : public data::Scratch {};

TEST_F(GenerationConfigTest, TheGenerationFileCountsBeforeConfigJson) {
  put("config.json", R"({"eos_token_id": 2, "temperature": 0.1})");
  EXPECT_EQ(read_generation_config(folder_).eos_token_ids, Ids{2});
  put("generation_config.json",
      R"({"eos_token_id": [3, 4], "temperature": 0.7, "top_k": 20, "top_p": 0.8, "repetition_penalty": 1.05,
          "max_new_tokens": 9, "do_sample": true, "pad_token_id": 0})");
  const GenerationConfig config = read_generation_config(folder_);
  EXPECT_EQ(config.eos_token_ids, (Ids{3, 4}));
  EXPECT_EQ(config.temperature, 0.7);
  EXPECT_EQ(config.top_k, 20);
  EXPECT_EQ(config.top_p, 0.8);
  EXPECT_EQ(config.repetition_penalty, 1.05);
  EXPECT_EQ(config.max_new_tokens, 9);
  EXPECT_TRUE(config.not_implemented.empty());
  EXPECT_EQ(read_eos_only(folder_).eos_token_ids, (Ids{3, 4}));
  EXPECT_EQ(read_eos_only(folder_).temperature, std::nullopt);
}

TEST_F(GenerationConfigTest, WhatWouldChangeTheTextIsNamed) {
  put("generation_config.json",
      R"({"num_beams": 1, "no_repeat_ngram_size": 3, "min_length": 0, "suppress_tokens": [], "typical_p": 1.0,
          "min_p": 0.05, "forced_bos_token_id": null})");
  const GenerationConfig config = read_generation_config(folder_);
  EXPECT_EQ(config.not_implemented, Texts{"no_repeat_ngram_size: 3"});
  EXPECT_EQ(config.not_implemented_sampling, Texts{"min_p: 0.05"});
}

TEST_F(GenerationConfigTest, AValueOfTheWrongTypeIsAnErrorWithFileAndKey) {
  for (const char* text : {R"({"eos_token_id": "</s>"})", R"({"eos_token_id": [1, 2.5]})"}) {
    put("generation_config.json", text);
    const auto read = [&] { read_generation_config(folder_); };
    data::expect_has(data::message_of(ErrorCode::kFormat, read), "generation_config.json: \"eos_token_id\"");
  }
  put("generation_config.json", R"({"top_k": 1.5})");
  const auto read = [&] { read_generation_config(folder_); };
  data::expect_has(data::message_of(ErrorCode::kFormat, read), "\"top_k\": expected a whole number");
}

}  // namespace
}  // namespace automodel::families
