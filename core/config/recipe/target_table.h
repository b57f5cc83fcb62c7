#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace automodel::config {

/// What a `_target_` or `*_fn` name stands for. Names are looked up, never executed.
enum class TargetRole {
  kRecipe,
  kModel,
  kModelConfig,
  kBackend,
  kTokenizer,
  kOptimizer,
  kLoss,
  kDataset,
  kDataloader,
  kCollate,
  kDistributed,
  kMixedPrecision,
  kPeft,
  kOther,  ///< of sections that this program does not read
};

struct Target {
  std::string_view name;
  TargetRole role;
  /// Which implementation: "adamw", "chat", ... Empty with `missing`.
  std::string_view kind;
  /// Not empty: known and not implemented; the sentence a user reads.
  std::string_view missing;
};

/// In the order of roles.
const std::vector<Target>& target_table();

/// Rows of the table that stand beside their section's options. The names live as long as the program.
std::vector<Target> recipe_targets();     ///< in recipe_class.cpp
std::vector<Target> optimizer_targets();  ///< in optimizer.cpp
std::vector<Target> dataset_targets();    ///< in dataset.cpp

/// The row of a name in a role. Throws Error(kConfig) with the nearest name of that role for an unknown one,
/// and Error(kUnsupported) for one that is not implemented and for Python code of the user's own
/// (file.py:name).
const Target& find_target(TargetRole role, const std::string& name);

}  // namespace automodel::config
