#pragma once

#include <cstdint>
#include <vector>

namespace automodel::data {

/// The order in which Python's `random.Random(seed).shuffle(list)` leaves a list of n items: result[i] is the
/// old index of the item now at i. The reference shuffles rows so before it takes a slice (shuffle_seed).
/// seed  any; its absolute value counts, as in Python.  n < 2^32
std::vector<int64_t> python_shuffle(int64_t n, int64_t seed);

}  // namespace automodel::data
