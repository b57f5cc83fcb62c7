#include "core/families/config_json.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace automodel::families {
namespace {

using nlohmann::json;

[[noreturn]] void wrong_type(const json& value, const std::string& where, const std::string& expected) {
  const std::string infinity = infinity_in(value);
  std::string text = infinity.empty() ? value.dump() : infinity;
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  fail(ErrorCode::kFormat, where, ": expected ", expected, ", found ", text);
}

bool is_neutral(const json& value) {
  if (value.is_number()) return value.get<double>() == 0;
  return value.is_null() || value == false || (!value.is_boolean() && value.empty()) || value == "";
}

/// Walks an object: a key is known itself, or is an object some of whose inner keys are known.
void find_unknown(const json& object,
                  const std::string& prefix,
                  const std::set<std::string>& known,
                  std::vector<UnknownKey>& found) {
  for (const auto& [key, value] : object.items()) {
    const std::string path = prefix + key;
    if (known.contains(path) || key.starts_with('_')) continue;
    const auto inner = known.lower_bound(path + ".");
    if (value.is_object() && inner != known.end() && inner->starts_with(path + ".")) {
      find_unknown(value, path + ".", known, found);
      continue;
    }
    found.push_back({path, nearest_name(path, {known.begin(), known.end()}), is_neutral(value)});
  }
}

}  // namespace

ConfigJson::ConfigJson(const json& object, std::string origin, std::set<std::string> overridden)
    : object_(std::make_unique<json>(object)),
      origin_(std::move(origin)),
      overridden_(std::move(overridden)) {
  if (!object.is_object()) wrong_type(object, origin_, "a JSON object");
}

ConfigJson::~ConfigJson() = default;
ConfigJson::ConfigJson(ConfigJson&&) noexcept = default;

const json* ConfigJson::find(const std::string& key) {
  known_.insert(key);
  return peek(key);
}

const json* ConfigJson::peek(const std::string& key) const {
  // A key may itself hold a dot ("transformers.js_config"): the whole comes first.
  if (const auto whole = object_->find(key); whole != object_->end()) return &*whole;
  const json* value = object_.get();
  for (const std::string& part : split(key, '.')) {
    if (!value->is_object()) return nullptr;
    const auto found = value->find(part);
    if (found == value->end()) return nullptr;
    value = &*found;
  }
  return value;
}

const json* ConfigJson::find_value(const std::string& key) {
  const json* value = find(key);
  return value && value->is_null() ? nullptr : value;
}

std::string ConfigJson::where(const std::string& key) const {
  return detail::join(overridden(key) ? "override" : origin_, ": \"", key, "\"");
}

std::vector<UnknownKey> ConfigJson::unknown(const std::string& prefix) const {
  std::vector<UnknownKey> found;
  find_unknown(*object_, "", known_, found);
  for (UnknownKey& key : found) {
    key.overridden = overridden(split(key.path, '.').front());
    key.path = prefix + key.path;
  }
  return found;
}

int64_t as_int(const json& value, const std::string& where, int64_t min, int64_t max) {
  const bool integral =
      value.is_number_integer() ||
      (value.is_number_float() && std::nearbyint(value.get<double>()) == value.get<double>());
  // Compared as double first: a huge number must not wrap.
  if (!integral || value.get<double>() < static_cast<double>(min) ||
      value.get<double>() > static_cast<double>(max)) {
    wrong_type(value, where, detail::join("an integer from ", min, " to ", max));
  }
  return value.is_number_float() ? static_cast<int64_t>(value.get<double>()) : value.get<int64_t>();
}

double as_number(const json& value, const std::string& where) {
  if (!value.is_number()) wrong_type(value, where, "a number");
  return value.get<double>();
}

bool as_bool(const json& value, const std::string& where) {
  if (!value.is_boolean()) wrong_type(value, where, "true or false");
  return value.get<bool>();
}

std::string as_string(const json& value, const std::string& where) {
  if (!value.is_string()) wrong_type(value, where, "a string");
  return value.get<std::string>();
}

std::string infinity_in(const json& value) {
  if (!value.is_object() || value.size() != 1) return "";
  const auto tagged = value.find("__float__");
  const bool infinite = tagged != value.end() && (*tagged == "Infinity" || *tagged == "-Infinity");
  return infinite ? tagged->get<std::string>() : "";
}

std::vector<std::string> words_of(const nlohmann::json& list, const std::string& where) {
  check(
      list.is_array() && !list.empty(), ErrorCode::kFormat, where, ": expected a list of words, one a layer");
  std::vector<std::string> words;
  for (const nlohmann::json& word : list) words.push_back(as_string(word, where));
  return words;
}

std::vector<double> as_numbers(const json& value, const std::string& where) {
  if (!value.is_array()) wrong_type(value, where, "a list of numbers");
  std::vector<double> numbers;
  for (const json& element : value) numbers.push_back(as_number(element, where));
  return numbers;
}

}  // namespace automodel::families
