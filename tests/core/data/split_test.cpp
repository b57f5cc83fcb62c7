#include "core/data/split.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace automodel::data {
namespace {

using Range = std::pair<int64_t, int64_t>;

Range rows(const std::string& split, int64_t num_rows) {
  return parse_split(split).rows(num_rows);
}

// The arithmetic of the datasets library: int(round(percent * n / 100)), then as a Python slice.
TEST(Split, TakesTheRowsThatTheDatasetsLibraryTakes) {
  EXPECT_EQ(rows("train", 10), Range(0, 10));
  EXPECT_EQ(rows("", 10), Range(0, 10));
  EXPECT_EQ(rows("train[:3]", 10), Range(0, 3));
  EXPECT_EQ(rows("train[3:]", 10), Range(3, 10));
  EXPECT_EQ(rows("train[3:7]", 10), Range(3, 7));
  EXPECT_EQ(rows("train[-3:]", 10), Range(7, 10));
  EXPECT_EQ(rows("train[:-3]", 10), Range(0, 7));
  EXPECT_EQ(rows("train[:100]", 10), Range(0, 10));
  EXPECT_EQ(rows("train[10%:20%]", 205), Range(20, 41));  // 20.5 and 41: halves go to the even row
  EXPECT_EQ(rows("train[50%:]", 3), Range(2, 3));
  EXPECT_EQ(rows("train[-10%:]", 100), Range(90, 100));
  EXPECT_EQ(rows("train[7:3]", 10), Range(7, 7));
  EXPECT_EQ(parse_split("validation[:3]").name, "validation");
}

TEST(Split, RefusesWhatIsNotASplit) {
  for (const char* text : {"train[",
                           "train[:10",
                           "train[10]",
                           "train[a:b]",
                           "train[:10]x",
                           "[:10]",
                           "train[:10%%]",
                           "train[:101%]",
                           "train[1:20%]",
                           "train[:5]+test",
                           "train[:99999999999999999999]"}) {
    EXPECT_THROW(parse_split(text), Error) << text;
  }
}

}  // namespace
}  // namespace automodel::data
