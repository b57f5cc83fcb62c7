#include <iostream>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "core/config/recipe/reference_doc.h"

namespace automodel::cli {

void add_config_reference(CLI::App& parent) {
  CLI::App* command = parent.add_subcommand("reference", "Print every option of a recipe as Markdown");
  command->footer(
      "Example:\n"
      "  automodel config reference > docs/recipe-reference.md");
  command->callback([] { std::cout << config::recipe_reference(); });
}

}  // namespace automodel::cli
