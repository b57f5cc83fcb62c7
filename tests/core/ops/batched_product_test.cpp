#include "core/ops/batched_product.h"

#include <gtest/gtest.h>

#include <ATen/Parallel.h>
#include <ATen/ops/randn.h>

#include "core/base/error.h"

namespace automodel::ops {
namespace {

/// Of 1 and of 3 threads.
template <class F>
std::vector<at::Tensor> with_threads(F make) {
  const int before = at::get_num_threads();
  std::vector<at::Tensor> results;
  for (const int threads : {1, 3}) {
    at::set_num_threads(threads);
    results.push_back(make());
  }
  at::set_num_threads(before);
  return results;
}

TEST(BatchedProduct, OfOperandsAndResultsInsideWiderTensorsWhateverTheThreads) {
  for (const int64_t n : {1, 2, 10}) {
    for (const int64_t l : {16, 64}) {
      for (const int64_t k : {16, 128}) {
        const at::Tensor pairs = at::randn({n, 2 * l, k}), scores = at::randn({n, 2 * l, l});
        const at::Tensor keys = pairs.narrow(1, l, l), begin = at::randn({n, 2 * l, k});
        const auto found = with_threads([&] {
          at::Tensor out = begin.clone();
          batched_product_out(scores, keys, out, /*accumulate=*/true);
          batched_product_out(scores.transpose(1, 2), pairs, out.narrow(1, l, l));
          return out;
        });
        EXPECT_TRUE(found[0].equal(found[1])) << n << " " << l << " " << k;
        const auto wide = [](const at::Tensor& x) { return x.to(at::kDouble); };
        at::Tensor expected = wide(begin) + wide(scores).matmul(wide(keys));
        expected.narrow(1, l, l).copy_(wide(scores).transpose(1, 2).matmul(wide(pairs)));
        EXPECT_LT((wide(found[0]) - expected).abs().max().item<double>(), 1e-4);
      }
    }
  }
}

TEST(BatchedProduct, OfTransposedKeysWhateverTheThreads) {
  const at::Tensor a = at::randn({3, 128, 64}), b = at::randn({3, 64, 64});
  const auto found = with_threads([&] { return batched_product(a, b.transpose(1, 2)); });
  EXPECT_TRUE(found[0].equal(found[1]));
  const at::Tensor expected = a.to(at::kDouble).matmul(b.to(at::kDouble).transpose(1, 2));
  EXPECT_LT((found[0].to(at::kDouble) - expected).abs().max().item<double>(), 1e-4);
}

TEST(BatchedProduct, RefusesWhatItCannotRead) {
  EXPECT_THROW(batched_product(at::randn({2, 4, 8}).slice(2, 0, 8, 2), at::randn({2, 4, 4})), Error);
  EXPECT_THROW(
      batched_product(at::randn({2, 4, 8}).to(at::kBFloat16), at::randn({2, 8, 4}).to(at::kBFloat16)), Error);
}

}  // namespace
}  // namespace automodel::ops
