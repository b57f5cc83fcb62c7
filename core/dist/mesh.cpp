#include "core/dist/mesh.h"

#include <functional>
#include <numeric>

#include "core/base/error.h"

namespace automodel::dist {

std::string_view axis_name(Axis axis) {
  constexpr std::array<std::string_view, kNumAxes> kNames = {"pp", "dp_replicate", "dp_shard", "cp", "tp"};
  return kNames[static_cast<size_t>(axis)];
}

Mesh::Mesh(const std::array<int64_t, kNumAxes>& sizes, int64_t rank) : sizes_(sizes) {
  for (size_t i = 0; i < kNumAxes; ++i) {
    check(sizes[i] >= 1,
          ErrorCode::kConfig,
          "mesh: ",
          axis_name(static_cast<Axis>(i)),
          " is ",
          sizes[i],
          "; expected at least 1");
  }
  check(rank >= 0 && rank < world_size(),
        ErrorCode::kConfig,
        "mesh: rank ",
        rank,
        " of ",
        world_size(),
        " processes");
  for (size_t i = kNumAxes; i-- > 0;) {
    coordinates_[i] = rank % sizes_[i];
    rank /= sizes_[i];
  }
}

Mesh Mesh::from_recipe(const config::DistributedConfig& config, int64_t world_size, int64_t rank) {
  const int64_t others = config.pp_size * config.dp_replicate_size * config.cp_size * config.tp_size;
  check(others >= 1 && world_size % others == 0,
        ErrorCode::kConfig,
        "distributed: pp x dp_replicate x cp x tp = ",
        others,
        " does not divide the ",
        world_size,
        " processes");
  const int64_t dp_shard = world_size / others;
  const int64_t dp_size = dp_shard * config.dp_replicate_size;
  check(!config.dp_size || *config.dp_size == dp_size,
        ErrorCode::kConfig,
        "distributed.dp_size is ",
        config.dp_size.value_or(0),
        ", but ",
        world_size,
        " processes leave ",
        dp_size,
        "; leave it out to take what is there");
  return Mesh({config.pp_size, config.dp_replicate_size, dp_shard, config.cp_size, config.tp_size}, rank);
}

int64_t Mesh::world_size() const {
  return std::accumulate(sizes_.begin(), sizes_.end(), int64_t{1}, std::multiplies<>());
}

}  // namespace automodel::dist
