#include "core/base/byte_size.h"

#include <gtest/gtest.h>

namespace automodel {
namespace {

TEST(ParseBytes, UnitsOfTenAndOfTwo) {
  EXPECT_EQ(parse_bytes("5GB"), 5'000'000'000);
  EXPECT_EQ(parse_bytes("2GiB"), int64_t{2} << 30);
  EXPECT_EQ(parse_bytes(" 1.5 KB "), 1500);
  EXPECT_EQ(parse_bytes("12B"), 12);
  EXPECT_EQ(parse_bytes("1024"), 1024);
}

TEST(ParseBytes, NothingElse) {
  for (const char* text : {"", "GB", "5gb", "-1", "1e300GB", "5 GB more", "nan", "inf"})
    EXPECT_FALSE(parse_bytes(text)) << text;
}

}  // namespace
}  // namespace automodel
