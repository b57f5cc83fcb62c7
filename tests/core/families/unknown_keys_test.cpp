#include "core/families/unknown_keys.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/base/error.h"

namespace automodel::families {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json tiny(const std::string& model_type, const std::string& architecture, const json& more) {
  json config = {{"architectures", {architecture}},
                 {"model_type", model_type},
                 {"vocab_size", 100},
                 {"hidden_size", 32},
                 {"intermediate_size", 48},
                 {"num_hidden_layers", 4},
                 {"num_attention_heads", 4},
                 {"num_key_value_heads", 2}};
  if (!more.is_null()) config.update(more);
  return config;
}

json llama(const json& more) {
  return tiny("llama", "LlamaForCausalLM", more);
}

/// What is said while a config is read. A file of another name each time: a warning is said once for one.
std::string said(const json& config, const KeyRules& rules = {}) {
  static int number = 0;
  ::testing::internal::CaptureStderr();
  read_decoder_config(config.dump(), "config" + std::to_string(++number) + ".json", "", "", {}, rules);
  return ::testing::internal::GetCapturedStderr();
}

/// The message of the refusal; "" when the config is read.
std::string refusal(const json& config, const KeyRules& rules = {}, const std::string& overrides = "") {
  try {
    read_decoder_config(config.dump(), "config.json", overrides, "", {}, rules);
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(UnknownKeys, OneWarningNamesThemAll) {
  const std::string text = said(llama({{"first_note", 3}, {"second_note", {{"a", 1}}}}));
  EXPECT_TRUE(holds(text, "unknown keys \"first_note\", \"second_note\"")) << text;
  EXPECT_TRUE(holds(text, "without effect")) << text;
  EXPECT_FALSE(holds(text, "TAKE NOTE")) << text;
  EXPECT_EQ(text.find("WARNING"), text.rfind("WARNING")) << text;
  EXPECT_EQ(said(llama({{"_note", 3}})), "");
}

TEST(UnknownKeys, TheWarningIsLouderWhereAnotherFamilyComputesWithTheName) {
  const std::string field = said(llama({{"qkv_bias", true}}));
  EXPECT_TRUE(holds(field, "TAKE NOTE: other families compute with \"qkv_bias\" (internlm3, qwen2_moe)"))
      << field;
  const std::string reader = said(llama({{"no_rope_layers", {1, 0, 1, 0}}}));
  EXPECT_TRUE(holds(reader, "TAKE NOTE")) << reader;
  EXPECT_TRUE(holds(reader, "smollm3")) << reader;
}

TEST(UnknownKeys, TheWarningSaysWhatASlipMayMean) {
  const std::string text = said(llama({{"rms_norm_epss", 0.1}}));
  EXPECT_TRUE(holds(text, "did you mean \"rms_norm_eps\" by \"rms_norm_epss\"?")) << text;
}

TEST(UnknownKeys, TheSameFileIsWarnedOfOnce) {
  const json config = llama({{"a_note", 1}});
  const auto read_it = [&] {
    ::testing::internal::CaptureStderr();
    read_decoder_config(config.dump(), "twice.json");
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_NE(read_it(), "");
  EXPECT_EQ(read_it(), "");
}

TEST(UnknownKeys, AFileFromANewerTransformersIsRefusedUnlessTheValueIsNeutral) {
  const auto of = [](const std::string& release, const json& value) {
    return llama({{"transformers_version", release}, {"new_gate", value}});
  };
  EXPECT_EQ(refusal(of("5.23.0", true)), "");
  EXPECT_EQ(refusal(of("4.57.1", 3)), "");
  for (const json& neutral :
       {json(nullptr), json(false), json(0), json(0.0), json(""), json::array(), json::object()})
    EXPECT_EQ(refusal(of("6.0.0", neutral)), "") << neutral;
  for (const json& value : {json(true), json(2), json(0.5), json("x"), json({1}), json({{"a", 0}})}) {
    const std::string text = refusal(of("5.24.0.dev0", value));
    EXPECT_TRUE(
        holds(text, "config.json: unknown key \"new_gate\": the file is from transformers 5.24.0.dev0"))
        << text;
    EXPECT_TRUE(holds(text, "model.ignore_config_keys: [new_gate]")) << text;
  }
  EXPECT_TRUE(is_newer("5.23.1", "5.23.0"));
  EXPECT_TRUE(is_newer("10.0", "5.23.0"));
  EXPECT_FALSE(is_newer("5.23.0.dev0", "5.23.0"));
  EXPECT_FALSE(is_newer("4.99.9", "5.23.0"));
  EXPECT_FALSE(is_newer("main", "5.23.0"));
}

TEST(UnknownKeys, AFamilyOfRemoteCodeRefusesEvery) {
  const json config = tiny("minicpm", "MiniCPMForCausalLM", {{"a_note", nullptr}});
  const std::string text = refusal(config);
  EXPECT_TRUE(holds(text, "unknown key \"a_note\"")) << text;
  EXPECT_TRUE(holds(text, "code that lies in its folders")) << text;
  KeyRules rules;
  rules.ignored = {"a_note"};
  EXPECT_EQ(refusal(config, rules), "");
  EXPECT_TRUE(holds(said(config, rules), "\"a_note\" is ignored, as asked"));
}

TEST(UnknownKeys, StrictRefusesEveryAndIgnoringTakesItBack) {
  KeyRules strict;
  strict.strict = true;
  const json config = llama({{"intermediat_size", 3}});
  EXPECT_TRUE(holds(refusal(config, strict), "did you mean \"intermediate_size\""))
      << refusal(config, strict);
  strict.ignored = {"intermediat_size"};
  EXPECT_EQ(refusal(config, strict), "");
}

TEST(UnknownKeys, WhatTheFamilyReadsCannotBeIgnored) {
  KeyRules rules;
  rules.ignored = {"rms_norm_eps"};
  EXPECT_TRUE(holds(refusal(llama({{"rms_norm_eps", 0.1}}), rules), "llama reads \"rms_norm_eps\""));
  EXPECT_TRUE(holds(said(llama({}), rules), "there is no key \"rms_norm_eps\""));
}

TEST(UnknownKeys, AnOverrideIsAlwaysStrict) {
  EXPECT_TRUE(
      holds(refusal(llama({}), {}, R"({"num_layers": 2})"), "unknown key \"num_layers\" in an override"));
  const std::string rope = R"({"rope_scaling": {"rope_type": "default", "a_note": 3}})";
  EXPECT_TRUE(holds(refusal(llama({}), {}, rope), "\"rope_scaling.a_note\" in an override"));
  KeyRules rules;
  rules.ignored = {"num_layers"};
  EXPECT_EQ(refusal(llama({}), rules, R"({"num_layers": 2})"), "");
}

TEST(UnknownKeys, KeysOfInnerObjectsHaveTheSameRules) {
  const json rope = {{"rope_type", "default"}, {"mrope_section", {1, 1}}};
  EXPECT_TRUE(holds(said(llama({{"rope_scaling", rope}})), "unknown key \"rope_scaling.mrope_section\""));
  EXPECT_TRUE(holds(refusal(llama({{"rope_parameters", rope}, {"transformers_version", "7.0"}})),
                    "unknown key \"rope_parameters.mrope_section\""));
  const json experts = {{"num_local_experts", 4}, {"num_experts_per_tok", 2}, {"head_dim", 8}};
  json config = tiny("minimax_m2", "MiniMaxM2ForCausalLM", experts);
  config["quantization_config"] = {{"quant_method", "fp8"}, {"fmt", "float8_e4m3fn"}, {"kv_note", 1}};
  EXPECT_TRUE(holds(said(config), "unknown key \"quantization_config.kv_note\""));
}

TEST(UnknownKeys, AKeyThatTheClassDoesNotReadPassesWithItsUsualValueAndIsWarnedOfWithAnother) {
  EXPECT_EQ(said(tiny("mistral", "MistralForCausalLM", {{"attention_bias", false}})), "");
  const std::string text = said(tiny("mistral", "MistralForCausalLM", {{"attention_bias", true}}));
  EXPECT_TRUE(holds(text, "unknown key \"attention_bias\"")) << text;
  EXPECT_TRUE(holds(text, "TAKE NOTE")) << text;
}

class CheckedWith : public ::testing::Test {
 protected:
  CheckedWith()
      : path_(fs::temp_directory_path() / ("checked_with." + std::to_string(::getpid()) + ".yaml")) {}

  ~CheckedWith() override { fs::remove(path_); }

  /// Reads Llama's config with a key of nobody through a family file.
  std::string refusal_by(const std::string& lines) {
    std::ofstream(path_) << "architectures: [LlamaForCausalLM]\n" << lines;
    try {
      read_decoder_config(llama({{"a_note", 1}}).dump(), "config.json", "", path_.string());
    } catch (const Error& error) {
      return error.message();
    }
    return "";
  }

  fs::path path_;
};

TEST_F(CheckedWith, IsInheritedAndCheckedItself) {
  EXPECT_EQ(refusal_by("like: llama\n"), "");
  EXPECT_TRUE(holds(refusal_by("like: llama\nchecked_with: remote code\n"), "code that lies in its folders"));
  EXPECT_TRUE(holds(refusal_by("like: llama\nchecked_with: lately\n"), "expected a release of transformers"));
}

TEST_F(CheckedWith, AFamilyWithoutABaseMustSayIt) {
  const std::string fields =
      "fields:\n  vocab_size: {key: vocab_size}\n  hidden_size: {key: hidden_size}\n"
      "  num_layers: {key: num_hidden_layers}\n  num_heads: {key: num_attention_heads}\n"
      "  num_kv_heads: {key: num_key_value_heads}\n  intermediate_size: {key: intermediate_size}\n"
      "readers: [head_dim, no_rope]\ninert: [architectures, model_type]\n";
  EXPECT_TRUE(holds(refusal_by(fields), "says no `checked_with`"));
  EXPECT_EQ(refusal_by(fields + "checked_with: 5.0\n"), "");
}

TEST_F(CheckedWith, ANormWithABiasThatNothingComputesIsRefused) {
  EXPECT_TRUE(holds(refusal_by("like: llama\nfields:\n  norm_bias: {value: true}\n"),
                    "only a layer norm with a weight can have a bias; here it is an RMS norm"));
  EXPECT_TRUE(holds(refusal_by("like: qwen3\nfields:\n  qk_norm_bias: {value: true}\n"), "qk_norm_bias"));
  EXPECT_TRUE(holds(refusal_by("like: olmo\nfields:\n  norm_bias: {value: true}\n"), "without a weight"));
  EXPECT_EQ(refusal_by("like: starcoder2\n"), "");
}

TEST(WindowLetters, LHasTheWindowAndTheLastLayerHasNone) {
  const auto windows = [](const json& pattern, int64_t num_layers) {
    const json config =
        tiny("exaone4",
             "Exaone4ForCausalLM",
             {{"sliding_window", 7}, {"sliding_window_pattern", pattern}, {"num_hidden_layers", num_layers}});
    std::vector<int64_t> sizes;
    for (const arch::LayerConfig& layer : read_decoder_config(config.dump(), "config.json").layers)
      sizes.push_back(layer.attention.sliding_window);
    return sizes;
  };
  EXPECT_EQ(windows("LLLG", 6), (std::vector<int64_t>{7, 7, 7, 0, 7, 0}));
  EXPECT_EQ(windows("LG", 4), (std::vector<int64_t>{7, 0, 7, 0}));
  EXPECT_EQ(windows(3, 4), (std::vector<int64_t>{7, 7, 0, 7}));
  EXPECT_THROW(windows("LLX", 4), Error);
  EXPECT_THROW(windows("", 4), Error);
}

}  // namespace
}  // namespace automodel::families
