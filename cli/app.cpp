#include "cli/app.h"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <map>
#include <new>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/command_tree.h"
#include "cli/completion.h"
#include "cli/recipe_command_table.h"
#include "core/base/error.h"
#include "core/base/strings.h"

namespace automodel::cli {
namespace {

using Words = std::vector<std::string>;

/// What the completion scripts call.
constexpr const char* kCompleteWord = "__complete";

bool asks_for_help(const Words& words) {
  return std::any_of(
      words.begin(), words.end(), [](const std::string& word) { return word == "-h" || word == "--help"; });
}

bool begins_with(const Words& words, const Words& prefix) {
  return words.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), words.begin());
}

const RecipeCommandRow* find_recipe_command(const Words& words) {
  for (const RecipeCommandRow& row : recipe_command_table()) {
    if (begins_with(words, row.words)) return &row;
  }
  return nullptr;
}

int run_recipe_command(const RecipeCommandRow& row, const Words& words) {
  const Words rest(words.begin() + static_cast<std::ptrdiff_t>(row.words.size()), words.end());
  return row.run(parse_recipe_arguments(join(row.words, " "), row.domain, row.options, rest));
}

/// What a command of other trainers is called here; empty when `word` is none.
std::string foreign_command(const std::string& word) {
  static const std::map<std::string, std::string> kNames = {
      {"train", "finetune llm -c recipe.yaml"},
      {"sft", "finetune llm -c recipe.yaml"},
      {"lora", "finetune llm, with a peft: section"},
      {"chat", "generate -m DIR --chat FILE"},
      {"infer", "generate -m DIR"},
      {"inference", "generate -m DIR"},
      {"preprocess", "data show -c recipe.yaml"},
      {"tokenize", "data tokenize"},
      {"merge", "checkpoint merge"},
      {"merge-lora", "checkpoint merge"},
      {"export", "checkpoint merge, checkpoint convert"},
      {"convert", "checkpoint convert"},
      {"eval", "model forward"},
      {"list", "runs list, model list"}};
  const auto found = kNames.find(word);
  return found == kNames.end() ? "" : found->second;
}

/// What CLI11 could not read, said in our words.
[[noreturn]] void fail_usage(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App* command = &root;
  std::string path = root.get_name();
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    path += " " + command->get_name();
  }
  const Words left = command->remaining();
  const Words known = subcommand_names(*command);
  if (!left.empty() && !left.front().starts_with("-") && !known.empty()) {
    const std::string foreign = command == &root ? foreign_command(left.front()) : "";
    const std::string nearest = foreign.empty() ? nearest_name(left.front(), known) : foreign;
    fail(ErrorCode::kUsage,
         "unknown command \"",
         left.front(),
         "\"",
         nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?",
         " (",
         path,
         " --help lists the commands)");
  }
  if (!left.empty()) {
    Words options;
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
    }
    const std::string nearest = nearest_name(left.front(), options);
    fail(ErrorCode::kUsage,
         "unknown argument \"",
         left.front(),
         "\"",
         nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?",
         " (",
         path,
         " --help lists the options)");
  }
  if (!known.empty()) fail(ErrorCode::kUsage, path, " needs a command: ", join(known, ", "));
  fail(ErrorCode::kUsage, path, ": ", error.what(), " (", path, " --help shows how it is used)");
}

int run_tree(const Words& words) {
  const std::unique_ptr<CLI::App> root = build_command_tree();
  try {
    root->parse(Words(words.rbegin(), words.rend()));
    return 0;
  } catch (const CLI::RuntimeError& status) {
    return status.get_exit_code();
  } catch (const CLI::Success& asked) {
    return root->exit(asked, std::cout, std::cerr);
  } catch (const CLI::ParseError& error) {
    fail_usage(*root, error);
  }
}

/// Commands of the reference that are still to come: "unknown" would mislead.
void refuse_commands_to_come(const Words& words) {
  constexpr const char* kToCome[] = {"kd"};
  for (const char* name : kToCome) {
    if (!words.empty() && words.front() == name)
      fail(ErrorCode::kUnsupported, "automodel ", name, " is not implemented yet");
  }
}

/// `automodel recipe.yaml ...`, also with an option first.
bool is_bare_recipe(const Words& words) {
  const auto is_recipe = [](const std::string& word) {
    return word.ends_with(".yaml") || word.ends_with(".yml");
  };
  if (words.empty()) return false;
  if (!words.front().starts_with("-")) return is_recipe(words.front());
  return words.front().starts_with("--nproc") && std::any_of(words.begin(), words.end(), is_recipe);
}

/// `automodel help COMMAND`; a word that is no command is told as everywhere.
int show_help(Words asked) {
  const std::unique_ptr<CLI::App> root = build_command_tree();
  const CLI::App* command = root.get();
  for (size_t i = 0; i < asked.size(); ++i) {
    const Words known = subcommand_names(*command);
    if (known.empty()) {  // "llm" of "help finetune llm"
      asked.resize(i);
    } else if (std::find(known.begin(), known.end(), asked[i]) == known.end()) {
      return run_tree({asked.begin(), asked.begin() + static_cast<std::ptrdiff_t>(i) + 1});
    } else {
      command = command->get_subcommand(asked[i]);
    }
  }
  asked.push_back("--help");
  return run_tree(asked);
}

int dispatch(const Words& words) {
  if (!words.empty() && words.front() == kCompleteWord) {
    for (const std::string& candidate : complete({words.begin() + 1, words.end()}))
      std::cout << candidate << '\n';
    return 0;
  }
  if (!words.empty() && words.front() == "version") return run_tree({"--version"});
  if (!words.empty() && words.front() == "help") {
    return show_help({words.begin() + 1, words.end()});
  }
  refuse_commands_to_come(words);
  const RecipeCommandRow* row = find_recipe_command(words);
  if (row != nullptr && asks_for_help(words)) {
    Words help = row->words;
    help.push_back("--help");
    return run_tree(help);
  }
  if (row != nullptr) return run_recipe_command(*row, words);
  if (is_bare_recipe(words)) return run_recipe_command(bare_recipe_row(), words);
  return run_tree(words);
}

int report(const std::string& message, int status) {
  std::cerr << "error: " << message << '\n';
  return status;
}

}  // namespace

int run(int argc, const char* const* argv) {
  // A write beyond the limit of file size (ulimit -f) then fails with a reason, as on a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    const int status = dispatch(Words(argv + std::min(argc, 1), argv + argc));
    std::cout.flush();
    check(std::cout.good(), ErrorCode::kIo, "cannot write the result to standard output");
    return status;
  } catch (const Error& error) {
    return report(error.what(), exit_status(error.code()));
  } catch (const std::bad_alloc&) {
    return report("out of host memory", exit_status(ErrorCode::kOutOfMemory));
  } catch (const std::exception& error) {
    return report(error.what(), exit_status(ErrorCode::kInternal));
  }
}

}  // namespace automodel::cli
