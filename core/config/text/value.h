#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/text/node.h"

/// Nodes read as C++ values. Each throws Error(kConfig) "expected an integer, not "abc"".
namespace automodel::config {

template <class T>
T read_as(const Node& node);

template <>
bool read_as<bool>(const Node& node);
template <>
int64_t read_as<int64_t>(const Node& node);  ///< also 1e3: a whole float
template <>
double read_as<double>(const Node& node);
template <>
std::string read_as<std::string>(const Node& node);  ///< also a number: its text
template <>
std::vector<std::string> read_as<std::vector<std::string>>(const Node& node);  ///< also one text
template <>
std::map<std::string, std::string> read_as<std::map<std::string, std::string>>(
    const Node& node);  ///< null values are left out
template <>
std::optional<bool> read_as<std::optional<bool>>(const Node& node);
template <>
std::optional<int64_t> read_as<std::optional<int64_t>>(const Node& node);
template <>
std::optional<double> read_as<std::optional<double>>(const Node& node);
template <>
std::optional<std::string> read_as<std::optional<std::string>>(const Node& node);

/// "integer", "number or null", ...: for messages and the reference.
template <class T>
std::string type_name();

/// A default as a recipe would write it.
std::string text_of(bool value);
std::string text_of(int64_t value);
std::string text_of(double value);
std::string text_of(const std::string& value);
std::string text_of(const std::vector<std::string>& value);
std::string text_of(const std::map<std::string, std::string>& value);

template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? text_of(*value) : "null";
}

}  // namespace automodel::config
