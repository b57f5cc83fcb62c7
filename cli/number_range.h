#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include <CLI/CLI.hpp>

namespace automodel::cli {

/// The largest count that is accepted: a double holds it exactly, and two of them do not overflow.
constexpr double kMostOfAnything = 1e15;

/// Refuses an option's value that is no number from `low` to `high`, nor 0 with `or_zero`: "expected WORDS".
inline CLI::Validator number_from(double low, double high, const std::string& words, bool or_zero = false) {
  const auto refusal = [=](const std::string& text) {
    double value = std::numeric_limits<double>::quiet_NaN();
    const bool parsed = CLI::detail::lexical_cast(text, value);
    const bool fits = (value >= low && value <= high) || (or_zero && value == 0);
    return parsed && fits ? std::string() : "expected " + words + ", not " + text;
  };
  return {refusal, ""};
}

inline CLI::Validator positive_integer() {
  return number_from(1, kMostOfAnything, "a whole number above 0");
}

}  // namespace automodel::cli
