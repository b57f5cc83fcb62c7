#include "core/dist/thread_communicator.h"

#include <exception>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include "core/base/error.h"

namespace automodel::dist {
namespace {

using Body = std::function<void(Communicator&)>;

/// Runs `body` on `size` ranks. Returns what each threw, empty for none.
std::vector<std::string> run_ranks(int64_t size,
                                   const Body& body,
                                   std::chrono::milliseconds patience = kThreadPatience) {
  const auto communicators = make_thread_communicators(size, patience);
  std::vector<std::string> errors(static_cast<size_t>(size));
  {
    std::vector<std::jthread> threads;
    for (const auto& communicator : communicators) {
      threads.emplace_back([&] {
        try {
          body(*communicator);
        } catch (const std::exception& error) {
          errors[static_cast<size_t>(communicator->rank())] = error.what();
        }
      });
    }
  }
  return errors;
}

void expect_no_error(const std::vector<std::string>& errors) {
  for (size_t r = 0; r < errors.size(); ++r) EXPECT_EQ(errors[r], "") << "rank " << r;
}

TEST(ThreadCommunicator, EightRanksGatherReduceAndScatter) {
  constexpr int64_t kRanks = 8;
  expect_no_error(run_ranks(kRanks, [](Communicator& ranks) {
    const auto rank = static_cast<double>(ranks.rank());
    for (int round = 0; round < 20; ++round) {
      at::Tensor sum = at::full({3}, rank + round, at::kFloat);
      ranks.all_reduce("sum", sum);
      EXPECT_EQ(sum[2].item<double>(), 28 + 8 * round);

      at::Tensor whole = at::zeros({2 * kRanks}, at::kLong);
      ranks.all_gather("ids", at::arange(2 * ranks.rank(), 2 * ranks.rank() + 2, at::kLong), whole);
      EXPECT_TRUE(whole.equal(at::arange(2 * kRanks, at::kLong)));

      at::Tensor part = at::zeros({2}, at::kDouble);
      ranks.reduce_scatter("grads", at::arange(2 * kRanks, at::kDouble) * (rank + 1), part);
      EXPECT_TRUE(part.equal(at::arange(2 * ranks.rank(), 2 * ranks.rank() + 2, at::kDouble) * 36));
      ranks.barrier("round");
    }
  }));
}

TEST(ThreadCommunicator, Bfloat16IsSummedInFloat32) {
  expect_no_error(run_ranks(8, [](Communicator& ranks) {
    // 256 + 7 times 1 is 256 when each sum is rounded to 8 bits.
    at::Tensor values = at::full({1}, ranks.rank() == 0 ? 256 : 1, at::kBFloat16);
    ranks.all_reduce("sum", values);
    EXPECT_EQ(values.item<float>(), 264);
  }));
}

TEST(ThreadCommunicator, RanksExchangeUnequalAndEmptyNumbersOfRows) {
  constexpr int64_t kRanks = 3;
  // Rank r sends r rows of value 10 r + to to each rank; rank 0 sends none.
  expect_no_error(run_ranks(kRanks, [](Communicator& ranks) {
    const int64_t r = ranks.rank();
    at::Tensor rows = at::zeros({r * kRanks, 2}, at::kFloat);
    for (int64_t to = 0; to < kRanks; ++to) rows.narrow(0, to * r, r).fill_(10 * r + to);
    at::Tensor received = at::zeros({0 + 1 + 2, 2}, at::kFloat);
    ranks.all_to_all("tokens", rows, {r, r, r}, received, {0, 1, 2});
    EXPECT_EQ(received[0][0].item<int64_t>(), 10 + r);
    EXPECT_EQ(received[1][1].item<int64_t>(), 20 + r);
    EXPECT_EQ(received[2][0].item<int64_t>(), 20 + r);
  }));
}

TEST(ThreadCommunicator, MessagesArriveInTheOrderTheyWereSent) {
  expect_no_error(run_ranks(2, [](Communicator& ranks) {
    for (int64_t i = 0; i < 5; ++i) {
      at::Tensor values = at::full({4}, i, at::kLong);
      if (ranks.rank() == 0) ranks.send("hidden", values, 1);
      if (ranks.rank() == 1) {
        at::Tensor received = at::zeros({4}, at::kLong);
        ranks.receive("hidden", received, 0);
        EXPECT_TRUE(received.equal(values));
      }
    }
  }));
}

TEST(ThreadCommunicator, CallsThatDifferAreAnErrorOnEveryRankNamingBothSides) {
  const auto errors = run_ranks(8, [](Communicator& ranks) {
    at::Tensor values = at::zeros({ranks.rank() == 5 ? 7 : 9}, at::kFloat);
    ranks.all_reduce(ranks.rank() == 5 ? "layers.4" : "layers.3", values);
  });
  for (const std::string& error : errors)
    EXPECT_EQ(
        error,
        "rank 0 calls all_reduce \"layers.3\" of 9 Float, rank 5 calls all_reduce \"layers.4\" of 7 Float");
}

TEST(ThreadCommunicator, AMessageOfAnotherShapeIsAnErrorNamingBothSides) {
  const auto errors = run_ranks(2, [](Communicator& ranks) {
    at::Tensor values = at::zeros({ranks.rank() == 0 ? 4 : 8}, at::kFloat);
    ranks.rank() == 0 ? ranks.send("hidden", values, 1) : ranks.receive("hidden", values, 0);
  });
  EXPECT_EQ(errors[1],
            "rank 0 sent send \"hidden\" of 4 Float, but rank 1 receives send \"hidden\" of 8 Float");
}

TEST(ThreadCommunicator, ARankThatLeavesEndsTheWaitOfTheOthersWithItsReason) {
  const auto errors = run_ranks(4, [](Communicator& ranks) {
    if (ranks.rank() == 2) return ranks.abort("row 17 is not JSON");
    ranks.barrier("step");
  });
  EXPECT_EQ(errors[2], "");
  for (const size_t rank : {0, 1, 3}) EXPECT_EQ(errors[rank], "rank 2 left: row 17 is not JSON");
}

TEST(ThreadCommunicator, ARankThatNeverComesIsNamed) {
  const auto errors = run_ranks(
      3,
      [](Communicator& ranks) {
        if (ranks.rank() != 1) ranks.barrier("save");
      },
      std::chrono::milliseconds(200));
  EXPECT_NE(errors[0].find("rank 1 did not come to barrier \"save\""), std::string::npos) << errors[0];
  EXPECT_NE(errors[2].find("rank 1 did not come to barrier \"save\""), std::string::npos) << errors[2];
}

}  // namespace
}  // namespace automodel::dist
