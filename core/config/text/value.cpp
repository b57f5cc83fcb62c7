#include "core/config/text/value.h"

#include <cmath>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/config/text/yaml_writer.h"

namespace automodel::config {
namespace {

[[noreturn]] void fail_expected(std::string_view expected, const Node& node) {
  fail(ErrorCode::kConfig, "expected ", expected, ", not ", node.is_null() ? "null" : summary(node));
}

template <class T>
std::optional<T> read_optional(const Node& node) {
  if (node.is_null()) return std::nullopt;
  return read_as<T>(node);
}

}  // namespace

template <>
bool read_as<bool>(const Node& node) {
  if (node.kind != Node::Kind::kBool) fail_expected("true or false", node);
  return node.boolean;
}

template <>
int64_t read_as<int64_t>(const Node& node) {
  constexpr double kLargest = 9007199254740992.0;
  if (node.kind == Node::Kind::kFloat && node.number == std::floor(node.number) &&
      std::abs(node.number) <= kLargest) {
    return static_cast<int64_t>(node.number);
  }
  if (node.kind != Node::Kind::kInt) fail_expected("an integer", node);
  return node.integer;
}

template <>
double read_as<double>(const Node& node) {
  if (node.kind == Node::Kind::kInt) return static_cast<double>(node.integer);
  if (node.kind != Node::Kind::kFloat) fail_expected("a number", node);
  if (!std::isfinite(node.number)) fail_expected("a finite number", node);
  return node.number;
}

template <>
std::string read_as<std::string>(const Node& node) {
  const bool is_scalar =
      !node.is_null() && !node.is_list() && !node.is_map() && node.kind != Node::Kind::kBool;
  if (!is_scalar) fail_expected("text", node);
  return node.text;
}

template <>
std::vector<std::string> read_as<std::vector<std::string>>(const Node& node) {
  if (!node.is_list()) return {read_as<std::string>(node)};
  std::vector<std::string> values;
  for (const Node& item : node.items) values.push_back(read_as<std::string>(item));
  return values;
}

template <>
std::map<std::string, std::string> read_as<std::map<std::string, std::string>>(const Node& node) {
  if (!node.is_map()) fail_expected("a map", node);
  std::map<std::string, std::string> values;
  for (const Node::Entry& entry : node.entries) {
    if (!entry.value.is_null()) values[entry.key] = read_as<std::string>(entry.value);
  }
  return values;
}

template <>
std::optional<bool> read_as<std::optional<bool>>(const Node& node) {
  return read_optional<bool>(node);
}

template <>
std::optional<int64_t> read_as<std::optional<int64_t>>(const Node& node) {
  return read_optional<int64_t>(node);
}

template <>
std::optional<double> read_as<std::optional<double>>(const Node& node) {
  return read_optional<double>(node);
}

template <>
std::optional<std::string> read_as<std::optional<std::string>>(const Node& node) {
  return read_optional<std::string>(node);
}

template <>
std::string type_name<bool>() {
  return "true or false";
}

template <>
std::string type_name<int64_t>() {
  return "integer";
}

template <>
std::string type_name<double>() {
  return "number";
}

template <>
std::string type_name<std::string>() {
  return "text";
}

template <>
std::string type_name<std::vector<std::string>>() {
  return "text or list of texts";
}

template <>
std::string type_name<std::map<std::string, std::string>>() {
  return "map of texts";
}

template <>
std::string type_name<std::optional<bool>>() {
  return "true, false or null";
}

template <>
std::string type_name<std::optional<int64_t>>() {
  return "integer or null";
}

template <>
std::string type_name<std::optional<double>>() {
  return "number or null";
}

template <>
std::string type_name<std::optional<std::string>>() {
  return "text or null";
}

std::string text_of(bool value) {
  return value ? "true" : "false";
}

std::string text_of(int64_t value) {
  return std::to_string(value);
}

std::string text_of(double value) {
  return python_float(value);
}

std::string text_of(const std::string& value) {
  return value;
}

std::string text_of(const std::vector<std::string>& value) {
  return value.empty() ? "" : "[" + join(value, ", ") + "]";
}

std::string text_of(const std::map<std::string, std::string>& value) {
  return value.empty() ? "" : "map";
}

}  // namespace automodel::config
