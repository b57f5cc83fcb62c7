#pragma once

#include <string>
#include <vector>

#include "core/families/config_json.h"
#include "core/families/fields.h"

namespace automodel::families {

/// One name under `readers:` of a family file: what no single key says.
struct Reader {
  const char* name;
  const char* doc;

  /// Runs after the fields, when `draft.config.layers` holds num_layers copies of `draft.layer`.
  void (*read)(ConfigJson& config, Draft& draft);

  const char* keys = "";  ///< what it reads of a config.json, between spaces
};

const std::vector<Reader>& readers();

/// nullptr when there is none.
const Reader* find_reader(const std::string& name);

std::vector<std::string> reader_names();

/// The readers. Their tests: tests/core/families/*_test.cpp, and tests/parity on the families that name them.
void read_head_dim(ConfigJson& config, Draft& draft);
void read_stored_dtype(ConfigJson& config, Draft& draft);
void read_layer_windows(ConfigJson& config, Draft& draft);
void read_layer_types(ConfigJson& config, Draft& draft);
void read_rope(ConfigJson& config, Draft& draft);
void read_rope_with_alpha(ConfigJson& config, Draft& draft);
void read_rope_by_layer_type(ConfigJson& config, Draft& draft);
void read_mlp_size(ConfigJson& config, Draft& draft);
void read_rotary_dim(ConfigJson& config, Draft& draft);
void read_no_rope(ConfigJson& config, Draft& draft);
void read_rope_or_alibi(ConfigJson& config, Draft& draft);
void read_rope_less_layers(ConfigJson& config, Draft& draft);
void read_latent_attention(ConfigJson& config, Draft& draft);
void read_chunked_layers(ConfigJson& config, Draft& draft);
void read_positions_after_padding(ConfigJson& config, Draft& draft);
void read_no_first_norm(ConfigJson& config, Draft& draft);
void read_sqrt_embed_scale(ConfigJson& config, Draft& draft);
void read_moe_as_listed(ConfigJson& config, Draft& draft);
void read_moe_everywhere(ConfigJson& config, Draft& draft);
void read_moe_by_step(ConfigJson& config, Draft& draft);
void read_moe_after_dense(ConfigJson& config, Draft& draft);
void read_moe_by_type(ConfigJson& config, Draft& draft);
void read_moe_listed(ConfigJson& config, Draft& draft);
void read_moe_between(ConfigJson& config, Draft& draft);
void read_router_aux_loss(ConfigJson& config, Draft& draft);
void read_mixer_of_layers(ConfigJson& config, Draft& draft);
void read_mixer_of_block_types(ConfigJson& config, Draft& draft);
void read_one_branch_layers(ConfigJson& config, Draft& draft);
void read_mixers_side_by_side(ConfigJson& config, Draft& draft);
void read_key_multiplier(ConfigJson& config, Draft& draft);
void read_rope_if_asked(ConfigJson& config, Draft& draft);
void read_moe_if_any(ConfigJson& config, Draft& draft);
void read_ssm_sizes(ConfigJson& config, Draft& draft);
void read_block_configs(ConfigJson& config, Draft& draft);
void read_key_heads_by_layer(ConfigJson& config, Draft& draft);
void read_residual_by_depth(ConfigJson& config, Draft& draft);
void read_logits_by_width(ConfigJson& config, Draft& draft);

}  // namespace automodel::families
