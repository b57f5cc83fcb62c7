#pragma once

// For core/families/fields.cpp and core/families/blocks/*.cpp only: what puts a field's value in its place.

#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/families/as_enum.h"
#include "core/families/config_json.h"
#include "core/families/fields.h"

namespace automodel::families {

using nlohmann::json;

/// Sizes are bounded so that no product of a few of them overflows.
inline constexpr int64_t kMaxSize = int64_t{1} << 31;
inline constexpr int64_t kMaxLayers = 10'000;

inline constexpr std::array kNormKinds = {std::pair{"none", kernels::NormKind::kNone},
                                          std::pair{"rms", kernels::NormKind::kRms},
                                          std::pair{"layer", kernels::NormKind::kLayer}};

using Setter = std::function<void(Draft&, const json&, const std::string&)>;

// Setters of one member: `of` gives it.
template <class Member>
Setter size(Member of, int64_t min, int64_t max = kMaxSize) {
  return [=](Draft& d, const json& v, const std::string& w) { of(d) = as_int(v, w, min, max); };
}

template <class Member>
Setter number(Member of) {
  return [=](Draft& d, const json& v, const std::string& w) { of(d) = as_number(v, w); };
}

/// In [0, 1).
template <class Member>
Setter share(Member of) {
  return [=](Draft& d, const json& v, const std::string& w) {
    const double value = v.is_null() ? 0 : as_number(v, w);
    check(value >= 0 && value < 1, ErrorCode::kFormat, w, ": expected a number from 0, below 1");
    of(d) = value;
  };
}

template <class Member>
Setter yes_or_no(Member of) {
  return [=](Draft& d, const json& v, const std::string& w) { of(d) = as_bool(v, w); };
}

template <class Member, class Names>
Setter one_of(Member of, const Names& names) {
  return [=](Draft& d, const json& v, const std::string& w) { of(d) = as_enum(v, w, names); };
}

/// Gives a member of a Draft to the setters above.
#define OF(member) [](Draft& d) -> auto& { return d.member; }

}  // namespace automodel::families
