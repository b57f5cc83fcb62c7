#pragma once

#include <cstdint>
#include <vector>

namespace automodel::data {

/// Which rows of a set a rank sees, and in which order.
struct SamplerOptions {
  int64_t seed = 42;
  int64_t dp_rank = 0;
  int64_t dp_size = 1;
  bool shuffle = true;
};

/// The order of `n` rows that torch.randperm gives with a CPU generator seeded by `seed`.
/// Throws Error(kUnsupported) for 214,748,364 rows or more: torch draws otherwise from there on.
std::vector<int64_t> torch_randperm(int64_t n, int64_t seed);

/// The rows of one rank in one epoch, as the reference's distributed sampler gives them: randperm seeded with
/// seed + epoch (or 0, 1, 2, ... without shuffle), the last n mod dp_size rows dropped, every dp_size-th row.
std::vector<int64_t> epoch_rows(int64_t num_rows, int64_t epoch, const SamplerOptions& options);

}  // namespace automodel::data
