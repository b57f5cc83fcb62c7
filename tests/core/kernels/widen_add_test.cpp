#include "core/kernels/widen_add.h"

#include <gtest/gtest.h>

#include "tests/core/kernels/cases.h"

namespace automodel::kernels {
namespace {

TEST(WidenAdd, OverwritesOrAddsTheExactValue) {
  for (const int64_t n : testing::flat_sizes()) {
    const std::vector<float> start = testing::normal(n, 1), values = testing::normal(n, 2);
    std::vector<BF16> from(values.size());
    for (size_t i = 0; i < from.size(); ++i) store(from[i], values[i]);
    std::vector<float> to = start;
    widen_add(from.data(), to.data(), n, true);
    for (size_t i = 0; i < from.size(); ++i) ASSERT_EQ(to[i], start[i] + load(from[i])) << n << " at " << i;
    widen_add(from.data(), to.data(), n, false);
    for (size_t i = 0; i < from.size(); ++i) ASSERT_EQ(to[i], load(from[i])) << n << " at " << i;
  }
}

}  // namespace
}  // namespace automodel::kernels
