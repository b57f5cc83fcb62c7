#include "core/base/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>

namespace automodel {
namespace {

constexpr int kDotsAcross = 2, kDotsDown = 4;

/// Unicode's Braille patterns number the dots of a character column by column, the lowest row last.
constexpr uint8_t kDotBits[kDotsAcross][kDotsDown] = {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}};

std::string braille(uint8_t dots) {
  const unsigned code_point = 0x2800u + dots;
  return {static_cast<char>(0xE0u | (code_point >> 12)),
          static_cast<char>(0x80u | ((code_point >> 6) & 0x3Fu)),
          static_cast<char>(0x80u | (code_point & 0x3Fu))};
}

/// A grid of dots in characters.
class Canvas {
 public:
  Canvas(int width, int height) : width_(width), cells_(static_cast<size_t>(width) * height, 0) {}

  void set(int x, int y) {
    const size_t cell = static_cast<size_t>(y / kDotsDown) * width_ + x / kDotsAcross;
    cells_[cell] = static_cast<uint8_t>(cells_[cell] | kDotBits[x % kDotsAcross][y % kDotsDown]);
  }

  std::string row(int y) const {
    std::string text;
    for (int x = 0; x < width_; ++x) text += braille(cells_[static_cast<size_t>(y) * width_ + x]);
    return text;
  }

 private:
  int width_;
  std::vector<uint8_t> cells_;
};

/// One value a column of dots: the mean of those that fall into it, or, with fewer values than columns, the
/// value on the line between its neighbours. NaN where nothing finite is near.
std::vector<double> resample(const std::vector<double>& values, int num_columns) {
  const size_t n = values.size();
  std::vector<double> columns(static_cast<size_t>(num_columns));
  for (int c = 0; c < num_columns; ++c) {
    if (n <= columns.size()) {
      const double place = num_columns == 1 ? 0.0 : static_cast<double>(c) * (n - 1) / (num_columns - 1);
      const size_t left = std::min(static_cast<size_t>(place), n - 1), right = std::min(left + 1, n - 1);
      const double fraction = place - left;
      columns[c] = fraction == 0.0 ? values[left] : values[left] * (1 - fraction) + values[right] * fraction;
      continue;
    }
    double sum = 0.0;
    int count = 0;
    for (size_t i = n * c / num_columns; i < n * (c + 1) / num_columns; ++i) {
      if (!std::isfinite(values[i])) continue;
      sum += values[i];
      ++count;
    }
    columns[c] = count ? sum / count : std::numeric_limits<double>::quiet_NaN();
  }
  return columns;
}

std::string padded(const char* format, double value, size_t width) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  const std::string result = text;
  return result.size() < width ? std::string(width - result.size(), ' ') + result : result;
}

}  // namespace

std::string draw_chart(const std::vector<double>& values, const ChartOptions& options) {
  if (values.empty() || options.width < 1 || options.height < 1) return "";
  const int dots_high = options.height * kDotsDown;
  const std::vector<double> columns = resample(values, options.width * kDotsAcross);

  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double value : columns) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low > high) return "";

  Canvas canvas(options.width, options.height);
  int previous = -1;  // row of the dot on the left; -1 after a gap
  for (size_t x = 0; x < columns.size(); ++x) {
    if (!std::isfinite(columns[x])) {
      previous = -1;
      continue;
    }
    const double share = high > low ? (high - columns[x]) / (high - low) : 0.5;
    const int y = static_cast<int>(std::lround(share * (dots_high - 1)));
    // A steep step fills the column between the two dots, so that the line does not tear.
    const int from = previous < 0 ? y : (y > previous ? previous + 1 : (y < previous ? previous - 1 : y));
    for (int dot = std::min(from, y); dot <= std::max(from, y); ++dot) canvas.set(static_cast<int>(x), dot);
    previous = y;
  }

  constexpr size_t kLabelWidth = 9;
  std::string chart;
  for (int y = 0; y < options.height; ++y) {
    if (y == 0) {
      chart += padded("%.4f", high, kLabelWidth);
    } else if (y == options.height - 1) {
      chart += padded("%.4f", low, kLabelWidth);
    } else {
      chart += std::string(kLabelWidth, ' ');
    }
    chart += " " + canvas.row(y) + "\n";
  }
  const std::string first = padded("%.10g", options.first_x, 0);
  const size_t rest = static_cast<size_t>(options.width) > first.size() ? options.width - first.size() : 0;
  chart += std::string(kLabelWidth + 1, ' ') + first + padded("%.10g", options.last_x, rest) + "\n";
  return chart;
}

}  // namespace automodel
