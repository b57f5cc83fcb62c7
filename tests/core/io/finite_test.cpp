#include "core/io/finite.h"

#include <array>
#include <limits>

#include <gtest/gtest.h>

namespace automodel::io {
namespace {

template <class Bits, size_t N>
int64_t count(DType dtype, const std::array<Bits, N>& values) {
  return count_non_finite({"x",
                           dtype,
                           {static_cast<int64_t>(N)},
                           reinterpret_cast<const std::byte*>(values.data()),
                           static_cast<int64_t>(sizeof values)});
}

TEST(Finite, InfinitiesAndNansAreCountedInEveryFloatingType) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(
      count(DType::kFloat32, std::array{1.0f, -kInf, kNan, std::numeric_limits<float>::max(), 0.0f, 1e-44f}),
      2);
  EXPECT_EQ(
      count(DType::kFloat64,
            std::array{1.0, std::numeric_limits<double>::max(), -std::numeric_limits<double>::infinity()}),
      1);
  // Largest finite, infinity, minus infinity, a NaN, smallest.
  EXPECT_EQ(count(DType::kBFloat16, std::array<uint16_t, 5>{0x7f7f, 0x7f80, 0xff80, 0x7fc1, 0x0001}), 3);
  EXPECT_EQ(count(DType::kFloat16, std::array<uint16_t, 5>{0x7bff, 0x7c00, 0xfc00, 0x7e01, 0x0001}), 3);
  EXPECT_EQ(count(DType::kInt32, std::array<uint32_t, 1>{0x7f800000u}), 0);
}

}  // namespace
}  // namespace automodel::io
