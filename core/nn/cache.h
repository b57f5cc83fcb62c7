#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "core/tensor/torch.h"

namespace automodel::nn {

/// What one attention layer keeps of the tokens before: their keys, rotated at the positions they had, and
/// values. Buffers grow by doubling; no graph. One thread.
class Cache {
 public:
  /// Tokens kept.
  int64_t length() const { return length_; }

  /// Adds the keys and values of the next tokens, [B, T, K, H], and returns those of all tokens kept,
  /// [B, length(), K, H]: views that the next append() makes stale. Throws Error(kInvalidArgument) when
  /// another number of rows or heads was kept.
  std::pair<at::Tensor, at::Tensor> append(const at::Tensor& k_BTKH, const at::Tensor& v_BTKH);

 private:
  at::Tensor k_, v_;  ///< [B, capacity, K, H]
  int64_t length_ = 0;
};

/// The caches of one sequence (or of several of equal length): one a mixer, by its segment's name, made when
/// first asked for.
class SequenceCache {
 public:
  Cache& of(const std::string& segment) { return caches_[segment]; }

  /// Tokens that every mixer keeps; 0 before the first pass.
  int64_t length() const { return caches_.empty() ? 0 : caches_.begin()->second.length(); }

 private:
  std::map<std::string, Cache> caches_;
};

}  // namespace automodel::nn
