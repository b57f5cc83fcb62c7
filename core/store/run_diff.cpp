#include "core/store/run_diff.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

namespace automodel::store {
namespace {

using nlohmann::ordered_json;
using Leaves = std::vector<std::pair<std::string, std::string>>;

void flatten(const std::string& prefix, const ordered_json& value, Leaves& leaves) {
  for (const auto& [key, item] : value.items()) {
    const std::string path = prefix.empty() ? key : prefix + "." + key;
    if (item.is_object() && !item.empty()) {
      flatten(path, item, leaves);
    } else {
      leaves.emplace_back(path, item.dump());
    }
  }
}

std::optional<std::string> value_of(const Leaves& leaves, const std::string& key) {
  const auto found =
      std::find_if(leaves.begin(), leaves.end(), [&](const auto& leaf) { return leaf.first == key; });
  return found == leaves.end() ? std::nullopt : std::optional(found->second);
}

std::vector<ChangedKey> changed_keys(const Leaves& a, const Leaves& b) {
  std::vector<ChangedKey> changed;
  for (const auto& [key, value] : a) {
    const auto other = value_of(b, key);
    if (other != value) changed.push_back({key, value, other});
  }
  for (const auto& [key, value] : b) {
    if (!value_of(a, key)) changed.push_back({key, std::nullopt, value});
  }
  return changed;
}

Leaves leaves_of(const std::string& json, const std::string& prefix = "") {
  Leaves leaves;
  if (json.empty()) return leaves;
  const ordered_json value = ordered_json::parse(json);
  if (value.is_object()) flatten(prefix, value, leaves);
  return leaves;
}

std::vector<LossDiff> compare_losses(const RunStore& store, const Run& a, const Run& b) {
  auto of_a = store.metrics(a.seq);
  auto of_b = store.metrics(b.seq);
  for (const auto& [set, records] : of_b) of_a[set];
  std::vector<LossDiff> losses;
  for (const auto& [set, records] : of_a) {
    LossDiff diff{set, 0, std::nullopt, 0, 0};
    std::map<int64_t, double> others;
    for (const Metric& metric : of_b[set]) {
      if (metric.loss) others[metric.step] = *metric.loss;
    }
    for (const Metric& metric : records) {
      const auto other = others.find(metric.step);
      if (!metric.loss || other == others.end()) continue;
      ++diff.num_common;
      if (diff.part_at || *metric.loss == other->second) continue;
      diff.part_at = metric.step;
      diff.a = *metric.loss;
      diff.b = other->second;
    }
    losses.push_back(std::move(diff));
  }
  return losses;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> flattened(const ordered_json& value) {
  Leaves leaves;
  if (value.is_object()) flatten("", value, leaves);
  return leaves;
}

std::vector<ChangedKey> changed_recipe_keys(const std::string& a, const std::string& b) {
  return changed_keys(leaves_of(a), leaves_of(b));
}

RunDiff compare_runs(const RunStore& store, const Run& a, const Run& b) {
  const RunDetails of_a = store.details(a.seq);
  const RunDetails of_b = store.details(b.seq);
  RunDiff diff;
  diff.recipe = changed_recipe_keys(of_a.recipe_json, of_b.recipe_json);
  const auto add_facts = [&](const char* name, const std::string& one, const std::string& other) {
    if (one.empty() || other.empty()) return;
    for (ChangedKey& change : changed_keys(leaves_of(one, name), leaves_of(other, name)))
      diff.facts.push_back(std::move(change));
  };
  add_facts("program", of_a.program, of_b.program);
  add_facts("data", of_a.data, of_b.data);
  add_facts("machine", of_a.machine, of_b.machine);
  diff.losses = compare_losses(store, a, b);
  return diff;
}

}  // namespace automodel::store
