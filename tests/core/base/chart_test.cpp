#include "core/base/chart.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/strings.h"

namespace automodel {
namespace {

/// Whether any dot is set in the character at (column, row) of the plot; labels take ten columns.
bool has_dots(const std::string& chart, int column, int row) {
  const std::string line = split(chart, '\n').at(static_cast<size_t>(row)).substr(10);
  return line.substr(static_cast<size_t>(column) * 3, 3) != "\xE2\xA0\x80";  // U+2800, no dot
}

TEST(Chart, AFallingLineGoesFromTheUpperLeftToTheLowerRight) {
  const std::string chart = draw_chart({3.0, 2.0, 1.0}, {.width = 9, .height = 3, .first_x = 0, .last_x = 2});
  EXPECT_TRUE(has_dots(chart, 0, 0));
  EXPECT_TRUE(has_dots(chart, 4, 1));
  EXPECT_TRUE(has_dots(chart, 8, 2));
  EXPECT_FALSE(has_dots(chart, 8, 0));
  EXPECT_FALSE(has_dots(chart, 0, 2));
}

TEST(Chart, LabelsTheLargestAndSmallestValueAndTheEndsOfTheAxis) {
  const std::vector<std::string> lines =
      split(draw_chart({7.61436, 6.12311}, {.width = 10, .height = 4, .first_x = 0, .last_x = 19}), '\n');
  ASSERT_EQ(lines.size(), 6u);  // four rows, the axis, and nothing after the last newline
  EXPECT_EQ(lines[0].substr(0, 10), "   7.6144 ");
  EXPECT_EQ(lines[3].substr(0, 10), "   6.1231 ");
  EXPECT_EQ(lines[4], "          0       19");
}

TEST(Chart, ManyValuesAreAveragedSoThatNoiseDoesNotSetTheScale) {
  std::vector<double> values(1000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = i % 2 ? 0.0 : 2.0;
  const std::string chart = draw_chart(values, {.width = 5, .height = 2});
  EXPECT_EQ(chart.substr(0, 10), "   1.0000 ");
}

TEST(Chart, ValuesThatAreNotFiniteLeaveAGap) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string chart = draw_chart({1.0, 1.0, nan, nan, nan, nan, 1.0, 1.0}, {.width = 4, .height = 1});
  EXPECT_TRUE(has_dots(chart, 0, 0));
  EXPECT_FALSE(has_dots(chart, 2, 0));
  EXPECT_TRUE(has_dots(chart, 3, 0));
  EXPECT_EQ(draw_chart({nan, std::numeric_limits<double>::infinity()}, {}), "");
}

TEST(Chart, NothingToDrawIsEmptyAndOneValueIsAFlatLine) {
  EXPECT_EQ(draw_chart({}, {}), "");
  const std::string chart = draw_chart({5.0}, {.width = 3, .height = 3});
  for (int column = 0; column < 3; ++column) EXPECT_TRUE(has_dots(chart, column, 1));
  EXPECT_FALSE(has_dots(chart, 0, 0));
}

}  // namespace
}  // namespace automodel
