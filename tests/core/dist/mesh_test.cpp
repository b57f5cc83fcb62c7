#include "core/dist/mesh.h"

#include <set>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace automodel::dist {
namespace {

TEST(Mesh, OneProcessIsTheMeshOfSizeOne) {
  const Mesh mesh;
  EXPECT_EQ(mesh.world_size(), 1);
  EXPECT_EQ(mesh.dp_size(), 1);
  EXPECT_EQ(mesh.dp_rank(), 0);
}

TEST(Mesh, TensorParallelRanksAreNeighboursAndEveryPlaceIsTakenOnce) {
  std::set<std::array<int64_t, kNumAxes>> places;
  for (int64_t rank = 0; rank < 24; ++rank) {
    const Mesh mesh({1, 2, 3, 1, 4}, rank);
    EXPECT_EQ(mesh.coordinate(Axis::kTp), rank % 4);
    EXPECT_EQ(mesh.dp_rank(), rank / 4);
    places.insert({mesh.coordinate(Axis::kPp),
                   mesh.coordinate(Axis::kDpReplicate),
                   mesh.coordinate(Axis::kDpShard),
                   mesh.coordinate(Axis::kCp),
                   mesh.coordinate(Axis::kTp)});
  }
  EXPECT_EQ(places.size(), 24u);
}

TEST(Mesh, ARecipeLeavesTheRestOfTheWorldToDpShard) {
  config::DistributedConfig config;
  config.tp_size = 2;
  config.dp_replicate_size = 2;
  const Mesh mesh = Mesh::from_recipe(config, 16, 0);
  EXPECT_EQ(mesh.size(Axis::kDpShard), 4);
  EXPECT_EQ(mesh.dp_size(), 8);
}

TEST(Mesh, WorldsThatDoNotFitAreRefused) {
  config::DistributedConfig config;
  config.tp_size = 3;
  EXPECT_THROW(Mesh::from_recipe(config, 8, 0), Error);
  config.tp_size = 1;
  config.dp_size = 4;
  EXPECT_THROW(Mesh::from_recipe(config, 8, 0), Error);
  EXPECT_THROW(Mesh({1, 1, 2, 1, 1}, 2), Error);
}

}  // namespace
}  // namespace automodel::dist
