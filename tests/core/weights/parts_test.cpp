#include "core/weights/parts.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/weights/roles.h"

namespace automodel::weights {
namespace {

TEST(Parts, EveryRoleIsOfOnePart) {
  for (const Role& role : roles()) EXPECT_FALSE(name_of(part_of(role.name)).empty()) << role.name;
}

TEST(Parts, NormsCountAsNormsWhereverTheyStand) {
  for (const char* role :
       {"norm.mixer.weight", "norm.head.bias", "attention.q_norm.weight", "mamba2.norm.weight"})
    EXPECT_EQ(part_of(role), Part::kNorms) << role;
}

TEST(Parts, ExpertsTheirRouterAndSharedOnesAreApart) {
  EXPECT_EQ(part_of("moe.experts.gate_up.weight"), Part::kExperts);
  EXPECT_EQ(part_of("moe.shared.down.weight"), Part::kSharedExperts);
  EXPECT_EQ(part_of("moe.shared_gate.weight"), Part::kRouter);
  EXPECT_EQ(part_of("moe.router.bias"), Part::kRouter);
}

TEST(Parts, AnUnknownRoleIsAnError) {
  EXPECT_THROW(part_of("adapter.a.weight"), Error);
}

}  // namespace
}  // namespace automodel::weights
