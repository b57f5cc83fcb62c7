// automodel runs diff: what two runs were made of, and where their losses part.
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/runs.h"
#include "core/store/run_diff.h"

namespace automodel::cli {
namespace {

using nlohmann::ordered_json;

ordered_json changes_json(const std::vector<store::ChangedKey>& changes) {
  ordered_json json = ordered_json::object();
  for (const store::ChangedKey& change : changes) {
    json[change.key] = {change.a ? ordered_json::parse(*change.a) : nullptr,
                        change.b ? ordered_json::parse(*change.b) : nullptr};
  }
  return json;
}

ordered_json losses_json(const std::vector<store::LossDiff>& losses) {
  ordered_json json = ordered_json::object();
  for (const store::LossDiff& loss : losses) {
    ordered_json& one = json[loss.set.empty() ? "training" : "validation " + loss.set];
    one["common_steps"] = loss.num_common;
    one["part_at_step"] = loss.part_at ? ordered_json(*loss.part_at) : nullptr;
    if (loss.part_at) one["losses"] = {loss.a, loss.b};
  }
  return json;
}

std::string number(double value) {
  return ordered_json(value).dump();
}

std::string sentence(const store::LossDiff& loss) {
  const std::string name = loss.set.empty() ? "training loss" : "validation loss (" + loss.set + ")";
  if (loss.num_common == 0) return name + ": no step in common";
  if (!loss.part_at) return name + ": equal at all " + std::to_string(loss.num_common) + " common steps";
  return name + ": parts at step " + std::to_string(*loss.part_at) + ": " + number(loss.a) + ", " +
         number(loss.b);
}

void print(const store::RunDiff& diff, const std::string& a, const std::string& b) {
  std::vector<std::vector<std::string>> rows = {{"", a, b}};
  for (const auto* changes : {&diff.recipe, &diff.facts}) {
    for (const store::ChangedKey& change : *changes)
      rows.push_back({change.key, change.a.value_or("-"), change.b.value_or("-")});
  }
  if (rows.size() > 1) {
    std::cout << table(rows);
  } else {
    std::cout << "same recipe, program, data and machine\n";
  }
  for (const store::LossDiff& loss : diff.losses) std::cout << sentence(loss) << '\n';
}

}  // namespace

void add_runs_diff(CLI::App& parent) {
  struct Options {
    std::string a, b, store;
    bool json = false;
  };

  const auto options = std::make_shared<Options>();
  CLI::App* command = parent.add_subcommand(
      "diff", "Compare two runs: changed keys, and the first step at which losses part");
  command->add_option("a", options->a, "A run: its id, the beginning of it, or last")->required();
  command->add_option("b", options->b, "Another one")->required();
  command->add_flag("--json", options->json, "As JSON");
  add_store_option(*command, options->store);
  command->footer(
      "Losses are compared to the last bit, at the steps that both runs logged.\n"
      "Examples:\n"
      "  automodel runs diff 3f2a 81bc\n"
      "  automodel runs diff 3f2a last --json");
  command->callback([options] {
    const store::RunStore runs = open_runs(options->store);
    const store::Run a = runs.find(options->a);
    const store::Run b = runs.find(options->b);
    const store::RunDiff diff = store::compare_runs(runs, a, b);
    if (!options->json) return print(diff, a.id, b.id);
    const ordered_json json = {{"a", a.id},
                               {"b", b.id},
                               {"config", changes_json(diff.recipe)},
                               {"facts", changes_json(diff.facts)},
                               {"losses", losses_json(diff.losses)}};
    std::cout << json.dump(2) << '\n';
  });
}

}  // namespace automodel::cli
