// Readers of what makes a layer another than its neighbours, and of multipliers that depth and width give.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/families/readers.h"

namespace automodel::families {
namespace {

using nlohmann::json;

/// Keys of a branch that are known only as null or false.
constexpr std::array kOff = {"replace_with_linear",
                             "sparsify",
                             "window_length",
                             "num_sink_tokens",
                             "use_prefill_window_in_sink_attention",
                             "unshifted_sink"};

bool is_off(const json& value) {
  return value.is_null() || value == false;
}

void check_read(bool is_read, const std::string& where, const std::string& key, const json& value) {
  check(is_read, ErrorCode::kUnsupported, where, ".", key, ": ", value.dump(), " is not implemented");
}

/// A branch of a block: `name` inside it, checked for keys that are not read. null where it is a no-op.
json branch_of(const json& block, const char* name, const char* size_key, const std::string& place) {
  const std::string where = place + "." + name;
  check(block.contains(name) && block[name].is_object(), ErrorCode::kFormat, where, ": expected an object");
  const json& branch = block[name];
  for (const auto& [key, value] : branch.items()) {
    const bool known =
        key == size_key || key == "no_op" || (std::ranges::find(kOff, key) != kOff.end() && is_off(value));
    check_read(known, where, key, value);
  }
  const json no_op = branch.value("no_op", json(false));
  if (as_bool(no_op, where + ".no_op")) return {};
  check(branch.contains(size_key), ErrorCode::kFormat, where, ".", size_key, " is missing");
  return branch;
}

/// Of a gated MLP with ffn_mult times the parameters of one of hidden_size squared, in steps of 256.
int64_t mlp_width(double ffn_mult, int64_t hidden_size) {
  constexpr int64_t kStep = 256;
  const auto width = static_cast<int64_t>(2 * ffn_mult * static_cast<double>(hidden_size) / 3);
  return (width + kStep - 1) / kStep * kStep;
}

void read_block(const json& block, const std::string& where, int64_t hidden_size, arch::LayerConfig& layer) {
  constexpr double kMaxMult = 1024;
  check(block.is_object(), ErrorCode::kFormat, where, ": expected an object");
  for (const auto& [key, value] : block.items())
    check_read(key == "attention" || key == "ffn" || is_off(value), where, key, value);
  const json attention = branch_of(block, "attention", "n_heads_in_group", where);
  const json mlp = branch_of(block, "ffn", "ffn_mult", where);
  check(!attention.is_null() || !mlp.is_null(),
        ErrorCode::kUnsupported,
        where,
        ": a block whose branches are both no-ops is not implemented");
  if (attention.is_null()) {
    layer.mixers.clear();
  } else {
    const int64_t heads = layer.attention.num_heads;
    const std::string key = where + ".attention.n_heads_in_group";
    const int64_t group = as_int(attention["n_heads_in_group"], key, 1, heads);
    check(heads % group == 0, ErrorCode::kFormat, key, ": ", group, " does not divide ", heads, " heads");
    layer.attention.num_kv_heads = heads / group;
  }
  if (mlp.is_null()) {
    layer.feed_forward = arch::FeedForwardKind::kNone;
    return;
  }
  const std::string key = where + ".ffn.ffn_mult";
  const double ffn_mult = as_number(mlp["ffn_mult"], key);
  check(ffn_mult > 0 && ffn_mult < kMaxMult, ErrorCode::kFormat, key, ": expected a number above 0");
  layer.mlp.intermediate_size = mlp_width(ffn_mult, hidden_size);
}

}  // namespace

void read_block_configs(ConfigJson& config, Draft& draft) {
  std::vector<arch::LayerConfig>& layers = draft.config.layers;
  const json* blocks = config.find_value("block_configs");
  const std::string where = config.where("block_configs");
  check(blocks && blocks->is_array() && config.one_per_layer("block_configs", blocks->size(), layers.size()),
        ErrorCode::kFormat,
        where,
        ": expected a list of ",
        layers.size(),
        " objects, one a layer");
  for (size_t i = 0; i < layers.size(); ++i)
    read_block((*blocks)[i], where + "[" + std::to_string(i) + "]", draft.config.hidden_size, layers[i]);
}

void read_key_heads_by_layer(ConfigJson& config, Draft& draft) {
  constexpr const char* kKey = "num_key_value_heads_per_layer";
  std::vector<arch::LayerConfig>& layers = draft.config.layers;
  const json* heads = config.find_value(kKey);
  const std::string where = config.where(kKey);
  check(heads && heads->is_array() && config.one_per_layer(kKey, heads->size(), layers.size()),
        ErrorCode::kFormat,
        where,
        ": expected a list of ",
        layers.size(),
        " numbers, one a layer");
  for (size_t i = 0; i < layers.size(); ++i) {
    arch::AttentionConfig& attention = layers[i].attention;
    const std::string place = detail::join(where, "[", i, "]");
    attention.num_kv_heads = as_int((*heads)[i], place, 1, attention.num_heads);
    check(attention.num_heads % attention.num_kv_heads == 0,
          ErrorCode::kFormat,
          place,
          ": ",
          attention.num_kv_heads,
          " does not divide ",
          attention.num_heads,
          " heads");
  }
}

void read_residual_by_depth(ConfigJson& config, Draft& draft) {
  const json* scale = config.find("scale_depth");
  const double numerator = scale ? as_number(*scale, config.where("scale_depth")) : 1.0;
  const double depth = std::sqrt(static_cast<double>(draft.config.layers.size()));
  for (arch::LayerConfig& layer : draft.config.layers) layer.block.multiplier = numerator / depth;
}

void read_logits_by_width(ConfigJson& config, Draft& draft) {
  const json* base = config.find("dim_model_base");
  const double width = base ? as_number(*base, config.where("dim_model_base")) : 1.0;
  draft.config.head.logit_scale = width / static_cast<double>(draft.config.hidden_size);
}

}  // namespace automodel::families
