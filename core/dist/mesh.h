#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/config/recipe/recipe.h"

namespace automodel::dist {

/// Axes of the mesh, outermost first: ranks that differ in the last axis only are neighbours.
enum class Axis { kPp, kDpReplicate, kDpShard, kCp, kTp };

constexpr size_t kNumAxes = 5;

/// "pp", "dp_replicate", "dp_shard", "cp", "tp".
std::string_view axis_name(Axis axis);

/// The sizes of all axes and one rank's coordinates. A value: copied freely, never changed.
class Mesh {
 public:
  /// One process.
  Mesh() : Mesh({1, 1, 1, 1, 1}, 0) {}

  /// Throws Error(kConfig) when a size is below 1 or the rank is not below their product.
  Mesh(const std::array<int64_t, kNumAxes>& sizes, int64_t rank);

  /// The mesh of a recipe in a world of so many processes: what tp, cp, pp and dp_replicate leave is
  /// dp_shard. Throws Error(kConfig) when they do not divide the world, or distributed.dp_size says
  /// otherwise.
  static Mesh from_recipe(const config::DistributedConfig& config, int64_t world_size, int64_t rank);

  int64_t size(Axis axis) const { return sizes_[static_cast<size_t>(axis)]; }

  int64_t coordinate(Axis axis) const { return coordinates_[static_cast<size_t>(axis)]; }

  int64_t world_size() const;

  /// Ranks that see different rows: dp_replicate x dp_shard, and this rank's place among them.
  int64_t dp_size() const { return size(Axis::kDpReplicate) * size(Axis::kDpShard); }

  int64_t dp_rank() const {
    return coordinate(Axis::kDpReplicate) * size(Axis::kDpShard) + coordinate(Axis::kDpShard);
  }

 private:
  std::array<int64_t, kNumAxes> sizes_;
  std::array<int64_t, kNumAxes> coordinates_{};
};

}  // namespace automodel::dist
