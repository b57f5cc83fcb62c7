#include "core/models/fields.h"

#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/models/config_json.h"

namespace automodel::models {
namespace {

using nlohmann::json;

/// Sizes are bounded so that no product of a few of them overflows.
constexpr int64_t kMaxSize = int64_t{1} << 31;
constexpr int64_t kMaxLayers = 10'000;

template <class Enum, size_t N>
Enum as_enum(const json& value,
             const std::string& where,
             const std::array<std::pair<const char*, Enum>, N>& names) {
  const std::string word = as_string(value, where);
  std::vector<std::string> known;
  for (const auto& [name, enumerator] : names) {
    if (word == name) return enumerator;
    known.emplace_back(name);
  }
  fail(ErrorCode::kUnsupported, where, ": \"", word, "\" is not implemented; known: ", join(known, ", "));
}

constexpr std::array kActivations = {std::pair{"silu", Activation::kSilu},
                                     std::pair{"gelu", Activation::kGelu},
                                     std::pair{"gelu_tanh", Activation::kGeluTanh},
                                     std::pair{"relu", Activation::kRelu}};
constexpr std::array kQkNorms = {std::pair{"none", QkNorm::kNone}, std::pair{"per_head", QkNorm::kPerHead}};

const std::vector<Field>& table() {
  static const std::vector<Field> kTable = {
      {"vocab_size",
       "rows of the embedding",
       [](Draft& d, const json& v, const std::string& w) {
         d.config.vocab_size = as_int(v, w, 1, kMaxSize);
       }},
      {"hidden_size",
       "width of the residual stream",
       [](Draft& d, const json& v, const std::string& w) {
         d.config.hidden_size = as_int(v, w, 1, kMaxSize);
       }},
      {"num_layers",
       "number of blocks",
       [](Draft& d, const json& v, const std::string& w) { d.num_layers = as_int(v, w, 1, kMaxLayers); }},
      {"num_heads",
       "query heads",
       [](Draft& d, const json& v, const std::string& w) {
         d.layer.attention.num_heads = as_int(v, w, 1, kMaxSize);
       }},
      {"num_kv_heads",
       "key and value heads; divides num_heads",
       [](Draft& d, const json& v, const std::string& w) {
         d.layer.attention.num_kv_heads = as_int(v, w, 1, kMaxSize);
       }},
      {"head_dim",
       "width of a head; 0: hidden_size / num_heads",
       [](Draft& d, const json& v, const std::string& w) {
         d.layer.attention.head_dim = as_int(v, w, 0, kMaxSize);
       }},
      {"intermediate_size",
       "width of the MLP",
       [](Draft& d, const json& v, const std::string& w) {
         d.layer.mlp.intermediate_size = as_int(v, w, 1, kMaxSize);
       }},
      {"max_position_embeddings",
       "longest sequence that the positions were made for",
       [](Draft& d, const json& v, const std::string& w) {
         d.config.max_position_embeddings = as_int(v, w, 1, kMaxSize);
       }},
      {"activation",
       "silu, gelu, gelu_tanh or relu",
       [](Draft& d, const json& v, const std::string& w) {
         d.layer.mlp.activation = as_enum(v, w, kActivations);
       }},
      {"rms_norm_eps",
       "added to the mean square",
       [](Draft& d, const json& v, const std::string& w) { d.config.rms_norm_eps = as_number(v, w); }},
      {"initializer_range",
       "standard deviation of weights drawn at random",
       [](Draft& d, const json& v, const std::string& w) { d.config.initializer_range = as_number(v, w); }},
      {"tie_word_embeddings",
       "the head is the embedding",
       [](Draft& d, const json& v, const std::string& w) { d.config.tie_word_embeddings = as_bool(v, w); }},
      {"pad_token_id",
       "padding row of the embedding, counted from the end when negative; null: none",
       [](Draft& d, const json& v, const std::string& w) {
         if (v.is_null()) return;
         const int64_t id = as_int(v, w, -d.config.vocab_size, d.config.vocab_size - 1);
         d.config.pad_token_id = id < 0 ? id + d.config.vocab_size : id;
       }},
      {"q_bias",
       "bias of the query projection",
       [](Draft& d, const json& v, const std::string& w) { d.layer.attention.q_bias = as_bool(v, w); }},
      {"k_bias",
       "bias of the key projection",
       [](Draft& d, const json& v, const std::string& w) { d.layer.attention.k_bias = as_bool(v, w); }},
      {"v_bias",
       "bias of the value projection",
       [](Draft& d, const json& v, const std::string& w) { d.layer.attention.v_bias = as_bool(v, w); }},
      {"o_bias",
       "bias of the output projection",
       [](Draft& d, const json& v, const std::string& w) { d.layer.attention.o_bias = as_bool(v, w); }},
      {"mlp_bias",
       "biases of gate, up and down",
       [](Draft& d, const json& v, const std::string& w) { d.layer.mlp.bias = as_bool(v, w); }},
      {"qk_norm",
       "none or per_head",
       [](Draft& d, const json& v, const std::string& w) {
         d.layer.attention.qk_norm = as_enum(v, w, kQkNorms);
       }},
      {"sliding_window",
       "positions that a query sees, itself included, in every layer; 0: all",
       [](Draft& d, const json& v, const std::string& w) {
         d.layer.attention.sliding_window = as_int(v, w, 0, kMaxSize);
       }},
  };
  return kTable;
}

}  // namespace

const Field* find_field(const std::string& name) {
  for (const Field& field : table()) {
    if (name == field.name) return &field;
  }
  return nullptr;
}

std::vector<std::string> field_names() {
  std::vector<std::string> names;
  for (const Field& field : table()) names.emplace_back(field.name);
  return names;
}

}  // namespace automodel::models
