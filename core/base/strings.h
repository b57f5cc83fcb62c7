#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace automodel {

std::vector<std::string> split(std::string_view text, char separator);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

std::string_view trim(std::string_view text);

/// The name of `known` that a user who wrote `word` most likely meant: least edit distance, at most a third
/// of the word's length (and at least 1); empty when nothing is near.
std::string nearest_name(std::string_view word, const std::vector<std::string>& known);

/// 1234567 -> "1,234,567".
std::string with_thousands(int64_t value);

/// 1.9 GiB, 23.0 MiB, 512 B.
std::string human_bytes(int64_t size_bytes);

}  // namespace automodel
