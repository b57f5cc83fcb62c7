#include "core/config/schema/other_tools.h"

#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "core/base/strings.h"
#include "core/config/recipe/sections.h"

namespace automodel::config {
namespace {

/// Whether some section of `path`'s first part has an option of its second one, and so on.
bool is_option(const Section& section, const std::vector<std::string>& path, size_t at) {
  const Option* option = section.find(path[at]);
  if (option == nullptr) return false;
  if (at + 1 == path.size()) return option->fate == KeyStatus::kUsed && option->refusal.empty();
  return std::any_of(option->sections.begin(), option->sections.end(), [&](const Section* below) {
    return is_option(*below, path, at + 1);
  });
}

TEST(ForeignWords, EveryKeyThatIsNamedIsAnOptionThatDoesSomething) {
  for (const ForeignWord& row : foreign_words()) {
    EXPECT_TRUE(!row.here.empty() || !row.note.empty()) << row.word;
    if (row.here.empty()) continue;
    EXPECT_TRUE(is_option(recipe_section(), split(row.here, '.'), 0)) << row.word << " -> " << row.here;
  }
}

TEST(ForeignWords, StandOnceAndAreNoKeysOfTheSectionsTheyPointInto) {
  std::set<std::string_view> seen;
  for (const ForeignWord& row : foreign_words()) {
    EXPECT_TRUE(seen.insert(row.word).second) << row.word;
    EXPECT_EQ(row.word.find('-'), std::string_view::npos) << row.word;
  }
}

TEST(ForeignWords, DashesAreUnderscores) {
  ASSERT_NE(find_foreign_word("learning-rate"), nullptr);
  EXPECT_EQ(find_foreign_word("learning-rate")->here, "optimizer.lr");
  EXPECT_EQ(find_foreign_word("lr"), nullptr);
}

}  // namespace
}  // namespace automodel::config
