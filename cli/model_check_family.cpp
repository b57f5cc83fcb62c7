// automodel model check-family: a user's family file, and what one can be made of.
#include <iomanip>
#include <iostream>
#include <memory>
#include <set>
#include <sstream>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "core/base/strings.h"
#include "core/families/families.h"
#include "core/families/fields.h"
#include "core/families/readers.h"
#include "core/weights/roles.h"

namespace automodel::cli {
namespace {

/// Every key of config.json that the family knows.
std::set<std::string> known_keys(const families::Family& family) {
  std::set<std::string> keys(family.inert.begin(), family.inert.end());
  for (const auto& [key, allowed] : family.only) keys.insert(key);
  for (const auto& [key, silent] : family.unread) keys.insert(key);
  for (const auto& [name, source] : family.fields) {
    for (const families::FieldSource* from = &source; from; from = from->if_null.get()) {
      if (!from->key.empty()) keys.insert(from->key);
    }
  }
  return keys;
}

void check_file(const std::string& path) {
  const families::Family family = families::load_family_file(path);
  std::cout << path << ": " << join(family.architectures, ", ")
            << (family.like.empty() ? "" : ", like " + family.like) << "\n"
            << "  " << family.fields.size() << " fields, " << family.readers.size() << " readers ("
            << join(family.readers, ", ") << "), " << family.weights.modules.size() << " modules, "
            << known_keys(family).size() << " known keys of config.json beside the readers'\n"
            << "Next: automodel model info DIR --family-file " << path << "\n";
}

template <class Entries>
void print_entries(const char* title, const Entries& entries) {
  std::cout << title << "\n";
  for (const auto& entry : entries) {
    std::cout << "  " << std::left << std::setw(26) << entry.name << entry.doc << "\n";
  }
}

void print_blocks() {
  print_entries("fields: what a decoder is made of", families::fields());
  print_entries("readers: what several keys say together", families::readers());
  print_entries("weights: modules: where checkpoints keep what", weights::roles());
}

}  // namespace

void add_model_check_family(CLI::App& parent) {
  const auto path = std::make_shared<std::string>();
  CLI::App* command = parent.add_subcommand(
      "check-family", "Check a family file, or list the blocks that one can be made of");
  command->add_option("file", *path, "A family file; without one, the blocks")->type_name("FILE");
  command->footer(
      "A mistake is named with its line. docs/model-families.md teaches the form with an example.\n"
      "Examples:\n"
      "  automodel model check-family mine.yaml\n"
      "  automodel model check-family              fields, readers and modules, each with a line");
  command->callback([path] { path->empty() ? print_blocks() : check_file(*path); });
}

}  // namespace automodel::cli
