// Readers of what mixes tokens in each layer.
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/families/readers.h"

namespace automodel::families {
namespace {

using nlohmann::json;

/// The first of these keys that config.json has, with what it is called.
std::pair<const json*, std::string> first_of(ConfigJson& config, const std::vector<std::string>& keys) {
  std::pair<const json*, std::string> found = {nullptr, config.where(keys[0])};
  for (const std::string& key : keys) {
    const json* value = config.find_value(key);
    if (value && !found.first) found = {value, config.where(key)};
  }
  return found;
}

/// M: Mamba-2, *: attention, -: an MLP, E: experts.
std::vector<std::string> words_of_pattern(const std::string& pattern, const std::string& where) {
  std::vector<std::string> words;
  for (const char letter : pattern) {
    switch (letter) {
      case 'M':
        words.emplace_back("linear_attention");
        break;
      case '*':
        words.emplace_back("full_attention");
        break;
      case '-':
        words.emplace_back("mlp");
        break;
      case 'E':
        words.emplace_back("moe");
        break;
      default:
        fail(ErrorCode::kUnsupported, where, ": \"", letter, "\" is not implemented; known: M * - E");
    }
  }
  return words;
}

/// A list of `keys`, the first that is there, says which layers have the linear mixer.
void read_mixers(ConfigJson& config, Draft& draft, const std::vector<std::string>& keys) {
  std::vector<arch::LayerConfig>& layers = draft.config.layers;
  const auto [list, where] = first_of(config, keys);
  std::vector<std::string> words;
  if (list) words = words_of(*list, where);
  const std::string& key = config.find_value(keys.front()) ? keys.front() : keys.back();
  check(!list || config.one_per_layer(key, words.size(), layers.size()),
        ErrorCode::kFormat,
        where,
        ": expected a list of ",
        layers.size(),
        " words, one a layer");
  const int64_t interval = draft.full_attention_interval;
  for (size_t i = 0; i < layers.size(); ++i) {
    const bool full = interval > 0 && (static_cast<int64_t>(i) + 1) % interval == 0;
    const std::string word = list ? words[i] : full ? "full_attention" : "linear_attention";
    if (word == "linear_attention" || word == "mamba") {
      layers[i].mixers = {draft.linear_mixer};
    } else {
      check(word == "full_attention" || word == "attention",
            ErrorCode::kUnsupported,
            where,
            ": \"",
            word,
            "\" is not implemented; known: full_attention, linear_attention");
    }
  }
}

}  // namespace

void read_mixer_of_layers(ConfigJson& config, Draft& draft) {
  read_mixers(config, draft, {"layer_types"});
}

void read_mixer_of_block_types(ConfigJson& config, Draft& draft) {
  read_mixers(config, draft, {"layers_block_type", "layer_types"});
}

void read_one_branch_layers(ConfigJson& config, Draft& draft) {
  const auto [list, where_listed] = first_of(config, {"layers_block_type", "layer_types"});
  const json* pattern = config.find_value("hybrid_override_pattern");
  const std::string where = pattern && !list ? config.where("hybrid_override_pattern") : where_listed;
  std::vector<std::string> words;
  if (list) {
    words = words_of(*list, where);
  } else if (pattern) {
    words = words_of_pattern(as_string(*pattern, where), where);
  } else {
    words = {"linear_attention", "moe", "full_attention", "mlp"};
  }
  if (config.overridden("num_hidden_layers") && static_cast<size_t>(draft.num_layers) < words.size())
    words.resize(static_cast<size_t>(draft.num_layers));
  draft.config.layers.assign(words.size(), draft.layer);
  for (size_t i = 0; i < words.size(); ++i) {
    arch::LayerConfig& layer = draft.config.layers[i];
    layer.mixers.clear();
    layer.feed_forward = arch::FeedForwardKind::kNone;
    if (words[i] == "linear_attention" || words[i] == "mamba") {
      layer.mixers = {draft.linear_mixer};
    } else if (words[i] == "full_attention" || words[i] == "attention") {
      layer.mixers = {arch::MixerKind::kAttention};
    } else {
      check(words[i] == "mlp" || words[i] == "moe",
            ErrorCode::kUnsupported,
            where,
            ": \"",
            words[i],
            "\" is not implemented; known: linear_attention, full_attention, mlp, moe");
      layer.feed_forward = words[i] == "moe" ? arch::FeedForwardKind::kMoe : arch::FeedForwardKind::kMlp;
    }
  }
}

void read_mixers_side_by_side(ConfigJson& /*config*/, Draft& draft) {
  for (arch::LayerConfig& layer : draft.config.layers)
    layer.mixers = {draft.linear_mixer, arch::MixerKind::kAttention};
}

void read_key_multiplier(ConfigJson& config, Draft& draft) {
  const json* value = config.find_value("key_multiplier");
  if (!value) return;
  // Rotation is linear: keys times a number are scores times it.
  for (arch::LayerConfig& layer : draft.config.layers)
    layer.attention.scale = as_number(*value, config.where("key_multiplier")) /
                            std::sqrt(static_cast<double>(layer.attention.head_dim));
}

void read_rope_if_asked(ConfigJson& config, Draft& draft) {
  const json* type = config.find_value("position_embedding_type");
  const std::string where = config.where("position_embedding_type");
  const std::string word = type ? as_string(*type, where) : "nope";
  check(word == "rope" || word == "nope",
        ErrorCode::kUnsupported,
        where,
        ": \"",
        word,
        "\" is not implemented; known: rope, nope");
  if (word == "rope") return;
  for (arch::LayerConfig& layer : draft.config.layers) layer.attention.rope = -1;
}

void read_moe_if_any(ConfigJson& config, Draft& draft) {
  constexpr int64_t kMaxExperts = 1 << 16;
  const json* value = config.find_value("num_local_experts");
  const int64_t experts = value ? as_int(*value, config.where("num_local_experts"), 0, kMaxExperts) : 8;
  if (experts == 0) return;
  const int64_t passed = draft.layer.moe.router.top_k;
  check(passed > 0 && passed <= experts,
        ErrorCode::kFormat,
        config.where("num_experts_per_tok"),
        ": a token cannot pass ",
        passed,
        " of ",
        experts,
        " experts");
  for (arch::LayerConfig& layer : draft.config.layers) {
    layer.feed_forward = arch::FeedForwardKind::kMoe;
    layer.moe.router.num_experts = experts;
    layer.moe.gate.activation = layer.mlp.activation;
    layer.moe.shared_intermediate_size = layer.mlp.intermediate_size;
  }
}

void read_ssm_sizes(ConfigJson& config, Draft& draft) {
  const int64_t inner =
      draft.ssm_inner_size > 0
          ? draft.ssm_inner_size
          : static_cast<int64_t>(draft.ssm_expand * static_cast<double>(draft.config.hidden_size));
  for (arch::LayerConfig& layer : draft.config.layers) {
    arch::Mamba2Config& mamba2 = layer.mamba2;
    if (mamba2.head_dim == 0) mamba2.head_dim = inner / mamba2.num_heads;
    check(inner == 0 || mamba2.inner_size() == inner,
          ErrorCode::kFormat,
          config.origin(),
          ": ",
          mamba2.num_heads,
          " heads of ",
          mamba2.head_dim,
          " in the state-space layers do not make up their ",
          inner,
          " channels");
    check(mamba2.num_heads % mamba2.num_groups == 0,
          ErrorCode::kFormat,
          config.origin(),
          ": ",
          mamba2.num_heads,
          " heads of the state-space layers are not a multiple of their ",
          mamba2.num_groups,
          " groups");
    mamba2.norm_groups = mamba2.num_groups;
  }
}

}  // namespace automodel::families
