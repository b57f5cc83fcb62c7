#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/store/run_store.h"

namespace automodel::store {

struct ChangedKey {
  std::string key;
  std::optional<std::string> a, b;  ///< as JSON; nothing: the run has no such key
};

/// The losses of one set, compared to the last bit at the steps that both runs have.
struct LossDiff {
  std::string set;  ///< "" training
  int64_t num_common = 0;
  std::optional<int64_t> part_at;  ///< the first common step whose losses differ
  double a = 0, b = 0;             ///< the losses there
};

struct RunDiff {
  std::vector<ChangedKey> recipe;  ///< in the order of the recipes
  std::vector<ChangedKey> facts;   ///< program, data and machine, where both runs know them
  std::vector<LossDiff> losses;    ///< of every set that either run has
};

/// The keys that differ between two recipes, each as JSON.
std::vector<ChangedKey> changed_recipe_keys(const std::string& a, const std::string& b);

RunDiff compare_runs(const RunStore& store, const Run& a, const Run& b);

/// The leaves of nested maps by dotted key, as JSON text; lists are leaves. Empty for what is no map.
std::vector<std::pair<std::string, std::string>> flattened(const nlohmann::ordered_json& value);

}  // namespace automodel::store
