#include "core/data/sampler.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/data/python_random.h"

namespace automodel::data {
namespace {

using Rows = std::vector<int64_t>;

Rows head(const Rows& rows) {
  return {rows.begin(), rows.begin() + std::min<int64_t>(8, std::ssize(rows))};
}

// torch 2.11: torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()[:8]
TEST(Sampler, GivesTorchsRandperm) {
  EXPECT_EQ(torch_randperm(5, 0), (Rows{4, 0, 1, 3, 2}));
  EXPECT_EQ(head(torch_randperm(200, 1111)), (Rows{100, 82, 151, 110, 56, 76, 20, 67}));
  EXPECT_EQ(head(torch_randperm(7473, 42)), (Rows{7035, 3620, 4357, 457, 1205, 6524, 1978, 831}));
  EXPECT_EQ(head(torch_randperm(100000, 123456791)),
            (Rows{26965, 70176, 12014, 83312, 13862, 10699, 66091, 41202}));
  EXPECT_EQ(torch_randperm(1, 7), (Rows{0}));
  EXPECT_EQ(torch_randperm(0, 7), Rows{});
}

TEST(Sampler, AnEpochAddsToTheSeed) {
  EXPECT_EQ(epoch_rows(200, 3, {.seed = 1108}), torch_randperm(200, 1111));
  Rows in_order(10);
  std::iota(in_order.begin(), in_order.end(), 0);
  EXPECT_EQ(epoch_rows(10, 3, {.shuffle = false}), in_order);
}

TEST(Sampler, RanksTakeAStrideAndTheRestIsDropped) {
  const Rows whole = torch_randperm(11, 42);
  for (int64_t rank = 0; rank < 3; ++rank) {
    const Rows rows = epoch_rows(11, 0, {.dp_rank = rank, .dp_size = 3});
    EXPECT_EQ(rows, (Rows{whole[rank], whole[rank + 3], whole[rank + 6]}));
  }
  EXPECT_EQ(epoch_rows(2, 0, {.dp_size = 3}), Rows{});
}

TEST(Sampler, RefusesMoreRowsThanTorchDrawsInThisWay) {
  EXPECT_THROW(torch_randperm(214748364, 0), Error);
}

// CPython 3.11: r = list(range(n)); random.Random(seed).shuffle(r); r[:8]
TEST(PythonShuffle, GivesPythonsOrder) {
  EXPECT_EQ(head(python_shuffle(10, 42)), (Rows{7, 3, 2, 8, 5, 6, 9, 4}));
  EXPECT_EQ(head(python_shuffle(1000, 0)), (Rows{439, 621, 160, 549, 237, 389, 658, 507}));
  EXPECT_EQ(head(python_shuffle(1000, -7)), (Rows{878, 857, 349, 313, 382, 850, 927, 194}));
  EXPECT_EQ(head(python_shuffle(5000, 12345678901)), (Rows{3228, 3337, 1563, 4332, 369, 4947, 3134, 3395}));
  EXPECT_EQ(python_shuffle(1, 3), (Rows{0}));
}

}  // namespace
}  // namespace automodel::data
