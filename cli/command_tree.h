#pragma once

#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace automodel::cli {

/// The program's command tree: every row of both tables, for help, completion and parsing.
std::unique_ptr<CLI::App> build_command_tree();

/// Names of the commands below `parent`.
std::vector<std::string> subcommand_names(const CLI::App& parent);

}  // namespace automodel::cli
