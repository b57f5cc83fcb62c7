#include "core/peft/module_match.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/strings.h"

namespace automodel::peft {
namespace {

constexpr const char* kDefaultTarget = "*_proj";
constexpr char kAnyText = '*';
constexpr char kAnyOne = '.';

/// '*' and '.' of the pattern as what they stand for: a dot before a star belongs to the star, unless another
/// star did so already.
std::string tokens_of(std::string_view pattern) {
  std::string tokens;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '.' && i + 1 < pattern.size() && pattern[i + 1] == '*') continue;
    tokens += pattern[i];
  }
  return tokens;
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& module) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return pattern == module || matches_module(pattern, module);
  });
}

void warn_of_idle(const char* key,
                  const std::vector<std::string>& patterns,
                  const std::vector<std::string>& linears) {
  for (const std::string& pattern : patterns) {
    const bool idle = std::none_of(linears.begin(), linears.end(), [&](const std::string& module) {
      return matches_any({pattern}, module);
    });
    if (idle) log::warning("peft.", key, ": \"", pattern, "\" stands for no linear of this model");
  }
}

}  // namespace

bool matches_module(std::string_view pattern, std::string_view module) {
  const std::string tokens = tokens_of(pattern);
  size_t token = 0, at = 0;
  size_t star = std::string::npos, star_at = 0;  // where to take up again with one more character in the star
  while (at < module.size()) {
    if (token < tokens.size() && tokens[token] == kAnyText) {
      star = token++;
      star_at = at;
    } else if (token < tokens.size() && (tokens[token] == kAnyOne || tokens[token] == module[at])) {
      ++token;
      ++at;
    } else if (star != std::string::npos) {
      token = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
  while (token < tokens.size() && tokens[token] == kAnyText) ++token;
  return token == tokens.size();
}

std::vector<std::string> select_modules(const config::PeftConfig& config,
                                        const std::vector<std::string>& linears) {
  std::vector<std::string> targets = config.target_modules;
  if (!config.match_all_linear && targets.empty() && config.exclude_modules.empty())
    targets = {kDefaultTarget};
  std::vector<std::string> selected;
  for (const std::string& module : linears) {
    const bool chosen =
        config.match_all_linear ||
        (targets.empty() ? !matches_any(config.exclude_modules, module) : matches_any(targets, module));
    if (chosen) selected.push_back(module);
  }
  check(!selected.empty(),
        ErrorCode::kConfig,
        targets.empty() ? "peft.exclude_modules: no linear is left of " : "peft.target_modules: none of ",
        targets.empty() ? "" : join(targets, ", "),
        targets.empty() ? "" : " names a linear layer of this model; they are called ",
        linears.empty() ? "" : linears.front(),
        ", ..., ",
        linears.empty() ? "" : linears.back());
  warn_of_idle("target_modules", config.target_modules, linears);
  warn_of_idle("exclude_modules", config.exclude_modules, linears);
  return selected;
}

}  // namespace automodel::peft
