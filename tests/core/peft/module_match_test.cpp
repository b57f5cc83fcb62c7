#include "core/peft/module_match.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace automodel::peft {
namespace {

// Expected values: Python's re with the reference's two substitutions, run once by hand:
//   p = re.sub(r"(?<!\.)\*", ".*", p); p = re.sub(r"\.\*", "(.*)", p); bool(re.match("^" + p + "$", name))
struct Case {
  const char* pattern;
  const char* module;
  bool matches;
};

TEST(ModuleMatch, MeansWhatTheReferenceMeans) {
  constexpr const char* kQ1 = "model.layers.1.self_attn.q_proj";
  constexpr const char* kQ12 = "model.layers.12.self_attn.q_proj";
  const Case cases[] = {
      {"*_proj", kQ1, true},
      {"*.q_proj", kQ1, true},
      {"*q_proj", kQ1, true},
      {"*", "lm_head", true},
      {"*.lm_head", "lm_head", false},
      {"*lm_head*", "lm_head", true},
      {"q_proj", kQ1, false},
      {"model.layers.1.self_attn.q_proj", kQ1, true},
      {"*.layers.1.*.q_proj", kQ1, true},
      {"*.layers.1.*.q_proj", kQ12, true},  // ".*" swallows the dot: layer 12 is meant too
      {"*.layers.1.self_attn.*", kQ12, false},
      {"*layers.1.self_attn*", kQ1, true},
      {"*k_proj", kQ1, false},
      {"*.qXproj", kQ1, false},
      {"*.q.proj", kQ1, true},  // a dot is any one character
      {"**", kQ1, true},
      {".*", kQ1, true},
      {"*.", kQ1, true},
      {"*proj*proj", kQ1, false},
      {"", kQ1, false},
  };
  for (const Case& c : cases)
    EXPECT_EQ(matches_module(c.pattern, c.module), c.matches) << c.pattern << " " << c.module;
}

TEST(ModuleMatch, ManyStarsTakeNoTime) {
  std::string pattern(64, '*');
  pattern.push_back('x');
  EXPECT_FALSE(matches_module(pattern, std::string(4096, 'a')));
}

const std::vector<std::string> kLinears = {"layers.0.q_proj", "layers.0.out", "layers.1.q_proj", "lm_head"};

TEST(ModuleMatch, SelectsByTargetsExclusionsAllAndByDefault) {
  config::PeftConfig peft;
  EXPECT_EQ(select_modules(peft, kLinears), (std::vector<std::string>{"layers.0.q_proj", "layers.1.q_proj"}));
  peft.match_all_linear = true;
  EXPECT_EQ(select_modules(peft, kLinears), kLinears);
  peft.match_all_linear = false;
  peft.exclude_modules = {"*q_proj"};
  EXPECT_EQ(select_modules(peft, kLinears), (std::vector<std::string>{"layers.0.out", "lm_head"}));
  peft.exclude_modules.clear();
  peft.target_modules = {"lm_head", "*.out"};
  EXPECT_EQ(select_modules(peft, kLinears), (std::vector<std::string>{"layers.0.out", "lm_head"}));
}

TEST(ModuleMatch, APatternForNothingIsAnErrorThatNamesWhatThereIs) {
  config::PeftConfig peft;
  peft.target_modules = {"*.w1"};
  try {
    select_modules(peft, kLinears);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfig);
    EXPECT_NE(error.message().find("*.w1"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("layers.0.q_proj"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace automodel::peft
