// automodel runs list: the runs of the store, newest first.
#include <filesystem>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/number_range.h"
#include "cli/runs.h"
#include "core/base/error.h"
#include "core/base/strings.h"

namespace automodel::cli {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kDefaultLimit = 30;

struct RunsListOptions {
  std::string store, state, folder, text;
  std::vector<std::string> where;
  int64_t limit = kDefaultLimit;
  bool all = false, json = false;
};

store::RunFilter filter_of(const RunsListOptions& options) {
  store::RunFilter filter;
  if (!options.state.empty()) filter.state = store::parse_state(options.state);
  if (!options.folder.empty()) {
    fs::path folder = fs::weakly_canonical(fs::absolute(options.folder));
    if (!folder.has_filename()) folder = folder.parent_path();
    filter.folder = folder.string();
  }
  filter.text = options.text;
  for (const std::string& condition : options.where) {
    const size_t equals = condition.find('=');
    check(equals != std::string::npos && equals > 0,
          ErrorCode::kUsage,
          "--where ",
          condition,
          ": expected KEY=VALUE of a recipe, as in optimizer.lr=1e-5");
    filter.recipe_values.emplace_back(condition.substr(0, equals), condition.substr(equals + 1));
  }
  if (!options.all) filter.limit = options.limit;
  return filter;
}

std::string minutes_of(const std::string& timestamp) {
  constexpr size_t kToMinutes = 16;  // 2026-11-20T09:15
  std::string text = timestamp.substr(0, kToMinutes);
  if (const size_t t = text.find('T'); t != std::string::npos) text[t] = ' ';
  return text.empty() ? "-" : text;
}

std::vector<std::string> row_of(const store::RunStore& runs, const store::Run& run) {
  const bool may_continue = run.first_step.value_or(0) > 0;
  const std::optional<store::Run> before = may_continue ? runs.resumed_run(run) : std::nullopt;
  const std::string steps = run.last_step ? std::to_string(*run.last_step - *run.first_step + 1) : "-";
  return {run.id,
          std::string(store::name_of(run.state)),
          minutes_of(run.started_at),
          steps,
          short_number(run.last_loss),
          short_number(run.lowest_val_loss),
          before ? before->id : "-",
          run.model.empty() ? "-" : run.model,
          run.folder};
}

void list(const RunsListOptions& options) {
  const store::RunFilter filter = filter_of(options);
  const std::optional<store::RunStore> runs = open_runs_if_any(options.store);
  const std::vector<store::Run> found = runs ? runs->list(filter) : std::vector<store::Run>();
  if (options.json) {
    std::string text;
    for (const store::Run& run : found) text += (text.empty() ? "" : ",\n ") + to_json(run).dump();
    std::cout << "[" << text << "]\n";
    return;
  }
  if (found.empty()) {
    std::cerr << (runs && runs->num_runs() > 0 ? "no run fits\n" : "no run is recorded yet\n");
    return;
  }
  std::vector<std::vector<std::string>> rows = {
      {"ID", "STATE", "STARTED (UTC)", "STEPS", "LOSS", "VAL LOSS", "CONTINUES", "MODEL", "FOLDER"}};
  for (const store::Run& run : found) rows.push_back(row_of(*runs, run));
  std::cout << table(rows);
  if (filter.limit && static_cast<int64_t>(found.size()) == *filter.limit)
    std::cerr << "the newest " << found.size() << "; --all lists every run\n";
}

}  // namespace

void add_runs_list(CLI::App& parent) {
  const auto options = std::make_shared<RunsListOptions>();
  CLI::App* command = parent.add_subcommand("list", "List runs, newest first");
  command->add_option(
      "--state", options->state, "Only running, done, stopped, failed, killed or unknown ones");
  command->add_option("--folder", options->folder, "Only those of this checkpoint folder")->type_name("DIR");
  command->add_option("--text", options->text, "Only those with this in model, folder, recipe or command");
  command->add_option("--where", options->where, "Only those whose recipe has this value; may be repeated")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("-n,--limit", options->limit, "At most so many")
      ->check(positive_integer())
      ->capture_default_str();
  command->add_flag("-a,--all", options->all, "No limit");
  command->add_flag("--json", options->json, "As JSON");
  add_store_option(*command, options->store);
  command->footer(
      "Examples:\n"
      "  automodel runs list\n"
      "  automodel runs list --state done --where optimizer.lr=1e-5\n"
      "  automodel runs list --all --json");
  command->callback([options] { list(*options); });
}

}  // namespace automodel::cli
