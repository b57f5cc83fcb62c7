#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace automodel::families {

/// A key that nobody asked for.
struct UnknownKey {
  std::string path;         ///< "outer.inner" for one in an inner object
  std::string nearest;      ///< a key that was asked for with nearly that name; empty: none
  bool neutral = false;     ///< the value is null, false, 0 or empty
  bool overridden = false;  ///< it came from the overrides
};

/// A config.json that remembers which of its keys were asked for, so that what nobody asked for is known.
class ConfigJson {
 public:
  /// `origin` names the text in messages. Throws Error(kFormat) when `object` is not a JSON object.
  ConfigJson(const nlohmann::json& object, std::string origin, std::set<std::string> overridden = {});
  ~ConfigJson();
  ConfigJson(ConfigJson&&) noexcept;

  /// The value at a key; one in an inner object is written "outer.inner". nullptr when absent. The key counts
  /// as known.
  const nlohmann::json* find(const std::string& key);

  /// Reads a value without marking its key as known.
  const nlohmann::json* peek(const std::string& key) const;

  /// As find, with null taken for absent.
  const nlohmann::json* find_value(const std::string& key);

  /// "config.json: \"hidden_size\"".
  std::string where(const std::string& key) const;

  const std::string& origin() const { return origin_; }

  /// Whether the value came from the overrides.
  bool overridden(const std::string& key) const { return overridden_.contains(key); }

  /// Whether a list of `size` entries under `key` has one for each of `num_layers` layers; it may have more
  /// where an override made the layers fewer and left the list as the file has it.
  bool one_per_layer(const std::string& key, size_t size, size_t num_layers) const {
    const bool shortened = overridden("num_hidden_layers") && !overridden(key);
    return size == num_layers || (shortened && size > num_layers);
  }

  /// The keys that were never asked for, `prefix` before each. Names with a leading underscore are notes of
  /// whoever wrote the file ("_name_or_path"), which no model reads: they are left out.
  std::vector<UnknownKey> unknown(const std::string& prefix = "") const;

 private:
  std::unique_ptr<nlohmann::json> object_;
  std::string origin_;
  std::set<std::string> overridden_;
  std::set<std::string> known_;
};

/// Typed values. Each throws Error(kFormat) "where: expected ..., found ...".
int64_t as_int(const nlohmann::json& value,
               const std::string& where,
               int64_t min,
               int64_t max = int64_t{1} << 40);
double as_number(const nlohmann::json& value, const std::string& where);
bool as_bool(const nlohmann::json& value, const std::string& where);
std::string as_string(const nlohmann::json& value, const std::string& where);
/// The entry for one layer of a list that has one entry per layer.
std::vector<std::string> words_of(const nlohmann::json& list, const std::string& where);
std::vector<double> as_numbers(const nlohmann::json& value, const std::string& where);

/// "Infinity" or "-Infinity" where the value is one as transformers 5 writes it, {"__float__": "Infinity"};
/// else "".
std::string infinity_in(const nlohmann::json& value);

}  // namespace automodel::families
