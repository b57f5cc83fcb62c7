#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace automodel::data {

/// A split as Hugging Face writes it: a name and, in brackets, which rows of it.
/// train, train[:100], train[100:200], train[-10:], train[10%:20%].
struct Split {
  std::string name;  ///< may be empty
  bool sliced = false;
  bool percent = false;
  std::optional<int64_t> from;  ///< negative: counted from the end
  std::optional<int64_t> to;

  /// The rows [first, last) of `num_rows`. Percentages are rounded to the nearest row, halves to even.
  std::pair<int64_t, int64_t> rows(int64_t num_rows) const;
};

/// Throws Error(kConfig) saying what was expected.
Split parse_split(std::string_view text);

}  // namespace automodel::data
