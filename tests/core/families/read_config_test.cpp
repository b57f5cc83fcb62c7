#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/families/families.h"
#include "core/families/family.h"
#include "core/weights/cost.h"
#include "core/weights/parameters.h"

namespace automodel::families {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json tiny(const std::string& model_type, const std::string& architecture) {
  return {{"architectures", {architecture}},
          {"model_type", model_type},
          {"vocab_size", 100},
          {"hidden_size", 32},
          {"intermediate_size", 48},
          {"num_hidden_layers", 3},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2}};
}

json llama() {
  return tiny("llama", "LlamaForCausalLM");
}

json qwen2() {
  return tiny("qwen2", "Qwen2ForCausalLM");
}

arch::DecoderConfig read(const json& config) {
  return read_decoder_config(config.dump(), "config.json");
}

/// Code and message of the refusal; an empty message when the config is read.
std::pair<ErrorCode, std::string> refusal(const json& config, const std::string& overrides = "") {
  try {
    read_decoder_config(config.dump(), "config.json", overrides);
  } catch (const Error& error) {
    return {error.code(), error.message()};
  }
  return {ErrorCode::kInternal, ""};
}

void expect_refused(const json& config, ErrorCode code, const std::string& says) {
  const auto [found, message] = refusal(config);
  EXPECT_EQ(found, code) << message;
  EXPECT_NE(message.find(says), std::string::npos) << message;
}

json with(json config, const std::string& key, const json& value) {
  config[key] = value;
  return config;
}

TEST(ReadConfig, LlamaFieldsAndDefaults) {
  const arch::DecoderConfig decoder = read(llama());
  EXPECT_EQ(decoder.family, "llama");
  EXPECT_EQ(decoder.layers.size(), 3u);
  EXPECT_EQ(decoder.layers[2].attention.head_dim, 8);
  EXPECT_EQ(decoder.layers[2].attention.num_kv_heads, 2);
  EXPECT_EQ(decoder.norm.eps, 1e-6);
  EXPECT_EQ(decoder.max_position_embeddings, 2048);
  EXPECT_FALSE(decoder.head.tied);
  EXPECT_FALSE(decoder.stored_dtype);
  ASSERT_EQ(decoder.ropes.size(), 1u);
  EXPECT_EQ(decoder.ropes[0].inv_freq.size(), 4u);
  // 3 layers of (q o 2*32*32, k v 2*16*32, mlp 3*32*48, norms 2*32), embedding and head 2*100*32, norm 32.
  EXPECT_EQ(weights::cost_of(decoder).parameters, 3 * (2048 + 1024 + 4608 + 64) + 6400 + 32);
}

TEST(ReadConfig, NullMeansWhatTransformersTakesItFor) {
  EXPECT_EQ(read(with(llama(), "num_key_value_heads", nullptr)).layers[0].attention.num_kv_heads, 4);
  EXPECT_EQ(read(with(llama(), "head_dim", nullptr)).layers[0].attention.head_dim, 8);
  EXPECT_EQ(read(with(llama(), "head_dim", 20)).layers[0].attention.head_dim, 20);
  EXPECT_FALSE(read(with(llama(), "pad_token_id", nullptr)).embedding.pad_token_id);
  EXPECT_EQ(read(with(llama(), "pad_token_id", -1)).embedding.pad_token_id, 99);
  expect_refused(with(llama(), "vocab_size", nullptr), ErrorCode::kFormat, "vocab_size");
  const json gemma = tiny("gemma3_text", "Gemma3ForCausalLM");
  EXPECT_TRUE(is_causal(read(with(gemma, "use_bidirectional_attention", nullptr))));
  EXPECT_FALSE(is_causal(read(with(gemma, "use_bidirectional_attention", true))));
}

TEST(ReadConfig, LearnedPositionsHaveAnEnd) {
  const arch::DecoderConfig gpt2 =
      read(R"({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": 100,
    "n_embd": 32, "n_layer": 1, "n_head": 4, "n_positions": 24})"_json);
  EXPECT_EQ(learned_positions(gpt2), 24);
  EXPECT_NO_THROW(check_positions(gpt2, 24));
  EXPECT_THROW(check_positions(gpt2, 25), Error);
  EXPECT_NO_THROW(check_positions(read(llama()), 1 << 30));
}

TEST(ReadConfig, FamiliesDifferWhereTheyShould) {
  const arch::DecoderConfig qwen = read(qwen2());
  EXPECT_TRUE(qwen.layers[0].attention.q_bias && qwen.layers[0].attention.v_bias);
  EXPECT_FALSE(qwen.layers[0].attention.o_bias);
  const arch::DecoderConfig qwen3 = read(tiny("qwen3", "Qwen3ForCausalLM"));
  EXPECT_EQ(qwen3.layers[0].attention.qk_norm, arch::QkNorm::kPerHead);
  EXPECT_EQ(qwen3.layers[0].attention.head_dim, 128);
  const arch::DecoderConfig mistral = read(tiny("mistral", "MistralForCausalLM"));
  EXPECT_EQ(mistral.layers[0].attention.sliding_window, 4096);
  EXPECT_EQ(read(with(tiny("mistral", "MistralForCausalLM"), "sliding_window", nullptr))
                .layers[0]
                .attention.sliding_window,
            0);
}

TEST(ReadConfig, QwenWindowsFollowLayerTypesOrMaxWindowLayers) {
  const auto windows = [](const json& config) {
    std::vector<int64_t> sizes;
    for (const arch::LayerConfig& layer : read(config).layers)
      sizes.push_back(layer.attention.sliding_window);
    return sizes;
  };
  json config = with(with(qwen2(), "sliding_window", 7), "max_window_layers", 1);
  EXPECT_EQ(windows(config), (std::vector<int64_t>{0, 0, 0}));
  config["use_sliding_window"] = true;
  EXPECT_EQ(windows(config), (std::vector<int64_t>{0, 7, 7}));
  config["layer_types"] = {"sliding_attention", "full_attention", "full_attention"};
  EXPECT_EQ(windows(config), (std::vector<int64_t>{7, 0, 0}));
  config["use_sliding_window"] = false;
  expect_refused(config, ErrorCode::kFormat, "give it no window");
  config["layer_types"] = {"full_attention"};
  expect_refused(config, ErrorCode::kFormat, "one a layer");
  config["layer_types"] = {"full_attention", "linear_attention", "full_attention"};
  expect_refused(config, ErrorCode::kUnsupported, "linear_attention");
}

TEST(ReadConfig, TheClassEndsWithTheTask) {
  const auto task = [](const std::string& type, const std::string& name) {
    return read(tiny(type, name)).task;
  };
  EXPECT_EQ(task("llama", "LlamaForCausalLM"), arch::Task::kNextToken);
  EXPECT_EQ(task("llama", "LlamaForSequenceClassification"), arch::Task::kClassification);
  EXPECT_EQ(task("llama", "LlamaModel"), arch::Task::kEmbedding);
  expect_refused(
      tiny("llama", "LlamaForTokenClassification"), ErrorCode::kUnsupported, "LlamaForTokenClassification");
  const json bert = {{"model_type", "bert"}, {"architectures", {"BertForMaskedLM"}}};
  EXPECT_EQ(read(bert).task, arch::Task::kMaskedToken);
  EXPECT_FALSE(is_causal(read(bert)));
  // BERT base has 110 million parameters (arXiv:1810.04805); without pooler, with the head's transform:
  EXPECT_EQ(weights::cost_of(read(bert)).parameters, 109514298);
}

TEST(ReadConfig, AClassifierHasAsManyLabelsAsTheConfigNames) {
  const json base = tiny("llama", "LlamaForSequenceClassification");
  const auto classifier = [](const json& config) { return read(config).classifier; };
  EXPECT_EQ(classifier(base).num_labels, 2);
  EXPECT_EQ(classifier(with(base, "num_labels", 7)).num_labels, 7);
  EXPECT_EQ(classifier(with(base, "id2label", {{"0", "no"}, {"1", "maybe"}, {"2", "yes"}})).num_labels, 3);
  expect_refused(with(base, "id2label", json::array()), ErrorCode::kFormat, "id2label");
  const auto segments = weights::model_weights(read(base));
  EXPECT_EQ(segments.back().weights.back().name, "score.weight");
}

TEST(ReadConfig, WhatLabelsOfRowsAre) {
  const json base = tiny("llama", "LlamaForSequenceClassification");
  const auto kind = [](const json& config) { return read(config).classifier.label_kind; };
  EXPECT_FALSE(kind(base));  // as the labels' form says
  EXPECT_EQ(kind(with(base, "num_labels", 1)), arch::LabelKind::kNumbers);
  EXPECT_EQ(kind(with(base, "problem_type", "regression")), arch::LabelKind::kNumbers);
  EXPECT_EQ(kind(with(base, "problem_type", "single_label_classification")), arch::LabelKind::kClass);
  EXPECT_EQ(kind(with(base, "problem_type", "multi_label_classification")), arch::LabelKind::kSeveral);
  expect_refused(
      with(base, "problem_type", "ranking"), ErrorCode::kUnsupported, "\"problem_type\": \"ranking\"");
  expect_refused(with(with(base, "num_labels", 1), "problem_type", "single_label_classification"),
                 ErrorCode::kFormat,
                 "num_labels above 1");
  EXPECT_FALSE(read(base).classifier.padding_id);
  EXPECT_EQ(read(with(base, "pad_token_id", 3)).classifier.padding_id, 3);
}

TEST(ReadConfig, AnotherTaskMayBeAskedFor) {
  arch::TaskRequest request;
  request.task = arch::Task::kEmbedding;
  request.pooling = arch::Pooling::kMean;
  request.bidirectional = true;
  const arch::DecoderConfig decoder = read_decoder_config(llama().dump(), "config.json", "", "", request);
  EXPECT_EQ(decoder.task, arch::Task::kEmbedding);
  EXPECT_EQ(decoder.classifier.pooling, arch::Pooling::kMean);
  EXPECT_FALSE(is_causal(decoder));
  EXPECT_EQ(std::ranges::count(decoder.names.ignored, "lm_head.**"), 1);
  const json hybrid = {{"model_type", "falcon_h1"}, {"architectures", {"FalconH1ForCausalLM"}}};
  EXPECT_THROW(read_decoder_config(hybrid.dump(), "config.json", "", "", request), Error);
}

TEST(ReadConfig, ValuesThatAreNotImplementedAreRefused) {
  expect_refused(with(llama(), "attention_dropout", 1.5), ErrorCode::kFormat, "attention_dropout");
  expect_refused(
      with(llama(), "quantization_config", {{"bits", 4}}), ErrorCode::kUnsupported, "quantization_config");
  expect_refused(with(llama(), "hidden_act", "xielu"), ErrorCode::kUnsupported, "xielu");
  expect_refused(with(llama(), "num_hidden_layers", "3"), ErrorCode::kFormat, "expected an integer");
  expect_refused(with(llama(), "num_hidden_layers", 2.5), ErrorCode::kFormat, "expected an integer");
  expect_refused(with(llama(), "num_hidden_layers", 1e30), ErrorCode::kFormat, "expected an integer");
  expect_refused(with(llama(), "hidden_size", -32), ErrorCode::kFormat, "expected an integer");
  expect_refused(with(llama(), "hidden_size", 33), ErrorCode::kFormat, "not a multiple");
  expect_refused(with(llama(), "num_key_value_heads", 3), ErrorCode::kFormat, "not a multiple");
  expect_refused(with(llama(), "tie_word_embeddings", "yes"), ErrorCode::kFormat, "true or false");
  expect_refused(with(llama(), "pad_token_id", 100), ErrorCode::kFormat, "pad_token_id");
  json missing = llama();
  missing.erase("hidden_size");
  expect_refused(missing, ErrorCode::kFormat, "\"hidden_size\" is missing");
  expect_refused(json::array(), ErrorCode::kFormat, "a JSON object");
}

TEST(ReadConfig, InfinityIsReadWhereALimitIsOneAndNamedElsewhere) {
  std::string config = with(tiny("falcon_h1", "FalconH1ForCausalLM"), "mamba_n_heads", 4).dump();
  config.back() = ',';
  const arch::DecoderConfig decoder = read_decoder_config(
      config + R"("mamba_d_ssm": 64, "time_step_limit": [0.5, Infinity]})", "config.json");
  EXPECT_EQ(decoder.layers[0].mamba2.dt_min, 0.5);
  EXPECT_TRUE(std::isinf(decoder.layers[0].mamba2.dt_max));
  for (const std::string& more : {std::string(R"("rms_norm_eps": -Infinity})"),
                                  std::string(R"("rms_norm_eps": {"__float__": "-Infinity"}})")}) {
    try {
      read_decoder_config(config + more, "config.json");
      ADD_FAILURE() << more;
    } catch (const Error& error) {
      EXPECT_EQ(error.message(), "config.json: \"rms_norm_eps\": expected a number, found -Infinity");
    }
  }
}

TEST(ReadConfig, QuantizationIsReadWholeOrRefused) {
  json config = tiny("gpt_oss", "GptOssForCausalLM");
  config["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 10000}};
  config["quantization_config"] = {{"quant_method", "fp8"}, {"weight_block_size", {64, 32}}, {"fmt", "e4m3"}};
  EXPECT_EQ(read(config).quantization.block_rows, 64);
  config["quantization_config"]["fmt"] = "float8_e4m3fn";  // the files say it too
  EXPECT_EQ(read(config).quantization.block_columns, 32);
  config["quantization_config"]["activation_scheme"] = "static";
  expect_refused(config, ErrorCode::kUnsupported, "\"quantization_config\".activation_scheme: \"static\"");
  config["quantization_config"] = {{"quant_method", "int4"}, {"bits", 4}};
  expect_refused(config, ErrorCode::kUnsupported, "int4");
}

TEST(ReadConfig, BlocksOfDifferentWidths) {
  json config = tiny("nemotron-nas", "DeciLMForCausalLM");
  config["num_key_value_heads"] = config["intermediate_size"] = nullptr;
  const json whole = {{"attention", {{"n_heads_in_group", 2}, {"no_op", false}, {"sparsify", nullptr}}},
                      {"ffn", {{"ffn_mult", 12.1}, {"no_op", false}}}};
  json no_attention = whole, no_mlp = whole;
  no_attention["attention"] = {{"n_heads_in_group", nullptr}, {"no_op", true}};
  no_mlp["ffn"] = {{"ffn_mult", nullptr}, {"no_op", true}};
  config["block_configs"] = {whole, no_attention, no_mlp};
  const arch::DecoderConfig decoder = read(config);
  EXPECT_EQ(decoder.layers[0].attention.num_kv_heads, 2);
  EXPECT_EQ(decoder.layers[0].mlp.intermediate_size, 512);  // 258 in steps of 256
  EXPECT_TRUE(decoder.layers[1].mixers.empty());
  EXPECT_EQ(decoder.layers[2].feed_forward, arch::FeedForwardKind::kNone);
  config["block_configs"][0]["attention"]["window_length"] = 64;
  expect_refused(config, ErrorCode::kUnsupported, "\"block_configs\"[0].attention.window_length: 64");
  config["block_configs"][0] = whole;
  config["block_configs"][0]["parallel_blocks"] = 2;
  expect_refused(config, ErrorCode::kUnsupported, "\"block_configs\"[0].parallel_blocks: 2");
  config["block_configs"][0] = {{"attention", no_attention["attention"]}, {"ffn", no_mlp["ffn"]}};
  expect_refused(config, ErrorCode::kUnsupported, "both no-ops");
}

TEST(ReadConfig, KeyHeadsByLayer) {
  json config = tiny("deci", "DeciLMForCausalLM");
  config["num_hidden_layers"] = 3;
  config["num_key_value_heads_per_layer"] = {4, 1, 2};
  const arch::DecoderConfig decoder = read(config);
  EXPECT_EQ(decoder.family, "deci");
  EXPECT_EQ(decoder.layers[1].attention.num_kv_heads, 1);
  EXPECT_EQ(decoder.layers[2].attention.num_kv_heads, 2);
  config["num_key_value_heads_per_layer"] = {4, 3, 2};
  expect_refused(config, ErrorCode::kFormat, "\"num_key_value_heads_per_layer\"[1]: 3 does not divide 4");
  config["num_key_value_heads_per_layer"] = {4, 2};
  expect_refused(config, ErrorCode::kFormat, "expected a list of 3 numbers, one a layer");
  config["model_type"] = "llama";
  expect_refused(
      config, ErrorCode::kUnsupported, "does not go with DeciLMForCausalLM, which is deci or nemotron-nas");
}

TEST(ReadConfig, ArchitectureAndModelTypeAreNamed) {
  expect_refused(tiny("llama", "LlamaForCausalLm"), ErrorCode::kUnsupported, "nearest: LlamaForCausalLM");
  expect_refused(tiny("mistral", "LlamaForCausalLM"), ErrorCode::kUnsupported, "does not go with");
  expect_refused(json{{"vocab_size", 3}}, ErrorCode::kFormat, "nothing says what model");
  json by_type = llama();
  by_type.erase("architectures");
  EXPECT_EQ(read(by_type).architecture, "LlamaForCausalLM");
}

TEST(ReadConfig, OverridesReplaceAndAreChecked) {
  json config = with(tiny("qwen3", "Qwen3ForCausalLM"),
                     "layer_types",
                     {"full_attention", "full_attention", "full_attention"});
  const arch::DecoderConfig decoder =
      read_decoder_config(config.dump(), "config.json", R"({"num_hidden_layers": 2})");
  EXPECT_EQ(decoder.layers.size(), 2u);
  EXPECT_NE(refusal(config, R"({"num_layers": 2})").second.find("unknown key \"num_layers\""),
            std::string::npos);
  EXPECT_NE(refusal(config, R"({"hidden_size": 0})").second.find("override"), std::string::npos);
  EXPECT_NE(refusal(config, R"({"num_hidden_layers": 4})").second.find("one a layer"), std::string::npos);
}

TEST(ReadConfig, StoredDtypeHasTwoNames) {
  EXPECT_EQ(read(with(llama(), "torch_dtype", "bfloat16")).stored_dtype, DType::kBFloat16);
  EXPECT_EQ(read(with(with(llama(), "torch_dtype", "bfloat16"), "dtype", "float16")).stored_dtype,
            DType::kFloat16);
  expect_refused(with(llama(), "dtype", "float4"), ErrorCode::kFormat, "float4");
}

TEST(ReadConfig, EveryConfigOfTheSharedDataIsReadOrRefusedForItsFamily) {
  const char* shared = std::getenv("AUTOMODEL_SHARED");
  const fs::path root = shared ? shared : "../shared";
  if (!fs::exists(root / "data" / "configs")) GTEST_SKIP() << "shared data is absent";
  int num_read = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const fs::path& path = entry.path();
    const bool a_config = path.filename() == "config.json" || path.parent_path().filename() == "configs";
    if (!entry.is_regular_file() || !a_config || path.extension() != ".json") continue;
    const std::string text = read_file(path);
    const json config = json::parse(text);
    if (!config.contains("architectures")) continue;
    const std::string architecture = config["architectures"][0];
    const bool ours = architecture == "LlamaForCausalLM" || architecture == "MistralForCausalLM" ||
                      architecture == "Qwen2ForCausalLM" || architecture == "Qwen3ForCausalLM";
    try {
      const arch::DecoderConfig decoder = read_decoder_config(text, path.string());
      EXPECT_GT(weights::cost_of(decoder).parameters, 0);
      ++num_read;
    } catch (const Error& error) {
      EXPECT_FALSE(ours) << error.what();
      EXPECT_EQ(error.code(), ErrorCode::kUnsupported) << error.what();
    }
  }
  EXPECT_GE(num_read, 10);
}

class UserFamilies : public ::testing::Test {
 protected:
  UserFamilies() : folder_(fs::temp_directory_path() / ("families_test." + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
    ::setenv("AUTOMODEL_MODELS", folder_.c_str(), 1);
  }

  ~UserFamilies() override {
    ::unsetenv("AUTOMODEL_MODELS");
    fs::remove_all(folder_);
  }

  std::string put(const std::string& name, const std::string& yaml) {
    std::ofstream(folder_ / name) << yaml;
    return (folder_ / name).string();
  }

  void expect_bad(const std::string& yaml, const std::string& says) {
    const std::string path = put("bad.yaml", yaml);
    try {
      read_decoder_config(llama().dump(), "config.json", "", path);
      ADD_FAILURE() << "accepted: " << yaml;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kConfig) << error.what();
      EXPECT_NE(error.message().find(says), std::string::npos) << error.what();
      EXPECT_NE(error.message().find("bad.yaml"), std::string::npos) << error.what();
    }
    fs::remove(path);
  }

  fs::path folder_;
};

TEST_F(UserFamilies, AFolderAddsAndTakesOver) {
  put("mine.yaml", "like: qwen2\n");
  EXPECT_THROW(list_families(), Error);  // no architectures
  put("mine.yaml",
      "like: llama\narchitectures: [MineForCausalLM]\nmodel_types: [mine]\ninert: [my_note]\n"
      "fields:\n  q_bias: {key: my_bias}\n  activation: {value: relu}\n");
  const json config = with(with(tiny("mine", "MineForCausalLM"), "my_bias", true), "my_note", "x");
  const arch::DecoderConfig decoder = read(config);
  EXPECT_EQ(decoder.family, "mine");
  EXPECT_TRUE(decoder.layers[0].attention.q_bias);
  EXPECT_EQ(decoder.layers[0].mlp.activation, kernels::Activation::kRelu);
  put("better_llama.yaml", "like: llama\narchitectures: [LlamaForCausalLM]\nmodel_types: [llama]\n");
  EXPECT_EQ(read(llama()).family, "better_llama");
  put("better_llama.yaml", "like: llama\narchitectures: [LlamaForCausalLM]\ninert: [new_key]\n");
  EXPECT_EQ(read(with(llama(), "new_key", 1)).family, "better_llama");  // of any model_type
  put("other.yaml", "like: llama\narchitectures: [MineForCausalLM]\nmodel_types: [mine]\n");
  expect_refused(llama(), ErrorCode::kConfig, "is claimed by");
}

TEST_F(UserFamilies, AFamilyFileIsUsedAlone) {
  const std::string path = put("x.yaml",
                               "like: llama\narchitectures: [LlamaForCausalLM]\nmodel_types: [llama]\n"
                               "fields:\n  norm_eps: {value: 0.5}\n");
  EXPECT_EQ(read_decoder_config(llama().dump(), "config.json", "", path).norm.eps, 0.5);
  EXPECT_THROW(read_decoder_config(qwen2().dump(), "config.json", "", path), Error);
}

TEST_F(UserFamilies, MistakesAreNamedWithTheirLine) {
  const std::string head = "architectures: [LlamaForCausalLM]\nlike: llama\n";
  expect_bad("like: llama\n", "`architectures` is missing");
  expect_bad(head + "feilds: {}\n", "bad.yaml:3: unknown section \"feilds\"");
  expect_bad(head + "fields:\n  num_head: {key: x}\n",
             "bad.yaml:4: unknown field \"num_head\"; did you mean \"num_heads\"");
  expect_bad(head + "fields:\n  num_heads: {}\n", "either `key` or `value`");
  expect_bad(head + "fields:\n  num_heads: {kye: x}\n", "unknown entry \"kye\"");
  expect_bad(head + "readers: [ropes]\n", "did you mean \"rope\"");
  expect_bad(head + "only: {x: 1}\n", "expected a list");
  expect_bad(head + "inert: [a\n", "bad.yaml:4: malformed YAML");
  expect_bad(head + "inert: [\xff]\n", "bad.yaml:3");
  expect_bad(head + "only: &a {x: [*a]}\n", "bad.yaml:3");
  expect_bad(head + "fields:\n  num_heads: {key: x}\n  num_heads: {key: y}\n", "stands twice");
  expect_bad("architectures: [LlamaForCausalLM]\nlike: lama\n", "no such family");
  expect_bad("", "the file is empty; expected a map of sections");
  const std::string fields = head + "fields:\n  ";
  expect_bad(fields + "num_layers: {value: -3}\n", "bad.yaml:4: num_layers: value");
  expect_bad(fields + "num_layers: {value: 2.5}\n", "bad.yaml:4: num_layers: value");
  expect_bad(fields + "mlp_gated: {value: \"yes\"}\n", "bad.yaml:4: mlp_gated: value");
  expect_bad(fields + "norm_eps: {key: eps, default: abc}\n", "bad.yaml:4: norm_eps: default");
  expect_bad(fields + "norm_eps: {value: .nan}\n", "bad.yaml:4: norm_eps: value");
  expect_bad(fields + "activation: {value: nonsense}\n", "bad.yaml:4: activation: value");
  expect_bad(fields + "activation: {key: act, default: a, values: {b: silu}}\n",
             "default a is none of `values`");
  expect_bad(fields + "head_dim: {key: x, default: 8, if_null: {value: z}}\n", "bad.yaml:4: head_dim: value");
}

TEST_F(UserFamilies, ABaseMayHaveABaseButNotInACircle) {
  put("base.yaml", "architectures: [BaseForCausalLM]\nlike: qwen3\ninert: [of_base]\n");
  const std::string path =
      put("mine.yaml", "architectures: [LlamaForCausalLM]\nmodel_types: [llama]\nlike: base\n");
  const json config = with(llama(), "of_base", 1);
  EXPECT_EQ(read_decoder_config(config.dump(), "config.json", "", path).layers[0].attention.qk_norm,
            arch::QkNorm::kPerHead);
  put("base.yaml", "architectures: [BaseForCausalLM]\nlike: mine\n");
  EXPECT_THROW(read_decoder_config(config.dump(), "config.json", "", path), Error);
}

TEST(Families, AResolvedFamilyIsTheSameWhenUsedAsAFile) {
  const fs::path path = fs::temp_directory_path() / ("resolved." + std::to_string(::getpid()) + ".yaml");
  const auto without_title = [](const std::string& yaml) { return yaml.substr(yaml.find('\n')); };
  for (const FamilyEntry& entry : list_families()) {
    const std::string resolved = resolved_family(entry.family);
    std::ofstream(path) << resolved;
    EXPECT_EQ(without_title(to_yaml(load_family_file(path.string()))), without_title(resolved))
        << entry.family;
  }
  fs::remove(path);
  EXPECT_THROW(resolved_family("lama"), Error);
}

}  // namespace
}  // namespace automodel::families
