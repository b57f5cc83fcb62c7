#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/arch/decoder_config.h"
#include "core/families/config_json.h"

namespace automodel::families {

/// A decoder while it is being read: what holds for all layers, until the readers make layers of it.
struct Draft {
  arch::DecoderConfig config;
  arch::LayerConfig layer;  ///< every layer starts as this
  int64_t num_layers = 0;
  int64_t num_shared_experts = 0;     ///< each as wide as an expert; 0: the width is a field of its own
  double rope_theta = 10000.0;        ///< where config.json says none
  double rope_local_theta = 10000.0;  ///< of layers with a window, where those have a rope of their own
  /// Share of a head's leading dims that rotate where the rope parameters say none; unset: the family knows
  /// no partial rotation.
  std::optional<double> partial_rotary_factor;
  bool rope_required = false;            ///< rope parameters that config.json lacks are not the default ones
  std::vector<UnknownKey> unknown_keys;  ///< of inner objects of the config.json
  std::optional<int64_t> dense_layers;  ///< leading layers without experts; unset: first_k_dense_replace or 1
  bool router_grouped = true;           ///< false: groups of experts take no part
  bool query_scale_in_rope = false;     ///< the rope parameters may hold llama_4_scaling_beta
  bool rope_interleaved = false;        ///< pairs are neighbours, not halves
  int64_t window_pattern = -1;  ///< layer i has the window unless (i + 1) % this is 0; 0: none has, -1: all
  std::string window_letters;   ///< L has the window, G has none; repeated, the last layer is G; empty: as
                                ///< window_pattern
  int64_t window_pattern_shift = 1;  ///< (i + this), in place of (i + 1)
  bool embed_norm = false;           ///< the embeddings' sum is normalised, as the layers are
  bool final_norm = true;            ///< there is a norm before the head
  bool head_transform_norm = false, classifier_transform_norm = false;  ///< likewise behind a transform
  bool rope_in_windows_only = false;                        ///< layers without a window do not rotate
  arch::MixerKind linear_mixer = arch::MixerKind::kMamba2;  ///< of layers that are called linear attention
  int64_t full_attention_interval = 0;                      ///< each such layer has attention; 0: none has
  int64_t ssm_inner_size = 0;  ///< channels of a state space; 0: ssm_expand hidden_size
  double ssm_expand = 0.0;     ///< 0: as its heads say
};

/// One name under `fields:` of a family file.
struct Field {
  const char* name;
  const char* doc;

  /// Checks the value and puts it in its place. `where` names it in messages.
  std::function<void(Draft& draft, const nlohmann::json& value, const std::string& where)> set;
};

const std::vector<Field>& fields();

/// nullptr when there is none.
const Field* find_field(const std::string& name);

std::vector<std::string> field_names();

}  // namespace automodel::families
