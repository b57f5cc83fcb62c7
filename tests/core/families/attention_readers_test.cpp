#include <cmath>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/families/readers.h"

namespace automodel::families {
namespace {

using nlohmann::json;

Draft read(void (*reader)(ConfigJson&, Draft&), const json& object, Draft draft, int64_t num_layers) {
  draft.config.layers.assign(static_cast<size_t>(num_layers), draft.layer);
  ConfigJson config(object, "config.json");
  reader(config, draft);
  EXPECT_TRUE(config.unknown().empty());
  return draft;
}

Draft chunked(const json& object) {
  Draft draft;
  draft.layer.attention.chunk = 16;
  draft.layer.attention.qk_norm = arch::QkNorm::kPerHead;
  draft.layer.attention.query_scale.beta = 0.1;
  return read(read_chunked_layers, object, draft, 4);
}

/// A letter a layer: r rotates, c sees chunks, n normalises, s scales queries.
std::string traits_of(const Draft& draft) {
  std::string traits;
  for (const arch::LayerConfig& layer : draft.config.layers) {
    if (layer.attention.rope >= 0) traits += 'r';
    if (layer.attention.chunk > 0) traits += 'c';
    if (layer.attention.qk_norm != arch::QkNorm::kNone) traits += 'n';
    if (layer.attention.query_scale.beta > 0) traits += 's';
    traits += ' ';
  }
  return traits;
}

TEST(ReadChunkedLayers, LayersThatRotateHaveChunksAndNorms) {
  EXPECT_EQ(traits_of(chunked(json::object())), "rcn rcn rcn s ");
  EXPECT_EQ(traits_of(chunked({{"no_rope_layer_interval", 2}})), "rcn s rcn s ");
  EXPECT_EQ(traits_of(chunked({{"no_rope_layers", {0, 1, 1, 0}}})), "s rcn rcn s ");
  EXPECT_EQ(traits_of(chunked({{"no_rope_layers", json::array()}})), "rcn rcn rcn s ");
  EXPECT_EQ(traits_of(chunked({{"attn_temperature_tuning", false}})), "rcn rcn rcn  ");
}

TEST(ReadChunkedLayers, LayerTypesSayWhichHaveChunks) {
  const json types = {"full_attention", "chunked_attention", "full_attention", "chunked_attention"};
  EXPECT_EQ(traits_of(chunked({{"layer_types", types}})), "rn rcn rn cs ");
  EXPECT_THROW(chunked({{"layer_types", {"sliding_attention", "", "", ""}}}), Error);
  EXPECT_THROW(chunked({{"no_rope_layers", {1, 1}}}), Error);
}

Draft latent(const json& object, int64_t num_kv_heads = 4) {
  Draft draft;
  draft.layer.attention.num_heads = 4;
  draft.layer.attention.num_kv_heads = num_kv_heads;
  draft.layer.latent.qk_nope_head_dim = 12;
  draft.layer.latent.qk_rope_head_dim = 4;
  return read(read_latent_attention, object, draft, 1);
}

TEST(ReadLatentAttention, ScaleGrowsWithYarnsFactorWhereMscaleAllDimAsksForIt) {
  EXPECT_EQ(latent(json::object()).config.layers[0].latent.num_heads, 4);
  EXPECT_DOUBLE_EQ(latent(json::object()).config.layers[0].latent.scale, 0.25);
  json rope = {{"type", "yarn"}, {"factor", 40}, {"mscale_all_dim", 0.5}};
  const double growth = 0.1 * 0.5 * std::log(40.0) + 1;
  EXPECT_DOUBLE_EQ(latent({{"rope_scaling", rope}}).config.layers[0].latent.scale, 0.25 * growth * growth);
  rope["factor"] = 1;
  EXPECT_DOUBLE_EQ(latent({{"rope_scaling", rope}}).config.layers[0].latent.scale, 0.25);
  rope.erase("mscale_all_dim");
  EXPECT_DOUBLE_EQ(latent({{"rope_parameters", rope}}).config.layers[0].latent.scale, 0.25);
}

TEST(ReadLatentAttention, RefusesFewerKeysThanQueries) {
  EXPECT_THROW(latent(json::object(), 2), Error);
}

TEST(ReadMoeListed, NamedLayersOrEachStep) {
  Draft draft;
  draft.layer.moe.router.num_experts = 8;
  draft.layer.moe.router.top_k = 1;
  draft.layer.moe.intermediate_size = 16;
  const auto layers = [&](const json& object) {
    std::string which;
    for (const arch::LayerConfig& layer : read(read_moe_listed, object, draft, 4).config.layers)
      which += layer.feed_forward == arch::FeedForwardKind::kMoe ? '1' : '0';
    return which;
  };
  EXPECT_EQ(layers(json::object()), "1111");
  EXPECT_EQ(layers({{"interleave_moe_layer_step", 2}}), "0101");
  EXPECT_EQ(layers({{"moe_layers", {0, 3}}, {"interleave_moe_layer_step", 2}}), "1001");
}

}  // namespace
}  // namespace automodel::families
