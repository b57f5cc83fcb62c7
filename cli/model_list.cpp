// automodel model list: the families that can be trained, or one family file with all that it inherits.
#include <iomanip>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "core/base/strings.h"
#include "core/families/family.h"

namespace automodel::cli {
namespace {

void print_table(const std::vector<families::FamilyEntry>& families) {
  for (const families::FamilyEntry& family : families) {
    std::cout << std::left << std::setw(17) << family.family << std::setw(34)
              << join(family.architectures, ", ") << "  " << family.origin << "\n";
  }
}

void print_json(const std::vector<families::FamilyEntry>& families) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const families::FamilyEntry& family : families) {
    list.push_back(
        {{"family", family.family}, {"architectures", family.architectures}, {"origin", family.origin}});
  }
  std::cout << list.dump(2) << "\n";
}

}  // namespace

void add_model_list(CLI::App& parent) {
  struct Options {
    std::string name;
    bool json = false;
  };

  const auto options = std::make_shared<Options>();
  CLI::App* command =
      parent.add_subcommand("list", "List the known model families, or print one family file");
  command->add_option("name", options->name, "A family: print its file with everything that it inherits");
  command->add_flag("--json", options->json, "The list as JSON");
  command->footer(
      "Examples:\n"
      "  automodel model list                        family, architectures, where it comes from\n"
      "  automodel model list qwen3                  how its config.json is read, as YAML\n"
      "  automodel model list llama > mine.yaml      a start for a family of your own "
      "(docs/model-families.md)\n"
      "  AUTOMODEL_MODELS=~/families automodel model list");
  command->callback([options] {
    if (!options->name.empty()) {
      std::cout << families::resolved_family(options->name);
    } else if (options->json) {
      print_json(families::list_families());
    } else {
      print_table(families::list_families());
    }
  });
}

}  // namespace automodel::cli
