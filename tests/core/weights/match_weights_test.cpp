#include "core/weights/match_weights.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/weights/parameters.h"
#include "tests/core/families/names.h"

namespace automodel::weights {
namespace {

namespace fs = std::filesystem;

arch::DecoderConfig tiny(bool tied) {
  arch::DecoderConfig config;
  config.names = families::names_of("llama");
  config.architecture = "LlamaForCausalLM";
  config.vocab_size = 5;
  config.hidden_size = 4;
  config.head.tied = tied;
  config.names.ignored = {"model.layers.*.self_attn.rotary_emb.inv_freq"};
  arch::LayerConfig layer;
  layer.attention.num_heads = 2;
  layer.attention.num_kv_heads = 1;
  layer.attention.head_dim = 2;
  layer.attention.q_bias = true;
  layer.attention.qk_norm = arch::QkNorm::kPerHead;
  layer.mlp.intermediate_size = 3;
  config.layers = {layer, layer};
  return config;
}

/// Writes the model's tensors, changed by a test, and matches them.
class MatchWeights : public ::testing::Test {
 protected:
  MatchWeights() : folder_(fs::temp_directory_path() / ("match_weights_test." + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }

  ~MatchWeights() override { fs::remove_all(folder_); }

  std::vector<io::TensorToWrite> tensors_of(const arch::DecoderConfig& config) const {
    std::vector<io::TensorToWrite> tensors;
    for (const SegmentWeights& segment : model_weights(config)) {
      for (const ParameterSpec& spec : segment.weights)
        tensors.push_back({spec.name, DType::kFloat32, spec.shape, values_});
    }
    return tensors;
  }

  /// The refusal's message; "" when all match.
  std::string refusal(const arch::DecoderConfig& config, const std::vector<io::TensorToWrite>& tensors) {
    io::write_safetensors(folder_ / "model.safetensors", tensors);
    try {
      const io::WeightFiles files = io::open_weights(folder_);
      num_matched_ = match_weights(config, files).size();
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kFormat);
      EXPECT_NE(error.message().find(folder_.string()), std::string::npos) << error.what();
      return error.message();
    }
  }

  fs::path folder_;
  const float values_[64] = {1, 2, 3};
  const float others_[64] = {1, 2, 4};
  size_t num_matched_ = 0;
};

TEST_F(MatchWeights, OrderIsThatOfTransformersModules) {
  std::vector<std::string> names;
  for (const SegmentWeights& segment : model_weights(tiny(false))) {
    if (segment.segment == "layers.1") break;
    for (const ParameterSpec& spec : segment.weights) names.push_back(spec.name);
  }
  const std::string layer = "model.layers.0.";
  EXPECT_EQ(names,
            (std::vector<std::string>{"model.embed_tokens.weight",
                                      layer + "self_attn.q_proj.weight",
                                      layer + "self_attn.q_proj.bias",
                                      layer + "self_attn.k_proj.weight",
                                      layer + "self_attn.v_proj.weight",
                                      layer + "self_attn.o_proj.weight",
                                      layer + "self_attn.q_norm.weight",
                                      layer + "self_attn.k_norm.weight",
                                      layer + "mlp.gate_proj.weight",
                                      layer + "mlp.up_proj.weight",
                                      layer + "mlp.down_proj.weight",
                                      layer + "input_layernorm.weight",
                                      layer + "post_attention_layernorm.weight"}));
  EXPECT_EQ(model_weights(tiny(false)).back().weights.back().name, "lm_head.weight");
  EXPECT_EQ(model_weights(tiny(true)).back().weights.back().name, "model.norm.weight");
}

TEST_F(MatchWeights, AWholeFolderMatches) {
  EXPECT_EQ(refusal(tiny(false), tensors_of(tiny(false))), "");
  EXPECT_EQ(num_matched_, tensors_of(tiny(false)).size());
  EXPECT_EQ(refusal(tiny(true), tensors_of(tiny(true))), "");
}

TEST_F(MatchWeights, OlderFilesEndNamesOtherwise) {
  arch::DecoderConfig config = tiny(true);
  config.names.older = {{"_layernorm.weight", "_layernorm.gamma"}};
  std::vector<io::TensorToWrite> tensors = tensors_of(config);
  for (io::TensorToWrite& tensor : tensors) {
    if (const size_t at = tensor.name.find("_layernorm.weight"); at != std::string::npos)
      tensor.name = tensor.name.substr(0, at) + "_layernorm.gamma";
  }
  EXPECT_EQ(refusal(config, tensors), "");
  config.names.older.clear();
  EXPECT_NE(refusal(config, tensors).find("input_layernorm.weight\" is missing"), std::string::npos);
}

TEST_F(MatchWeights, HeadsThatTheTaskLeavesOutAreNotRead) {
  arch::DecoderConfig config = tiny(false);
  const std::vector<io::TensorToWrite> tensors = tensors_of(config);
  config.task = arch::Task::kEmbedding;
  EXPECT_NE(refusal(config, tensors).find("lm_head.weight"), std::string::npos);
  config.names.ignored.push_back("lm_head.**");
  EXPECT_EQ(refusal(config, tensors), "");
}

TEST_F(MatchWeights, MissingExtraAndWrongTensorsAreNamed) {
  const arch::DecoderConfig config = tiny(false);
  auto tensors = tensors_of(config);
  const io::TensorToWrite gone = tensors[3];
  tensors.erase(tensors.begin() + 3);
  EXPECT_NE(refusal(config, tensors).find("\"" + gone.name + "\" is missing"), std::string::npos);

  tensors = tensors_of(config);
  tensors.push_back({"model.layers.0.self_attn.k_proj.bias", DType::kFloat32, {2}, values_});
  EXPECT_NE(refusal(config, tensors).find("\"model.layers.0.self_attn.k_proj.bias\": unexpected"),
            std::string::npos);

  tensors = tensors_of(config);
  tensors[0].shape = {4, 5};
  EXPECT_NE(refusal(config, tensors).find("expected shape [5, 4] by config.json, found [4, 5]"),
            std::string::npos);

  tensors = tensors_of(config);
  tensors[1].dtype = DType::kInt8;
  EXPECT_NE(refusal(config, tensors).find("found I8"), std::string::npos);
}

TEST_F(MatchWeights, ListedLeftoversAreIgnoredAndOnlyThose) {
  const arch::DecoderConfig config = tiny(false);
  auto tensors = tensors_of(config);
  tensors.push_back({"model.layers.1.self_attn.rotary_emb.inv_freq", DType::kFloat32, {1}, values_});
  EXPECT_EQ(refusal(config, tensors), "");
  tensors.push_back({"model.layers.1.x.self_attn.rotary_emb.inv_freq", DType::kFloat32, {1}, values_});
  EXPECT_NE(refusal(config, tensors), "");
}

TEST_F(MatchWeights, ATiedHeadMayBeThereTwiceButNotDiffer) {
  const arch::DecoderConfig config = tiny(true);
  auto tensors = tensors_of(config);
  tensors.push_back({"lm_head.weight", DType::kFloat32, {5, 4}, values_});
  EXPECT_EQ(refusal(config, tensors), "");
  tensors.back().data = others_;
  EXPECT_NE(refusal(config, tensors).find("differs from model.embed_tokens.weight"), std::string::npos);
  tensors.back().data = values_;
  tensors.erase(tensors.begin());  // the head stands in for the embedding
  EXPECT_EQ(refusal(config, tensors), "");
  EXPECT_EQ(num_matched_, tensors_of(config).size());
}

}  // namespace
}  // namespace automodel::weights
