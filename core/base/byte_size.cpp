#include "core/base/byte_size.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/base/strings.h"

namespace automodel {

std::optional<int64_t> parse_bytes(std::string_view text) {
  using Unit = std::pair<std::string_view, double>;
  constexpr std::array kUnits = {Unit{"KiB", 0x1p10},
                                 Unit{"MiB", 0x1p20},
                                 Unit{"GiB", 0x1p30},
                                 Unit{"TiB", 0x1p40},
                                 Unit{"KB", 1e3},
                                 Unit{"MB", 1e6},
                                 Unit{"GB", 1e9},
                                 Unit{"TB", 1e12},
                                 Unit{"B", 1},
                                 Unit{"", 1}};
  text = trim(text);
  const auto unit =
      std::ranges::find_if(kUnits, [&](const auto& entry) { return text.ends_with(entry.first); });
  const std::string_view digits = trim(text.substr(0, text.size() - unit->first.size()));
  double number = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const double bytes = number * unit->second;
  if (failed != std::errc() || end != digits.data() + digits.size() || !(bytes >= 0 && bytes <= 0x1p53))
    return std::nullopt;
  return static_cast<int64_t>(bytes);
}

}  // namespace automodel
