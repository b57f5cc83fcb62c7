#include "core/families/family_file.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace automodel::families {
namespace {

std::string refusal(const std::string& yaml) {
  try {
    parse_family(yaml, "mine", "mine.yaml");
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

TEST(FamilyFile, ANameOfBeforeIsRefusedWithTheOneOfNow) {
  EXPECT_NE(refusal("fields:\n  experts_per_token: {key: k}\n").find("\"num_experts_per_tok\""),
            std::string::npos)
      << refusal("fields:\n  experts_per_token: {key: k}\n");
  EXPECT_NE(refusal("fields:\n  latent_rope_dim: {key: k}\n").find("\"qk_rope_head_dim\""),
            std::string::npos);
  EXPECT_NE(refusal("weights:\n  modules:\n    moe.correction: {module: m}\n").find("\"moe.score_bias\""),
            std::string::npos);
  EXPECT_EQ(refusal("fields:\n  num_experts_per_tok: {key: k}\n").find("is called"), std::string::npos);
}

}  // namespace
}  // namespace automodel::families
