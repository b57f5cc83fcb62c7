#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/families/config_json.h"

namespace automodel::families {

/// The enumerator of a word. Throws Error(kFormat) unless the value is a text, Error(kUnsupported) naming the
/// known words for another.
template <class Enum, size_t N>
Enum as_enum(const nlohmann::json& value,
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

}  // namespace automodel::families
