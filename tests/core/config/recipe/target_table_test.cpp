#include "core/config/recipe/target_table.h"

#include <set>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace automodel::config {
namespace {

std::string message_of(TargetRole role, const std::string& name, ErrorCode expected) {
  try {
    find_target(role, name);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), expected) << error.what();
    return error.message();
  }
  ADD_FAILURE() << name << " was found";
  return "";
}

TEST(TargetTable, NamesAreUniqueInTheirRole) {
  std::set<std::pair<int, std::string_view>> seen;
  for (const Target& target : target_table()) {
    EXPECT_TRUE(seen.emplace(static_cast<int>(target.role), target.name).second) << target.name;
  }
}

TEST(TargetTable, WrongModulePathFindsTheClass) {
  const std::string message =
      message_of(TargetRole::kDataset, "nemo_automodel.datasets.ChatDataset", ErrorCode::kConfig);
  EXPECT_NE(message.find("did you mean nemo_automodel.components.datasets.llm.chat_dataset.ChatDataset?"),
            std::string::npos)
      << message;
}

TEST(TargetTable, NameOfAnotherSectionIsSaidSo) {
  EXPECT_NE(
      message_of(TargetRole::kLoss, "torch.optim.AdamW", ErrorCode::kConfig).find("no place in this section"),
      std::string::npos);
}

TEST(TargetTable, UsersPythonIsNotSupported) {
  message_of(TargetRole::kDataset, "./mine.py:build", ErrorCode::kUnsupported);
  message_of(TargetRole::kDataset, "my_company.data.build", ErrorCode::kUnsupported);
}

TEST(TargetTable, KnownButMissingSaysWhatIsMissing) {
  EXPECT_NE(message_of(TargetRole::kOptimizer, "dion.Muon", ErrorCode::kUnsupported).find("Muon"),
            std::string::npos);
}

}  // namespace
}  // namespace automodel::config
