#include "cli/command_tree.h"

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/recipe_command_table.h"

namespace automodel::cli {
namespace {

constexpr const char* kDescription =
    "Fine-tunes and pretrains Hugging Face language models from a YAML recipe.\n"
    "Recipes, checkpoints and logs are those of NVIDIA NeMo AutoModel.";

constexpr const char* kCommandTreeFooter =
    "Examples:\n"
    "  automodel finetune llm -c recipe.yaml                      train as the recipe says\n"
    "  automodel recipe.yaml --optimizer.lr 2e-5                  the same, one value changed\n"
    "  automodel config check -c recipe.yaml                      is every key understood?\n"
    "  automodel COMMAND --help                                   options and examples of a command";

CLI::App& group(CLI::App& root, const std::string& name) {
  if (name.empty()) return root;
  for (CLI::App* existing : root.get_subcommands([](CLI::App*) { return true; })) {
    if (existing->get_name() == name) return *existing;
  }
  std::string description;
  for (const GroupRow& row : kGroups) {
    if (row.name == name) description = row.description;
  }
  CLI::App* made = root.add_subcommand(name, description);
  made->require_subcommand(1);
  return *made;
}

/// Only for help: the line itself is read by parse_recipe_arguments.
void add_recipe_command(CLI::App& root, const RecipeCommandRow& row) {
  CLI::App& parent = group(root, row.words.size() > 1 ? row.words.front() : "");
  CLI::App* command = parent.add_subcommand(row.words.back(), row.description);
  command->add_option("-c,--config", "The recipe")->type_name("FILE")->required();
  for (const RecipeOption& option : row.options) {
    if (option.argument.empty()) {
      command->add_flag("--" + option.name, option.description);
    } else {
      command->add_option("--" + option.name, option.description)->type_name(option.argument);
    }
  }
  command->add_option("--KEY", "Set a value of the recipe: --KEY value, --KEY=value, or --KEY for true")
      ->type_name("VALUE");
  command->footer(row.footer);
}

}  // namespace

std::unique_ptr<CLI::App> build_command_tree() {
  auto root = std::make_unique<CLI::App>(kDescription, "automodel");
  root->set_help_flag("-h,--help", "Show this help");
  root->set_version_flag("--version", "automodel " AUTOMODEL_VERSION, "Show the version");
  root->require_subcommand(1);
  root->footer(kCommandTreeFooter);
  root->get_formatter()->column_width(34);
  for (const RecipeCommandRow& row : recipe_command_table()) add_recipe_command(*root, row);
  for (const CommandRow& row : kCommands) row.add(group(*root, row.group));
  return root;
}

std::vector<std::string> subcommand_names(const CLI::App& parent) {
  std::vector<std::string> names;
  for (const CLI::App* command : parent.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

}  // namespace automodel::cli
