#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/families/family.h"
#include "core/weights/cost.h"

namespace automodel::families {
namespace {

using nlohmann::json;

/// Keys that the config.json of a released model holds, and the number of parameters on its card.
struct Released {
  const char* name;
  int64_t parameters;
  json config;
};

json shape(const std::string& type, const std::string& architecture, std::initializer_list<int64_t> sizes) {
  const std::vector<int64_t> n = sizes;  // vocabulary, hidden, MLP, layers, heads, key-value heads, positions
  return {{"model_type", type},
          {"architectures", {architecture}},
          {"vocab_size", n[0]},
          {"hidden_size", n[1]},
          {"intermediate_size", n[2]},
          {"num_hidden_layers", n[3]},
          {"num_attention_heads", n[4]},
          {"num_key_value_heads", n[5]},
          {"max_position_embeddings", n[6]},
          {"hidden_act", "silu"},
          {"initializer_range", 0.02},
          {"rms_norm_eps", 1e-5},
          {"use_cache", true},
          {"torch_dtype", "bfloat16"},
          {"transformers_version", "4.40.1"}};
}

json llama(std::initializer_list<int64_t> sizes, const json& more) {
  json config = shape("llama", "LlamaForCausalLM", sizes);
  config.update(more);
  return config;
}

json mistral(std::initializer_list<int64_t> sizes, const json& more) {
  json config = shape("mistral", "MistralForCausalLM", sizes);
  config.update(more);
  return config;
}

json qwen2(std::initializer_list<int64_t> sizes, const json& more) {
  json config = shape("qwen2", "Qwen2ForCausalLM", sizes);
  config.update(more);
  return config;
}

const json kLlama3Rope = {{"factor", 8.0},
                          {"low_freq_factor", 1.0},
                          {"high_freq_factor", 4.0},
                          {"original_max_position_embeddings", 8192},
                          {"rope_type", "llama3"}};

std::vector<Released> released() {
  return {
      {"SmolLM2-135M",
       134'515'008,
       llama({49152, 576, 1536, 30, 9, 3, 8192},
             {{"_name_or_path", "x"},
              {"is_llama_config", true},
              {"rope_interleaved", false},
              {"rope_theta", 100000},
              {"rope_scaling", nullptr},
              {"tie_word_embeddings", true},
              {"attention_bias", false},
              {"pad_token_id", 2},
              {"mlp_bias", false},
              {"pretraining_tp", 1},
              {"attention_dropout", 0.0},
              {"bos_token_id", 1},
              {"eos_token_id", 2},
              {"transformers.js_config", {{"kv_cache_dtype", {{"fp16", "float16"}}}}}})},
      {"TinyLlama-1.1B",
       1'100'048'384,
       llama({32000, 2048, 5632, 22, 32, 4, 2048},
             {{"pretraining_tp", 1},
              {"rope_scaling", nullptr},
              {"rope_theta", 10000.0},
              {"tie_word_embeddings", false},
              {"bos_token_id", 1},
              {"eos_token_id", 2},
              {"attention_bias", false}})},
      {"Llama-2-7b",
       6'738'415'616,
       llama({32000, 4096, 11008, 32, 32, 32, 4096},
             {{"pad_token_id", 0},
              {"max_length", 4096},
              {"do_sample", true},
              {"temperature", 0.6},
              {"top_p", 0.9},
              {"pretraining_tp", 1},
              {"rope_scaling", nullptr},
              {"tie_word_embeddings", false}})},
      {"Llama-3.1-8B-Instruct",
       8'030'261'248,
       llama({128256, 4096, 14336, 32, 32, 8, 131072},
             {{"rope_scaling", kLlama3Rope},
              {"rope_theta", 500000.0},
              {"eos_token_id", {128001, 128008, 128009}},
              {"bos_token_id", 128000},
              {"mlp_bias", false},
              {"attention_bias", false},
              {"pretraining_tp", 1},
              {"attention_dropout", 0.0},
              {"tie_word_embeddings", false}})},
      {"Llama-3.2-1B, by unsloth",
       1'235'814'400,
       llama({128256, 2048, 8192, 16, 32, 8, 131072},
             {{"head_dim", 64},
              {"rope_scaling", kLlama3Rope},
              {"rope_theta", 500000.0},
              {"tie_word_embeddings", true},
              {"unsloth_fixed", true},
              {"unsloth_version", "2024.9"},
              {"pad_token_id", 128004}})},
      {"deepseek-coder-6.7b",
       6'740'512'768,
       llama({32256, 4096, 11008, 32, 32, 32, 16384},
             {{"rope_scaling", {{"factor", 4.0}, {"type", "linear"}}},
              {"rope_theta", 100000},
              {"pretraining_tp", 1},
              {"tie_word_embeddings", false}})},
      {"Falcon3-1B",
       1'669'408'768,
       llama({131072, 2048, 8192, 18, 8, 4, 8192},
             {{"activation", "swiglu"},
              {"head_dim", 256},
              {"rope_theta", 1000042},
              {"tie_word_embeddings", false}})},
      {"Mistral-7B-v0.1",
       7'241'732'096,
       mistral({32000, 4096, 14336, 32, 32, 8, 32768},
               {{"sliding_window", 4096}, {"rope_theta", 10000.0}, {"tie_word_embeddings", false}})},
      {"Mistral-7B-v0.3",
       7'248'023'552,
       mistral({32768, 4096, 14336, 32, 32, 8, 32768},
               {{"sliding_window", nullptr},
                {"rope_theta", 1000000.0},
                {"attention_dropout", 0.0},
                {"tie_word_embeddings", false}})},
      {"Mistral-Nemo-12B",
       12'247'782'400,
       mistral({131072, 5120, 14336, 40, 32, 8, 131072},
               {{"head_dim", 128},
                {"sliding_window", nullptr},
                {"rope_theta", 1000000.0},
                {"tie_word_embeddings", false}})},
      {"Qwen2.5-0.5B",
       494'032'768,
       qwen2({151936, 896, 4864, 24, 14, 2, 32768},
             {{"use_sliding_window", false},
              {"sliding_window", 32768},
              {"max_window_layers", 24},
              {"rope_theta", 1e6},
              {"tie_word_embeddings", true},
              {"use_mrope", false}})},
      {"Qwen2.5-7B-Instruct-1M",
       7'615'616'512,
       qwen2({152064, 3584, 18944, 28, 28, 4, 1010000},
             {{"dual_chunk_attention_config", {{"chunk_size", 262144}}},
              {"use_sliding_window", false},
              {"sliding_window", 32768},
              {"max_window_layers", 28},
              {"rope_theta", 1e7},
              {"tie_word_embeddings", false}})},
  };
}

TEST(ReleasedConfigs, AreReadWithTheParametersOfTheirCards) {
  for (const Released& model : released()) {
    try {
      EXPECT_EQ(weights::cost_of(read_decoder_config(model.config.dump(), "config.json")).parameters,
                model.parameters)
          << model.name;
    } catch (const Error& error) {
      ADD_FAILURE() << model.name << ": " << error.what();
    }
  }
}

TEST(ReleasedConfigs, MutatedOnesAreReadOrRefusedButNeverCrash) {
  const std::vector<Released> models = released();
  std::mt19937_64 random(20261121);
  const std::string alphabet = "0123456789-+.eE[]{}\":,ntrue";
  int num_refused = 0;
  for (int round = 0; round < 300; ++round) {
    std::string text = models[random() % models.size()].config.dump();
    for (int edits = 0; edits < 2; ++edits)
      text[random() % text.size()] = alphabet[random() % alphabet.size()];
    try {
      EXPECT_GT(weights::cost_of(read_decoder_config(text, "config.json")).parameters, 0);
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::kFormat || error.code() == ErrorCode::kUnsupported)
          << error.what();
      ++num_refused;
    }
  }
  EXPECT_GT(num_refused, 100);
}

}  // namespace
}  // namespace automodel::families
