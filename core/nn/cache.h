#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "core/tensor/torch.h"

namespace automodel::nn {

/// What the mixers of one layer keep of the tokens before: attention their keys, rotated at the positions
/// they had, and values; scans and convolutions a state. Buffers grow by doubling; no graph. One thread.
class Cache {
 public:
  /// Tokens whose keys and values are kept.
  int64_t length() const { return length_; }

  /// Tokens that went by, whatever is kept of them.
  int64_t seen() const { return std::max(length_, counted_); }

  /// A state by its name, undefined at first; its owner replaces it.
  at::Tensor& state(const std::string& name) { return states_[name]; }

  /// Notes that the states hold `added` more tokens.
  void count(int64_t added) { counted_ += added; }

  /// Adds the keys and values of the next tokens, [B, T, K, H], and returns those of all tokens kept,
  /// [B, length(), K, H]: views that the next append() makes stale. Throws Error(kInvalidArgument) when
  /// another number of rows or heads was kept.
  std::pair<at::Tensor, at::Tensor> append(const at::Tensor& k_BTKH, const at::Tensor& v_BTKH);

 private:
  at::Tensor k_, v_;  ///< [B, capacity, K, H]
  int64_t length_ = 0;
  std::map<std::string, at::Tensor> states_;
  int64_t counted_ = 0;
};

/// The caches of one sequence (or of several of equal length): one a mixer, by its segment's name, made when
/// first asked for.
class SequenceCache {
 public:
  Cache& of(const std::string& segment) { return caches_[segment]; }

  /// Tokens that went by; 0 before the first pass.
  int64_t length() const {
    int64_t longest = 0;
    for (const auto& [segment, cache] : caches_) longest = std::max(longest, cache.seen());
    return longest;
  }

 private:
  std::map<std::string, Cache> caches_;
};

}  // namespace automodel::nn
