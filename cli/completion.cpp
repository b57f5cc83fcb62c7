#include "cli/completion.h"

#include <algorithm>
#include <iostream>

#include <CLI/CLI.hpp>

#include "cli/command_tree.h"
#include "cli/commands.h"
#include "core/base/error.h"
#include "core/config/recipe/reference_doc.h"

namespace automodel::cli {
namespace {

constexpr const char* kBash =
    "_automodel() {\n"
    "  local IFS=$'\\n'\n"
    "  COMPREPLY=($(automodel __complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null))\n"
    "}\n"
    "complete -o default -F _automodel automodel\n";

constexpr const char* kZsh =
    "#compdef automodel\n"
    "_automodel() {\n"
    "  local -a found\n"
    "  found=(${(f)\"$(automodel __complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)\"})\n"
    "  if (( ${#found} )); then compadd -a found; else _files; fi\n"
    "}\n"
    "compdef _automodel automodel\n";

constexpr const char* kFish =
    "complete -c automodel -a '(automodel __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'\n";

const CLI::App* find_command(const CLI::App& parent, const std::string& name) {
  for (const CLI::App* command : parent.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

bool takes_recipe(const CLI::App& command) {
  return command.get_option_no_throw("--KEY") != nullptr;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (name != "KEY") names.push_back("--" + name);
    }
  }
  return names;
}

}  // namespace

std::vector<std::string> complete(const std::vector<std::string>& words) {
  const std::unique_ptr<CLI::App> root = build_command_tree();
  const CLI::App* command = root.get();
  bool is_recipe_line =
      !words.empty() && (words.front().ends_with(".yaml") || words.front().ends_with(".yml"));
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (const CLI::App* below = find_command(*command, words[i])) command = below;
  }
  is_recipe_line = is_recipe_line || takes_recipe(*command);
  const std::string prefix = words.empty() ? "" : words.back();
  std::vector<std::string> candidates;
  if (prefix.starts_with("-")) {
    candidates = option_names(*command);
    if (is_recipe_line) {
      for (const std::string& key : config::known_keys()) candidates.push_back("--" + key);
    }
  } else {
    candidates = subcommand_names(*command);
  }
  std::erase_if(candidates, [&](const std::string& candidate) { return !candidate.starts_with(prefix); });
  return candidates;
}

void add_completion(CLI::App& parent) {
  CLI::App* command = parent.add_subcommand("completion", "Print a shell's completion script");
  auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "bash, zsh or fish")->required();
  command->footer(
      "Examples:\n"
      "  automodel completion bash > ~/.local/share/bash-completion/completions/automodel\n"
      "  automodel completion zsh > ~/.zfunc/_automodel\n"
      "  automodel completion fish > ~/.config/fish/completions/automodel.fish\n"
      "Commands, options and the dotted keys of recipes are completed.");
  command->callback([shell] {
    const bool known = *shell == "bash" || *shell == "zsh" || *shell == "fish";
    check(
        known, ErrorCode::kUsage, "no completion for \"", *shell, "\"; there is one for bash, zsh and fish");
    std::cout << (*shell == "bash" ? kBash : *shell == "zsh" ? kZsh : kFish);
  });
}

}  // namespace automodel::cli
