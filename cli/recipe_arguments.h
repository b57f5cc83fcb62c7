#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/config/text/overrides.h"

namespace automodel::cli {

/// An option of one recipe command: "--json" (a flag) or "--nproc-per-node" with the argument's name.
struct RecipeOption {
  std::string name;
  std::string argument;  ///< "" for a flag
  std::string description;
};

/// A recipe command's line, read.
struct RecipeArguments {
  std::string config_path;
  std::map<std::string, std::string> options;  ///< by name without dashes; a flag's value is ""
  std::vector<config::Override> overrides;     ///< in the order of the line

  bool has(const std::string& option) const { return options.contains(option); }
};

/// Reads the words after a recipe command: an optional domain ("llm"), -c PATH, --config PATH or a bare PATH,
/// the command's own options, and overrides in three forms: --a.b=value, --a.b value, --a.b (true). Throws
/// Error(kUsage) for any other word; the reference ignores those without a message.
RecipeArguments parse_recipe_arguments(const std::string& command,
                                       const std::string& domain,
                                       const std::vector<RecipeOption>& options,
                                       const std::vector<std::string>& words);

}  // namespace automodel::cli
