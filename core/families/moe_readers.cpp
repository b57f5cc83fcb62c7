#include <algorithm>
#include <functional>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/families/readers.h"

namespace automodel::families {
namespace {

using nlohmann::json;

int64_t int_or(ConfigJson& config, const char* key, int64_t fallback, int64_t min) {
  const json* value = config.find_value(key);
  return value ? as_int(*value, config.where(key), min) : fallback;
}

/// Gives the layers that `has_experts` names their experts, shared ones included.
void give_experts(ConfigJson& config, Draft& draft, const std::function<bool(int64_t)>& has_experts) {
  for (arch::LayerConfig& layer : draft.config.layers) {
    if (!draft.router_grouped) layer.moe.router.n_group = layer.moe.router.topk_group = 1;
  }
  const kernels::RouterConfig& router = draft.config.layers.front().moe.router;
  check(router.num_experts > 0 && draft.layer.moe.intermediate_size > 0,
        ErrorCode::kConfig,
        config.origin(),
        ": the family file has layers with experts; its `fields` lack num_experts or moe_intermediate_size");
  check(router.top_k > 0 && router.num_experts % router.n_group == 0 && router.topk_group <= router.n_group &&
            router.top_k <= router.num_experts / router.n_group * router.topk_group,
        ErrorCode::kFormat,
        config.origin(),
        ": a token cannot pass ",
        router.top_k,
        " of ",
        router.num_experts,
        " experts from ",
        router.topk_group,
        " of ",
        router.n_group,
        " groups (num_experts_per_tok, n_group and topk_group, or what this family calls them)");
  for (size_t i = 0; i < draft.config.layers.size(); ++i) {
    if (!has_experts(static_cast<int64_t>(i))) continue;
    arch::LayerConfig& layer = draft.config.layers[i];
    layer.feed_forward = arch::FeedForwardKind::kMoe;
    if (draft.num_shared_experts > 0)
      layer.moe.shared_intermediate_size = draft.num_shared_experts * layer.moe.intermediate_size;
  }
}

}  // namespace

void read_moe_as_listed(ConfigJson& config, Draft& draft) {
  const std::vector<arch::LayerConfig>& layers = draft.config.layers;
  const auto has_experts = [&](int64_t i) {
    return layers[static_cast<size_t>(i)].feed_forward == arch::FeedForwardKind::kMoe;
  };
  bool any = false;
  for (size_t i = 0; i < layers.size(); ++i) any = any || has_experts(static_cast<int64_t>(i));
  if (any) give_experts(config, draft, has_experts);
}

void read_moe_everywhere(ConfigJson& config, Draft& draft) {
  give_experts(config, draft, [](int64_t) { return true; });
}

void read_moe_by_step(ConfigJson& config, Draft& draft) {
  const int64_t step = int_or(config, "decoder_sparse_step", 1, 1);
  std::vector<double> dense;
  if (const json* listed = config.find_value("mlp_only_layers"))
    dense = as_numbers(*listed, config.where("mlp_only_layers"));
  give_experts(config, draft, [&](int64_t i) {
    return (i + 1) % step == 0 && std::ranges::count(dense, static_cast<double>(i)) == 0;
  });
}

void read_moe_after_dense(ConfigJson& config, Draft& draft) {
  const int64_t first =
      draft.dense_layers ? *draft.dense_layers : int_or(config, "first_k_dense_replace", 1, 0);
  give_experts(config, draft, [=](int64_t i) { return i >= first; });
}

void read_moe_by_type(ConfigJson& config, Draft& draft) {
  constexpr const char* kKey = "mlp_layer_types";
  const size_t num_layers = draft.config.layers.size();
  const std::string place = config.where(kKey);
  std::vector<std::string> types;
  if (const json* listed = config.find_value(kKey)) {
    types = words_of(*listed, place);
    check(config.one_per_layer(kKey, types.size(), num_layers),
          ErrorCode::kFormat,
          place,
          ": expected a list of ",
          num_layers,
          " words, one a layer");
  }
  for (const std::string& type : types)
    check(type == "sparse" || type == "dense",
          ErrorCode::kFormat,
          place,
          ": \"",
          type,
          "\" is neither dense nor sparse");
  give_experts(config, draft, [&](int64_t i) {
    return types.empty() ? i > 0 : types[static_cast<size_t>(i)] == "sparse";
  });
}

void read_moe_listed(ConfigJson& config, Draft& draft) {
  const int64_t step = int_or(config, "interleave_moe_layer_step", 1, 1);
  const json* listed = config.find_value("moe_layers");
  const std::vector<double> layers =
      listed ? as_numbers(*listed, config.where("moe_layers")) : std::vector<double>();
  give_experts(config, draft, [&](int64_t i) {
    return listed ? std::ranges::count(layers, static_cast<double>(i)) > 0 : (i + 1) % step == 0;
  });
}

void read_moe_between(ConfigJson& config, Draft& draft) {
  const int64_t first = int_or(config, "moe_layer_start_index", 1, 0);
  const int64_t last = int_or(config, "moe_layer_end_index", -1, -1);
  const int64_t interval = int_or(config, "moe_layer_interval", 1, 1);
  give_experts(config, draft, [=](int64_t i) {
    return (i + 1) % interval == 0 && i >= first && (last < 0 || i <= last);
  });
}

void read_router_aux_loss(ConfigJson& config, Draft& draft) {
  const json* asked = config.find_value("output_router_logits");
  if (asked && as_bool(*asked, config.where("output_router_logits"))) return;
  for (arch::LayerConfig& layer : draft.config.layers) layer.moe.aux_loss_coef = 0.0;
}

}  // namespace automodel::families
