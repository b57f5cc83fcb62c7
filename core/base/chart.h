#pragma once

#include <string>
#include <vector>

namespace automodel {

struct ChartOptions {
  int width = 64;      ///< character columns of the plot, without the axis labels
  int height = 12;     ///< character rows of the plot
  double first_x = 0;  ///< label under the first value
  double last_x = 0;   ///< label under the last value
};

/// Draws values, equally spaced in x, as a line of Braille dots (two columns and four rows of dots a
/// character) with the largest and smallest value on the left. Where several values share a column of dots
/// their mean is drawn. Values that are not finite leave a gap. Empty when no value is finite. UTF-8; every
/// line ends with a newline.
std::string draw_chart(const std::vector<double>& values, const ChartOptions& options);

}  // namespace automodel
