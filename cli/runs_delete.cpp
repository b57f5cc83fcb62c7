// automodel runs delete: takes runs out of the store; their folders stay.
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/runs.h"
#include "core/base/error.h"
#include "core/base/plural.h"

namespace automodel::cli {
namespace {

void ask(size_t num_runs) {
  check(isatty(STDIN_FILENO) == 1,
        ErrorCode::kUsage,
        "to delete ",
        counted(static_cast<int64_t>(num_runs), "run"),
        " without being asked add --yes (standard input is not a terminal, so nobody can answer)");
  std::cerr << "Delete " << counted(static_cast<int64_t>(num_runs), "run")
            << " from the store? Checkpoint folders stay. [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  check(answer == "y" || answer == "Y" || answer == "yes", ErrorCode::kUsage, "nothing is deleted");
}

}  // namespace

void add_runs_delete(CLI::App& parent) {
  struct Options {
    std::vector<std::string> ids;
    std::string store;
    bool yes = false, json = false;
  };

  const auto options = std::make_shared<Options>();
  CLI::App* command =
      parent.add_subcommand("delete", "Take runs out of the store; their checkpoint folders stay");
  command->add_option("ids", options->ids, "Their ids, or the beginnings of them")->required();
  command->add_flag("-y,--yes", options->yes, "Do not ask");
  command->add_flag("--json", options->json, "Print the ids of what was deleted as JSON");
  add_store_option(*command, options->store);
  command->footer(
      "A deleted run comes back with automodel runs import FOLDER.\n"
      "Examples:\n"
      "  automodel runs delete 3f2a 81bc\n"
      "  automodel runs delete 3f2a --yes");
  command->callback([options] {
    store::RunStore runs = open_runs_to_write(options->store);
    std::vector<store::Run> chosen;
    for (const std::string& id : options->ids) {
      chosen.push_back(runs.find(id));
      const store::Run& run = chosen.back();
      check(run.state != store::RunState::kRunning || store::life_of(run.process) != store::Life::kAlive,
            ErrorCode::kUsage,
            "run ",
            run.id,
            " is running (process ",
            run.process.pid,
            "); stop it first");
    }
    if (!options->yes) ask(chosen.size());
    store::Transaction transaction(runs.database());
    for (const store::Run& run : chosen) runs.remove(run.seq);
    transaction.commit();
    nlohmann::ordered_json ids = nlohmann::ordered_json::array();
    for (const store::Run& run : chosen) {
      ids.push_back(run.id);
      if (!options->json) std::cout << "deleted " << run.id << '\n';
    }
    if (options->json) std::cout << ids.dump() << '\n';
  });
}

}  // namespace automodel::cli
