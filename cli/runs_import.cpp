// automodel runs import: adds runs to the store from what they left in their folders.
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/runs.h"
#include "core/store/run_files.h"

namespace automodel::cli {

void add_runs_import(CLI::App& parent) {
  struct Options {
    std::vector<std::string> folders;
    std::string store;
    bool json = false;
  };

  const auto options = std::make_shared<Options>();
  CLI::App* command = parent.add_subcommand(
      "import", "Add a run from its checkpoint folder: training.jsonl, checkpoints, recipe");
  command->add_option("folders", options->folders, "Checkpoint folders, of automodel or of the reference")
      ->required();
  command->add_flag("--json", options->json, "The added runs as JSON");
  add_store_option(*command, options->store);
  command->footer(
      "A folder that was imported before is read anew. Runs that were recorded as they ran stay.\n"
      "Examples:\n"
      "  automodel runs import checkpoints\n"
      "  automodel runs import runs/* --json");
  command->callback([options] {
    store::RunStore runs = open_runs_to_write(options->store);
    nlohmann::ordered_json added = nlohmann::ordered_json::array();
    for (const std::string& folder : options->folders) {
      const store::Run run = store::import_folder(runs, folder);
      added.push_back(to_json(run));
      if (!options->json) std::cout << run.id << "  " << run.folder << '\n';
    }
    if (options->json) std::cout << added.dump(2) << '\n';
  });
}

}  // namespace automodel::cli
