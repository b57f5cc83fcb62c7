#include "core/models/readers.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace automodel::models {
namespace {

using nlohmann::json;

const std::vector<Reader>& table() {
  static const std::vector<Reader> kTable = {
      {"head_dim", "head_dim 0 becomes hidden_size / num_heads", read_head_dim},
      {"stored_dtype", "dtype, or torch_dtype as it was called before transformers 5", read_stored_dtype},
      {"layer_windows",
       "layer_types, or use_sliding_window with max_window_layers; sliding_window",
       read_layer_windows},
      {"rope", "rope_parameters, or rope_scaling and rope_theta as before transformers 5", read_rope},
  };
  return kTable;
}

/// Which layers have a window, from an explicit list.
std::vector<bool> windows_of(const json& layer_types, size_t num_layers, const ConfigJson& config) {
  const std::string where = config.where("layer_types");
  // Fewer layers by an override: the list is the file's.
  const bool shortened = config.overridden("num_hidden_layers") && !config.overridden("layer_types");
  check(layer_types.is_array() &&
            (layer_types.size() == num_layers || (shortened && layer_types.size() > num_layers)),
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

}  // namespace

const Reader* find_reader(const std::string& name) {
  for (const Reader& reader : table()) {
    if (name == reader.name) return &reader;
  }
  return nullptr;
}

std::vector<std::string> reader_names() {
  std::vector<std::string> names;
  for (const Reader& reader : table()) names.emplace_back(reader.name);
  return names;
}

void read_head_dim(ConfigJson& config, Draft& draft) {
  for (LayerConfig& layer : draft.config.layers) {
    AttentionConfig& attention = layer.attention;
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
    size = !window ? 4096 : window->is_null() ? 0 : as_int(*window, config.where("sliding_window"), 1);
  }
  std::vector<LayerConfig>& layers = draft.config.layers;
  const auto num_layers = static_cast<int64_t>(layers.size());
  std::vector<bool> sliding(layers.size(), false);
  if (layer_types) {
    sliding = windows_of(*layer_types, layers.size(), config);
  } else if (size > 0) {
    const int64_t first = first_layer ? as_int(*first_layer, config.where("max_window_layers"), 0) : 28;
    for (int64_t i = first; i < num_layers; ++i) sliding[static_cast<size_t>(i)] = true;
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!sliding[i]) continue;
    check(size > 0,
          ErrorCode::kFormat,
          config.where("layer_types"),
          ": layer ",
          i,
          " is sliding_attention but use_sliding_window and sliding_window give it no window");
    layers[i].attention.sliding_window = size;
  }
}

}  // namespace automodel::models
