#include "core/tensor/host_product.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace automodel::tensor {
namespace {

/// a [2, 3] within rows of 4, b [3, 2], c [2, 2] within rows of 3.
template <class T>
void check(bool transpose_a, bool transpose_b) {
  const std::vector<T> a =
      transpose_a ? std::vector<T>{1, 4, 2, 5, 3, 6} : std::vector<T>{1, 2, 3, 0, 4, 5, 6, 0};
  const std::vector<T> b =
      transpose_b ? std::vector<T>{7, 9, 11, 8, 10, 12} : std::vector<T>{7, 8, 9, 10, 11, 12};
  std::vector<T> c = {1, 2, 3, 4, 5, 6};
  host_product<T>(transpose_a,
                  transpose_b,
                  2,
                  2,
                  3,
                  2,
                  {a.data(), transpose_a ? 2 : 4},
                  {b.data(), transpose_b ? 3 : 2},
                  1,
                  {c.data(), 3});
  EXPECT_EQ(c, (std::vector<T>{1 + 2 * 58, 2 + 2 * 64, 3, 4 + 2 * 139, 5 + 2 * 154, 6}));
}

TEST(HostProduct, AddsTheProductOfEitherOrientation) {
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      check<float>(transpose_a, transpose_b);
      check<double>(transpose_a, transpose_b);
    }
  }
}

TEST(HostProduct, OverwritesWhatIsNotKept) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> a = {2}, b = {3};
  std::vector<float> c = {nan};
  host_product<float>(false, false, 1, 1, 1, 1, {a.data(), 1}, {b.data(), 1}, 0, {c.data(), 1});
  EXPECT_EQ(c[0], 6.0f);
}

}  // namespace
}  // namespace automodel::tensor
