#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor/torch.h"

namespace automodel::tensor {

/// Every tensor of a flat buffer starts at a multiple of this many elements.
constexpr int64_t kAlignment = 256;

/// How tensor parallelism may cut a parameter: along one dimension, every fused part by itself.
struct Cut {
  int64_t dim = -1;     ///< -1: every rank holds the whole parameter
  int64_t granule = 1;  ///< rows or columns that stay together: a head's, a group's
  int64_t parts = 1;    ///< fused along `dim` (gate and up: 2), each cut alike

  bool operator==(const Cut&) const = default;
};

/// A parameter and its place in a flat buffer.
struct Parameter {
  std::string name;                    ///< Hugging Face's
  std::vector<int64_t> shape;          ///< logical: that of the whole model
  std::vector<int64_t> local_shape{};  ///< in this memory; empty: `shape`
  Cut cut{};
  int64_t offset = 0;  ///< in elements, a multiple of kAlignment; set by FlatLayout
  int64_t numel = 0;   ///< of the local shape; set by FlatLayout
};

/// The shape of one rank's part of a parameter that `num_ranks` ranks share. Throws Error(kInternal) unless
/// granules divide among the ranks.
std::vector<int64_t> local_shape(const std::vector<int64_t>& shape, const Cut& cut, int64_t num_ranks);

/// Names, shapes and offsets of the parameters in one flat buffer. A value; holds no memory.
class FlatLayout {
 public:
  /// Sets offsets in the order given, and local shapes that are empty.
  explicit FlatLayout(std::vector<Parameter> parameters);

  const std::vector<Parameter>& parameters() const { return parameters_; }

  /// Elements of a buffer, gaps between parameters included.
  int64_t size() const { return size_; }

  /// The part of `flat` [size()] that belongs to a parameter, in its local shape.
  at::Tensor view(const at::Tensor& flat, size_t index) const;

  /// `count` parameters from `first` as one matrix [sum of rows, columns], or vectors as one vector; only
  /// where contiguous(first, count).
  at::Tensor joined(const at::Tensor& flat, size_t first, size_t count) const;

  /// Whether these matrices of equal width, or these vectors, lie without gaps.
  bool contiguous(size_t first, size_t count) const;

 private:
  std::vector<Parameter> parameters_;
  int64_t size_ = 0;
};

}  // namespace automodel::tensor
