#include "core/data/split.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace automodel::data {
namespace {

[[noreturn]] void reject(std::string_view text) {
  fail(
      ErrorCode::kConfig,
      "dataset.split: \"",
      text,
      "\" is not a split; expected a name, or a name with rows as in train[:100], train[100:200] or train[10%:20%]");
}

/// One bound: nothing, "100", "-100" or "20%".
std::optional<int64_t> parse_bound(std::string_view bound, bool& percent, std::string_view text) {
  bound = trim(bound);
  if (bound.empty()) return std::nullopt;
  percent = bound.ends_with('%');
  if (percent) bound.remove_suffix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(bound.data(), bound.data() + bound.size(), value);
  if (error != std::errc() || end != bound.data() + bound.size()) reject(text);
  if (percent && std::abs(value) > 100) reject(text);
  return value;
}

int64_t to_row(int64_t bound, bool percent, int64_t num_rows) {
  if (percent) {
    bound = static_cast<int64_t>(
        std::nearbyint(static_cast<double>(bound) * static_cast<double>(num_rows) / 100.0));
  }
  if (bound < 0) bound = std::max<int64_t>(num_rows + bound, 0);
  return std::min(bound, num_rows);
}

}  // namespace

Split parse_split(std::string_view text) {
  Split split;
  const std::string_view whole = trim(text);
  const size_t open = whole.find('[');
  split.name = whole.substr(0, open);
  if (split.name.find_first_of(" ]:+()%,") != std::string::npos) reject(text);
  if (open == std::string_view::npos) return split;
  const std::string_view inside = whole.substr(open + 1);
  const size_t colon = inside.find(':');
  if (split.name.empty() || colon == std::string_view::npos || inside.find(']') != inside.size() - 1)
    reject(text);
  bool from_percent = false;
  bool to_percent = false;
  split.sliced = true;
  split.from = parse_bound(inside.substr(0, colon), from_percent, text);
  split.to = parse_bound(inside.substr(colon + 1, inside.size() - colon - 2), to_percent, text);
  if (split.from && split.to && from_percent != to_percent) reject(text);
  split.percent = from_percent || to_percent;
  return split;
}

std::pair<int64_t, int64_t> Split::rows(int64_t num_rows) const {
  const int64_t first = from ? to_row(*from, percent, num_rows) : 0;
  const int64_t last = to ? to_row(*to, percent, num_rows) : num_rows;
  return {first, std::max(first, last)};
}

}  // namespace automodel::data
