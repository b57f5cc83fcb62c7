#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/families/readers.h"

namespace automodel::families {
namespace {

using nlohmann::json;
using Read = void (*)(ConfigJson&, Draft&);

Draft draft_of(int64_t num_layers) {
  Draft draft;
  draft.layer.moe.router.num_experts = 8;
  draft.layer.moe.router.top_k = 2;
  draft.layer.moe.intermediate_size = 16;
  draft.layer.moe.aux_loss_coef = 0.25;
  draft.config.layers.assign(static_cast<size_t>(num_layers), draft.layer);
  return draft;
}

/// "1" for each layer with experts, "0" for the others.
std::string layers_with_experts(Read read, const json& object, int64_t num_layers = 6) {
  ConfigJson config(object, "config.json");
  Draft draft = draft_of(num_layers);
  read(config, draft);
  EXPECT_TRUE(config.unknown().empty());
  std::string layers;
  for (const arch::LayerConfig& layer : draft.config.layers)
    layers += layer.feed_forward == arch::FeedForwardKind::kMoe ? '1' : '0';
  return layers;
}

TEST(ReadMoe, EveryLayer) {
  EXPECT_EQ(layers_with_experts(read_moe_everywhere, json::object()), "111111");
}

TEST(ReadMoe, ByStepButForListedLayers) {
  EXPECT_EQ(layers_with_experts(read_moe_by_step, json::object()), "111111");
  EXPECT_EQ(layers_with_experts(read_moe_by_step, {{"decoder_sparse_step", 2}}), "010101");
  EXPECT_EQ(layers_with_experts(read_moe_by_step, {{"mlp_only_layers", {0, 4}}}), "011101");
}

TEST(ReadMoe, AfterDenseLayers) {
  EXPECT_EQ(layers_with_experts(read_moe_after_dense, json::object()), "011111");
  EXPECT_EQ(layers_with_experts(read_moe_after_dense, {{"first_k_dense_replace", 3}}), "000111");
}

TEST(ReadMoe, AsLayersOfOneBranchAreListed) {
  const auto read = [](ConfigJson& config, Draft& draft) {
    read_one_branch_layers(config, draft);
    read_moe_as_listed(config, draft);
  };
  EXPECT_EQ(layers_with_experts(read, {{"hybrid_override_pattern", "ME*-E"}}), "01001");
  ConfigJson dense({{"hybrid_override_pattern", "M*-"}}, "config.json");
  Draft draft = draft_of(1);
  draft.layer.moe.router.top_k = 9;
  EXPECT_NO_THROW(read(dense, draft)) << "no layer has the experts that could not be";
}

TEST(ReadMoe, BetweenTwoLayers) {
  EXPECT_EQ(layers_with_experts(read_moe_between, json::object()), "011111");
  EXPECT_EQ(layers_with_experts(
                read_moe_between,
                {{"moe_layer_start_index", 0}, {"moe_layer_end_index", 4}, {"moe_layer_interval", 2}}),
            "010100");
}

TEST(ReadMoe, SharedExpertsAreAsWideAsTheOthersTogether) {
  ConfigJson config(json::object(), "config.json");
  Draft draft = draft_of(1);
  draft.num_shared_experts = 3;
  read_moe_everywhere(config, draft);
  EXPECT_EQ(draft.config.layers[0].moe.shared_intermediate_size, 48);
}

TEST(ReadMoe, RefusesGroupsWithTooFewExperts) {
  ConfigJson config(json::object(), "config.json");
  Draft draft = draft_of(1);
  draft.router_grouped = true;
  draft.config.layers[0].moe.router.n_group = 8;
  EXPECT_THROW(read_moe_everywhere(config, draft), Error);
  draft.config.layers[0].moe.router.n_group = 3;
  EXPECT_THROW(read_moe_everywhere(config, draft), Error);
}

TEST(ReadRouterAuxLoss, CountsOnlyWhereRouterLogitsAreAskedFor) {
  for (const bool asked : {false, true}) {
    ConfigJson config({{"output_router_logits", asked}}, "config.json");
    Draft draft = draft_of(2);
    read_router_aux_loss(config, draft);
    EXPECT_EQ(draft.config.layers[1].moe.aux_loss_coef, asked ? 0.25 : 0.0);
  }
}

}  // namespace
}  // namespace automodel::families
