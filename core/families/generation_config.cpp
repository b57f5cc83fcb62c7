#include "core/families/generation_config.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/json.h"

namespace automodel::families {
namespace {

using nlohmann::json;

/// A setting of transformers' that is not implemented, with the values that change nothing (null beside).
struct Setting {
  const char* name;
  std::vector<json> neutral;
};

const std::vector<Setting>& settings_not_implemented() {
  static const std::vector<Setting> kSettings = {{"num_beams", {1}},
                                                 {"num_beam_groups", {1}},
                                                 {"num_return_sequences", {1}},
                                                 {"min_length", {0}},
                                                 {"min_new_tokens", {0}},
                                                 {"max_time", {}},
                                                 {"stop_strings", {}},
                                                 {"no_repeat_ngram_size", {0}},
                                                 {"encoder_repetition_penalty", {1}},
                                                 {"bad_words_ids", {json::array()}},
                                                 {"force_words_ids", {json::array()}},
                                                 {"constraints", {}},
                                                 {"forced_bos_token_id", {}},
                                                 {"forced_eos_token_id", {}},
                                                 {"exponential_decay_length_penalty", {}},
                                                 {"suppress_tokens", {json::array()}},
                                                 {"begin_suppress_tokens", {json::array()}},
                                                 {"sequence_bias", {json::object()}},
                                                 {"guidance_scale", {1}},
                                                 {"penalty_alpha", {0}},
                                                 {"dola_layers", {}},
                                                 {"token_healing", {false}},
                                                 {"watermarking_config", {}}};
  return kSettings;
}

const std::vector<Setting>& sampling_not_implemented() {
  static const std::vector<Setting> kSettings = {
      {"min_p", {0}}, {"top_h", {}}, {"typical_p", {1}}, {"epsilon_cutoff", {0}}, {"eta_cutoff", {0}}};
  return kSettings;
}

/// One JSON object of the folder and its name in messages.
class Fields {
 public:
  explicit Fields(const std::filesystem::path& file) : origin_(file.string()), object_(io::read_json(file)) {
    check(object_.is_object(), ErrorCode::kFormat, origin_, ": expected a JSON object");
  }

  const std::string& origin() const { return origin_; }

  /// Null when absent or null.
  const json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  std::optional<double> number(const char* key) const {
    const json* value = find(key);
    if (!value) return std::nullopt;
    check(value->is_number(), ErrorCode::kFormat, where(key), "expected a number, found ", value->dump());
    return value->get<double>();
  }

  std::optional<int64_t> integer(const char* key) const {
    const json* value = find(key);
    if (!value) return std::nullopt;
    check(value->is_number_integer(),
          ErrorCode::kFormat,
          where(key),
          "expected a whole number, found ",
          value->dump());
    return value->get<int64_t>();
  }

  /// One id or a list of ids.
  std::vector<int64_t> ids(const char* key) const {
    const json* value = find(key);
    if (!value) return {};
    const json list = value->is_array() ? *value : json::array({*value});
    std::vector<int64_t> ids;
    for (const json& id : list) {
      check(id.is_number_integer(),
            ErrorCode::kFormat,
            where(key),
            "expected a token id or a list of them, found ",
            value->dump());
      ids.push_back(id.get<int64_t>());
    }
    return ids;
  }

  std::vector<std::string> other_than_neutral(const std::vector<Setting>& settings) const {
    std::vector<std::string> found;
    for (const Setting& setting : settings) {
      const json* value = find(setting.name);
      if (!value) continue;
      const auto& neutral = setting.neutral;
      if (std::find(neutral.begin(), neutral.end(), *value) != neutral.end()) continue;
      found.push_back(std::string(setting.name) + ": " + value->dump());
    }
    return found;
  }

 private:
  std::string where(const char* key) const { return origin_ + ": \"" + key + "\": "; }

  std::string origin_;
  json object_;
};

Fields open_fields(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "generation_config.json";
  return Fields(std::filesystem::exists(file) ? file : folder / "config.json");
}

}  // namespace

GenerationConfig read_eos_only(const std::filesystem::path& folder) {
  GenerationConfig config;
  const Fields fields = open_fields(folder);
  config.origin = fields.origin();
  config.eos_token_ids = fields.ids("eos_token_id");
  return config;
}

GenerationConfig read_generation_config(const std::filesystem::path& folder) {
  const Fields fields = open_fields(folder);
  GenerationConfig config;
  config.origin = fields.origin();
  config.eos_token_ids = fields.ids("eos_token_id");
  config.max_new_tokens = fields.integer("max_new_tokens");
  config.temperature = fields.number("temperature");
  config.top_k = fields.integer("top_k");
  config.top_p = fields.number("top_p");
  config.repetition_penalty = fields.number("repetition_penalty");
  config.not_implemented = fields.other_than_neutral(settings_not_implemented());
  config.not_implemented_sampling = fields.other_than_neutral(sampling_not_implemented());
  return config;
}

}  // namespace automodel::families
