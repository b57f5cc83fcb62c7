#include "core/data/sampler.h"

#include <numeric>
#include <random>
#include <utility>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace automodel::data {
namespace {

constexpr int64_t kMaxRows = 0xffffffff / 20;

}  // namespace

std::vector<int64_t> torch_randperm(int64_t n, int64_t seed) {
  check(n < kMaxRows,
        ErrorCode::kUnsupported,
        "a set of ",
        with_thousands(n),
        " rows cannot be shuffled; at most ",
        with_thousands(kMaxRows - 1),
        "; set dataloader.shuffle: false or divide the set");
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::mt19937 random(static_cast<uint32_t>(seed));
  for (int64_t i = 0; i + 1 < n; ++i) {
    const auto step = static_cast<int64_t>(random() % static_cast<uint64_t>(n - i));
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(i + step)]);
  }
  return order;
}

std::vector<int64_t> epoch_rows(int64_t num_rows, int64_t epoch, const SamplerOptions& options) {
  ensure(options.dp_size > 0 && options.dp_rank >= 0 && options.dp_rank < options.dp_size,
         "rank ",
         options.dp_rank,
         " of ",
         options.dp_size);
  std::vector<int64_t> order;
  if (options.shuffle) {
    order = torch_randperm(num_rows, options.seed + epoch);
  } else {
    order.resize(static_cast<size_t>(num_rows));
    std::iota(order.begin(), order.end(), 0);
  }
  std::vector<int64_t> rows;
  const int64_t rows_per_rank = num_rows / options.dp_size;
  rows.reserve(static_cast<size_t>(rows_per_rank));
  for (int64_t i = 0; i < rows_per_rank; ++i) {
    rows.push_back(order[static_cast<size_t>(i * options.dp_size + options.dp_rank)]);
  }
  return rows;
}

}  // namespace automodel::data
