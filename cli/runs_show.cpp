// automodel runs show: everything that is known of one run.
#include <filesystem>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/runs.h"
#include "core/base/plural.h"
#include "core/base/strings.h"
#include "core/store/run_diff.h"

namespace automodel::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

ordered_json describe(const store::RunStore& runs, const store::Run& run, bool with_metrics) {
  const store::RunDetails details = runs.details(run.seq);
  ordered_json json = to_json(run);
  json["message"] = details.message;
  const std::optional<store::Run> before = runs.resumed_run(run);
  json["resumed_from"] = details.resumed_from.empty() ? ordered_json() : ordered_json(details.resumed_from);
  json["continues"] = before ? ordered_json(before->id) : ordered_json();
  json["command"] = details.command;
  json["working_directory"] = details.working_directory;
  json["program"] = parsed(details.program);
  json["machine"] = parsed(details.machine);
  json["data"] = parsed(details.data);
  json["config"] = parsed(details.recipe_json);
  json["checkpoints"] = ordered_json::array();
  std::error_code none;
  for (const store::Checkpoint& checkpoint : runs.checkpoints(run.seq)) {
    json["checkpoints"].push_back(
        {{"step", checkpoint.step},
         {"epoch", checkpoint.epoch},
         {"path", checkpoint.path},
         {"train_loss", checkpoint.train_loss ? ordered_json(*checkpoint.train_loss) : nullptr},
         {"val_loss", checkpoint.val_loss ? ordered_json(*checkpoint.val_loss) : nullptr},
         {"exists", fs::exists(checkpoint.path, none)}});
  }
  if (!with_metrics) return json;
  json["metrics"] = {{"training", ordered_json::array()}, {"validation", ordered_json::object()}};
  for (const auto& [set, records] : runs.metrics(run.seq)) {
    ordered_json& place = set.empty() ? json["metrics"]["training"] : json["metrics"]["validation"][set];
    for (const store::Metric& record : records) place.push_back(record.to_json());
  }
  return json;
}

std::string text_of(const ordered_json& value, const char* key) {
  return value.is_object() && value.contains(key) && value[key].is_string() ? value[key].get<std::string>()
                                                                            : "";
}

std::string state_text(const store::Run& run, const std::string& message) {
  std::string text(store::name_of(run.state));
  if (run.exit_status) text += ", exit status " + std::to_string(*run.exit_status);
  if (run.state == store::RunState::kRunning)
    text += ", process " + std::to_string(run.process.pid) + " on " + run.process.host;
  if (run.imported) text += ", imported from its folder";
  return message.empty() ? text : text + ": " + message;
}

std::string machine_text(const ordered_json& machine) {
  if (!machine.is_object()) return "-";
  std::string text = text_of(machine, "host") + ", " + std::to_string(machine.value("cores", int64_t{0})) +
                     " x " + text_of(machine, "cpu") + ", " +
                     human_bytes(machine.value("memory_bytes", int64_t{0}));
  for (const ordered_json& gpu : machine.value("gpus", ordered_json::array()))
    text += ", " + gpu.get<std::string>();
  return text;
}

std::string data_text(const ordered_json& set) {
  if (!set.is_object() || !set.contains("xxh128"))
    return text_of(set, "error").empty() ? "-" : text_of(set, "error");
  return counted(set.value("files", int64_t{0}), "file") + ", " +
         human_bytes(set.value("bytes", int64_t{0})) + ", " + text_of(set, "xxh128") +
         (set.value("sampled", false) ? " (sampled)" : "");
}

std::string steps_text(const store::RunStore& runs, const store::Run& run) {
  if (!run.last_step) return "none";
  const auto sets = runs.metrics(run.seq);
  const auto& training = sets.at("");
  return std::to_string(*run.first_step) + " to " + std::to_string(*run.last_step) + ", loss " +
         short_number(training.front().loss) + " to " + short_number(training.back().loss) +
         (run.lowest_val_loss ? ", lowest validation loss " + short_number(run.lowest_val_loss) : "");
}

void print(const store::RunStore& runs, const store::Run& run) {
  const ordered_json json = describe(runs, run, false);
  Rows rows = {{"run", run.id},
               {"state", state_text(run, text_of(json, "message"))},
               {"recipe", run.recipe},
               {"model", run.model},
               {"folder", run.folder},
               {"command", text_of(json, "command")},
               {"started", run.started_at},
               {"ended", run.ended_at},
               {"program", text_of(json["program"], "version") + " " + text_of(json["program"], "xxh128")},
               {"machine", machine_text(json["machine"])},
               {"steps", steps_text(runs, run)}};
  if (json["resumed_from"].is_string())
    rows.push_back(
        {"continues",
         (json["continues"].is_string() ? "run " + json["continues"].get<std::string>() + ", " : "") +
             json["resumed_from"].get<std::string>()});
  if (run.seconds) rows.push_back({"seconds", short_number(run.seconds)});
  if (json["data"].is_object()) {
    for (const auto& [set, facts] : json["data"].items()) rows.push_back({set, data_text(facts)});
  }
  for (const ordered_json& checkpoint : json["checkpoints"]) {
    rows.push_back(
        {"checkpoint",
         checkpoint["path"].get<std::string>() + (checkpoint["exists"].get<bool>() ? "" : "  (removed)")});
  }
  std::cout << table(rows);
  Rows values;
  for (const auto& [key, value] : store::flattened(json["config"])) values.push_back({"  " + key, value});
  if (!values.empty()) std::cout << "config\n" << table(values);
}

}  // namespace

void add_runs_show(CLI::App& parent) {
  struct Options {
    std::string id, store;
    bool json = false, metrics = false, config = false;
  };

  const auto options = std::make_shared<Options>();
  CLI::App* command = parent.add_subcommand("show", "Show one run: what it was, where it ran, how it ended");
  command->add_option("id", options->id, "Its id, the beginning of it, or last")->required();
  command->add_flag("--json", options->json, "As JSON");
  command->add_flag("--metrics", options->metrics, "As JSON, with every step");
  command->add_flag("--config", options->config, "Only its recipe, as YAML to run again");
  add_store_option(*command, options->store);
  command->footer(
      "Examples:\n"
      "  automodel runs show last\n"
      "  automodel runs show 3f2a --metrics\n"
      "  automodel runs show 3f2a --config > again.yaml");
  command->callback([options] {
    const store::RunStore runs = open_runs(options->store);
    const store::Run run = runs.find(options->id);
    if (options->config) {
      std::cout << runs.details(run.seq).recipe_yaml;
    } else if (options->json || options->metrics) {
      std::cout << describe(runs, run, options->metrics).dump(2) << '\n';
    } else {
      print(runs, run);
    }
  });
}

}  // namespace automodel::cli
