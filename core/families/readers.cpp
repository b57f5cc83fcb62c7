#include "core/families/readers.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace automodel::families {
namespace {

using nlohmann::json;

/// Which layers have a window, from an explicit list.
std::vector<bool> windows_of(const json& layer_types, size_t num_layers, const ConfigJson& config) {
  const std::string where = config.where("layer_types");
  check(layer_types.is_array() && config.one_per_layer("layer_types", layer_types.size(), num_layers),
        ErrorCode::kFormat,
        where,
        ": expected a list of ",
        num_layers,
        " words, one a layer");
  std::vector<bool> sliding;
  for (size_t i = 0; i < num_layers; ++i) {
    const std::string type = as_string(layer_types[i], where);
    check(type == "sliding_attention" || type == "full_attention" || type == "attention",
          ErrorCode::kUnsupported,
          where,
          ": \"",
          type,
          "\" is not implemented; known: full_attention, sliding_attention");
    sliding.push_back(type == "sliding_attention");
  }
  return sliding;
}

/// Gives the named layers a window of `size` and the others none.
void set_windows(const std::vector<bool>& sliding, int64_t size, const std::string& where, Draft& draft) {
  for (size_t i = 0; i < sliding.size(); ++i) {
    check(
        !sliding[i] || size > 0,
        ErrorCode::kFormat,
        where,
        ": layer ",
        i,
        " is sliding_attention but \"sliding_window\" and, where there is one, \"use_sliding_window\" give it no window");
    draft.config.layers[i].attention.sliding_window = sliding[i] ? size : 0;
  }
}

/// Which layers rotate: no_rope_layers (1: it does), else all but each no_rope_layer_interval-th.
std::vector<bool> rotating_layers(ConfigJson& config, size_t num_layers, bool empty_is_none) {
  const json* listed = config.find_value("no_rope_layers");
  const json* interval = config.find_value("no_rope_layer_interval");
  const int64_t every = interval ? as_int(*interval, config.where("no_rope_layer_interval"), 1) : 4;
  std::vector<bool> rotates;
  if (!listed || (empty_is_none && listed->is_array() && listed->empty())) {
    for (size_t i = 0; i < num_layers; ++i) rotates.push_back((static_cast<int64_t>(i) + 1) % every != 0);
    return rotates;
  }
  check(listed->is_array() && listed->size() >= num_layers,
        ErrorCode::kFormat,
        config.where("no_rope_layers"),
        ": expected a list of ",
        num_layers,
        " numbers, one a layer");
  for (size_t i = 0; i < num_layers; ++i)
    rotates.push_back(as_int((*listed)[i], config.where("no_rope_layers"), 0, 1) == 1);
  return rotates;
}

/// 2^(-8 i / n) for i = 1..n when n is a power of two; else those of the power below, then every other one of
/// the power above. Press et al. 2022, arXiv:2108.12409.
std::vector<double> alibi_slopes(int64_t num_heads) {
  int64_t below = 1;
  while (2 * below <= num_heads) below *= 2;
  std::vector<double> slopes;
  for (int64_t i = 1; i <= below; ++i)
    slopes.push_back(std::exp2(-8.0 * static_cast<double>(i) / static_cast<double>(below)));
  for (int64_t i = 1; static_cast<int64_t>(slopes.size()) < num_heads; i += 2)
    slopes.push_back(std::exp2(-4.0 * static_cast<double>(i) / static_cast<double>(below)));
  return slopes;
}

}  // namespace

const std::vector<Reader>& readers() {
  static const std::vector<Reader> kReaders = {
      {"head_dim", "head_dim 0 becomes hidden_size / num_heads", read_head_dim},
      {"stored_dtype", "dtype, or torch_dtype as it was called before transformers 5", read_stored_dtype},
      {"layer_windows",
       "layer_types, or use_sliding_window with max_window_layers; sliding_window",
       read_layer_windows,
       "layer_types use_sliding_window sliding_window max_window_layers"},
      {"layer_types",
       "layer_types, or window_pattern; the layers that it names have the field sliding_window",
       read_layer_types,
       "layer_types"},
      {"rope",
       "rope_parameters, or rope_scaling and rope_theta as before transformers 5",
       read_rope,
       "rope_parameters rope_scaling rope_theta partial_rotary_factor original_max_position_embeddings"},
      {"rope_with_alpha",
       "as rope, but type dynamic with alpha stretches the base once for all lengths (Hunyuan)",
       read_rope_with_alpha,
       "rope_parameters rope_scaling rope_theta partial_rotary_factor original_max_position_embeddings"},
      {"rope_by_layer_type",
       "rope_parameters for full_attention and sliding_attention, or rope_theta and rope_local_base_freq",
       read_rope_by_layer_type,
       "rope_parameters rope_scaling rope_theta rope_local_base_freq partial_rotary_factor original_max_position_embeddings"},
      {"rotary_dim",
       "rotary_dim leading dims of a head rotate; stands before rope",
       read_rotary_dim,
       "rotary_dim"},
      {"no_rope", "no layer rotates", read_no_rope},
      {"rope_or_alibi",
       "rope where max_position_embeddings is said, else ALiBi with the slopes of its paper",
       read_rope_or_alibi,
       "rope_parameters rope_scaling rope_theta"},
      {"rope_less_layers",
       "no_rope_layers (1: the layer rotates), or each no_rope_layer_interval-th does not; with a window there",
       read_rope_less_layers,
       "no_rope_layers no_rope_layer_interval layer_types use_sliding_window sliding_window"},
      {"latent_attention",
       "num_heads of it, and q.k times yarn's mscale_all_dim squared",
       read_latent_attention},
      {"chunked_layers",
       "no_rope_layers or no_rope_layer_interval; layers that rotate have attention_chunk and qk_norm, the others query_scale; layer_types chunked_attention and full_attention",
       read_chunked_layers,
       "no_rope_layers no_rope_layer_interval layer_types attn_temperature_tuning"},
      {"positions_after_padding",
       "position_offset becomes pad_token_id + 1; tokens of that id are not counted",
       read_positions_after_padding},
      {"no_first_norm",
       "the first layer's mixer has no norm of its own: the embeddings are normalised",
       read_no_first_norm},
      {"mlp_size", "intermediate_size 0 becomes 4 hidden_size", read_mlp_size},
      {"moe_as_listed",
       "checks the experts of the layers that one_branch_layers gave some",
       read_moe_as_listed},
      {"moe_everywhere", "every layer has experts", read_moe_everywhere},
      {"moe_by_step",
       "layer i has experts when (i + 1) % decoder_sparse_step is 0, but for mlp_only_layers",
       read_moe_by_step,
       "decoder_sparse_step mlp_only_layers"},
      {"moe_by_type",
       "layers that mlp_layer_types calls sparse have experts; without it all but the first",
       read_moe_by_type,
       "mlp_layer_types"},
      {"moe_after_dense",
       "layers from first_k_dense_replace on have experts",
       read_moe_after_dense,
       "first_k_dense_replace"},
      {"moe_listed",
       "layers of moe_layers, or each interleave_moe_layer_step-th, have experts",
       read_moe_listed,
       "moe_layers interleave_moe_layer_step"},
      {"moe_between",
       "layers from moe_layer_start_index to moe_layer_end_index where (i + 1) % moe_layer_interval is 0",
       read_moe_between,
       "moe_layer_start_index moe_layer_end_index moe_layer_interval"},
      {"router_aux_loss",
       "router_aux_loss_coef becomes 0 unless output_router_logits is true, as in transformers",
       read_router_aux_loss,
       "output_router_logits"},
      {"sqrt_embed_scale", "embeddings times sqrt(hidden_size)", read_sqrt_embed_scale},
      {"mixer_of_layers",
       "layer_types, or full_attention_interval; the layers of linear attention have the field linear_mixer",
       read_mixer_of_layers,
       "layer_types full_attention_interval"},
      {"mixer_of_block_types",
       "the same of layers_block_type, which replaces layer_types, as in transformers",
       read_mixer_of_block_types,
       "layers_block_type layer_types full_attention_interval"},
      {"one_branch_layers",
       "layers_block_type or hybrid_override_pattern: a layer is a mixer or an MLP",
       read_one_branch_layers,
       "layers_block_type layer_types hybrid_override_pattern"},
      {"mixers_side_by_side",
       "each layer has the field linear_mixer beside attention",
       read_mixers_side_by_side},
      {"key_multiplier", "key_multiplier, of the keys", read_key_multiplier, "key_multiplier"},
      {"rope_if_asked",
       "no layer rotates unless position_embedding_type is rope",
       read_rope_if_asked,
       "position_embedding_type"},
      {"moe_if_any",
       "num_local_experts; above 0 every layer has experts, and its MLP becomes their shared one",
       read_moe_if_any,
       "num_local_experts"},
      {"ssm_sizes", "head_dim of state spaces from ssm_inner_size or ssm_expand hidden_size", read_ssm_sizes},
      {"block_configs",
       "block_configs: each layer's key heads and MLP width, or that it has no attention or no MLP",
       read_block_configs,
       "block_configs"},
      {"key_heads_by_layer",
       "num_key_value_heads_per_layer",
       read_key_heads_by_layer,
       "num_key_value_heads_per_layer"},
      {"residual_by_depth",
       "scale_depth (default 1) / sqrt(number of layers), of what a branch adds",
       read_residual_by_depth,
       "scale_depth"},
      {"logits_by_width",
       "dim_model_base / hidden_size, of the logits",
       read_logits_by_width,
       "dim_model_base"},
  };
  return kReaders;
}

const Reader* find_reader(const std::string& name) {
  for (const Reader& reader : readers()) {
    if (name == reader.name) return &reader;
  }
  return nullptr;
}

std::vector<std::string> reader_names() {
  std::vector<std::string> names;
  for (const Reader& reader : readers()) names.emplace_back(reader.name);
  return names;
}

void read_head_dim(ConfigJson& config, Draft& draft) {
  for (arch::LayerConfig& layer : draft.config.layers) {
    arch::AttentionConfig& attention = layer.attention;
    if (attention.head_dim > 0) continue;
    check(draft.config.hidden_size % attention.num_heads == 0,
          ErrorCode::kFormat,
          config.origin(),
          ": hidden_size ",
          draft.config.hidden_size,
          " is not a multiple of num_attention_heads ",
          attention.num_heads,
          "; say head_dim");
    attention.head_dim = draft.config.hidden_size / attention.num_heads;
  }
}

void read_stored_dtype(ConfigJson& config, Draft& draft) {
  const json* old_form = config.find_value("torch_dtype");
  const json* new_form = config.find_value("dtype");
  const std::string key = new_form ? "dtype" : "torch_dtype";
  const json* value = new_form ? new_form : old_form;
  if (!value) return;
  try {
    draft.config.stored_dtype = dtype_from_torch(as_string(*value, config.where(key)));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConfig) throw;
    fail(ErrorCode::kFormat, config.where(key), ": ", error.message());
  }
}

void read_layer_windows(ConfigJson& config, Draft& draft) {
  const json* use_window = config.find("use_sliding_window");
  const json* window = config.find("sliding_window");
  const json* first_layer = config.find("max_window_layers");
  const json* layer_types = config.find_value("layer_types");

  int64_t size = 0;
  if (use_window && as_bool(*use_window, config.where("use_sliding_window"))) {
    // Absent means the family's 4096, null means none.
    const std::string where = config.where("sliding_window") + ", which \"use_sliding_window\" asks for";
    size = !window ? 4096 : window->is_null() ? 0 : as_int(*window, where, 1);
  }
  std::vector<arch::LayerConfig>& layers = draft.config.layers;
  const auto num_layers = static_cast<int64_t>(layers.size());
  std::vector<bool> sliding(layers.size(), false);
  if (layer_types) {
    sliding = windows_of(*layer_types, layers.size(), config);
  } else if (size > 0) {
    const int64_t first = first_layer ? as_int(*first_layer, config.where("max_window_layers"), 0) : 28;
    for (int64_t i = first; i < num_layers; ++i) sliding[static_cast<size_t>(i)] = true;
  }
  set_windows(sliding, size, config.where("layer_types"), draft);
}

void read_layer_types(ConfigJson& config, Draft& draft) {
  std::vector<arch::LayerConfig>& layers = draft.config.layers;
  const json* types = config.find_value("layer_types");
  std::vector<bool> sliding(layers.size(), false);
  const std::string& letters = draft.window_letters;
  for (size_t i = 0; i < layers.size() && !letters.empty(); ++i)
    sliding[i] = i + 1 < layers.size() && letters[i % letters.size()] == 'L';
  for (size_t i = 0; i < layers.size() && letters.empty(); ++i)
    sliding[i] = draft.window_pattern < 0
                     ? layers[i].attention.sliding_window > 0
                     : draft.window_pattern > 0 &&
                           (static_cast<int64_t>(i) + draft.window_pattern_shift) % draft.window_pattern != 0;
  if (types) sliding = windows_of(*types, layers.size(), config);
  set_windows(sliding,
              draft.layer.attention.sliding_window,
              config.where(types ? "layer_types" : "sliding_window"),
              draft);
}

void read_mlp_size(ConfigJson& /*config*/, Draft& draft) {
  for (arch::LayerConfig& layer : draft.config.layers) {
    if (layer.mlp.intermediate_size == 0) layer.mlp.intermediate_size = 4 * draft.config.hidden_size;
  }
}

void read_rotary_dim(ConfigJson& config, Draft& draft) {
  const json* dim = config.find_value("rotary_dim");
  if (!dim) return;
  const int64_t head_dim = draft.config.layers.at(0).attention.head_dim;
  const int64_t rotary = as_int(*dim, config.where("rotary_dim"), 1, head_dim);
  draft.partial_rotary_factor = static_cast<double>(rotary) / static_cast<double>(head_dim);
}

void read_no_rope(ConfigJson& /*config*/, Draft& draft) {
  for (arch::LayerConfig& layer : draft.config.layers) layer.attention.rope = -1;
}

void read_rope_or_alibi(ConfigJson& config, Draft& draft) {
  if (config.find_value("max_position_embeddings")) return read_rope(config, draft);
  for (arch::LayerConfig& layer : draft.config.layers) {
    layer.attention.rope = -1;
    layer.attention.alibi = alibi_slopes(layer.attention.num_heads);
  }
}

void read_rope_less_layers(ConfigJson& config, Draft& draft) {
  std::vector<arch::LayerConfig>& layers = draft.config.layers;
  const json* types = config.find_value("layer_types");
  const json* window = config.find_value("sliding_window");
  const json* use_window = config.find_value("use_sliding_window");
  const bool windows = use_window && as_bool(*use_window, config.where("use_sliding_window"));
  const int64_t size = window && windows ? as_int(*window, config.where("sliding_window"), 1) : 0;
  const std::vector<bool> rotates = rotating_layers(config, layers.size(), /*empty_is_none=*/false);
  std::vector<bool> sliding(layers.size(), false);
  for (size_t i = 0; i < layers.size(); ++i) {
    layers[i].attention.rope = rotates[i] ? 0 : -1;
    sliding[i] = size > 0 && !rotates[i];
  }
  if (types) sliding = windows_of(*types, layers.size(), config);
  set_windows(sliding, size, config.where("layer_types"), draft);
}

void read_chunked_layers(ConfigJson& config, Draft& draft) {
  std::vector<arch::LayerConfig>& layers = draft.config.layers;
  const json* types = config.find_value("layer_types");
  const json* tuning = config.find_value("attn_temperature_tuning");
  const bool tuned = !tuning || as_bool(*tuning, config.where("attn_temperature_tuning"));
  check(!types || (types->is_array() && types->size() >= layers.size()),
        ErrorCode::kFormat,
        config.where("layer_types"),
        ": expected a list of ",
        layers.size(),
        " words, one a layer");
  const std::vector<bool> rotates = rotating_layers(config, layers.size(), /*empty_is_none=*/true);
  for (size_t i = 0; i < layers.size(); ++i) {
    arch::AttentionConfig& attention = layers[i].attention;
    attention.rope = rotates[i] ? 0 : -1;
    if (rotates[i] || !tuned) attention.query_scale.beta = 0;
    if (!rotates[i]) attention.qk_norm = arch::QkNorm::kNone;
    bool chunked = rotates[i];
    if (types) {
      const std::string type = as_string((*types)[i], config.where("layer_types"));
      check(type == "chunked_attention" || type == "full_attention",
            ErrorCode::kUnsupported,
            config.where("layer_types"),
            ": \"",
            type,
            "\" is not implemented; known: chunked_attention, full_attention");
      chunked = type == "chunked_attention";
    }
    if (!chunked) attention.chunk = 0;
  }
}

void read_positions_after_padding(ConfigJson& /*config*/, Draft& draft) {
  arch::EmbeddingConfig& embedding = draft.config.embedding;
  embedding.position_offset = embedding.pad_token_id.value_or(-1) + 1;
  embedding.positions_skip_padding = embedding.pad_token_id.has_value();
}

void read_no_first_norm(ConfigJson& /*config*/, Draft& draft) {
  draft.config.layers[0].block.mixer_norm = false;
}

void read_sqrt_embed_scale(ConfigJson& /*config*/, Draft& draft) {
  draft.config.embedding.scale = std::sqrt(static_cast<double>(draft.config.hidden_size));
}

}  // namespace automodel::families
