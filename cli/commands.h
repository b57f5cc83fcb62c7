#pragma once

#include <array>

namespace CLI {
class App;
}

/// One function per command. Each adds its subcommand to `parent`: options, a footer of examples, and a
/// callback that does the work, writes the result to standard output and throws automodel::Error when it
/// cannot. A command with another exit status than 0 throws CLI::RuntimeError(status).
///
/// To add a command: a file cli/<words>.cpp with its add function, and here its declaration and its row.
/// Commands whose line carries recipe overrides are rows of recipe_command_table.cpp instead.
namespace automodel::cli {

void add_config_reference(CLI::App& parent);
void add_completion(CLI::App& parent);
void add_data_tokenize(CLI::App& parent);
void add_data_render(CLI::App& parent);
void add_data_build(CLI::App& parent);
void add_generate(CLI::App& parent);
void add_model_list(CLI::App& parent);
void add_model_check_family(CLI::App& parent);
void add_model_info(CLI::App& parent);
void add_model_forward(CLI::App& parent);
void add_checkpoint_inspect(CLI::App& parent);
void add_checkpoint_verify(CLI::App& parent);
void add_checkpoint_merge(CLI::App& parent);
void add_checkpoint_convert(CLI::App& parent);
void add_runs_list(CLI::App& parent);
void add_runs_show(CLI::App& parent);
void add_runs_diff(CLI::App& parent);
void add_runs_delete(CLI::App& parent);
void add_runs_import(CLI::App& parent);

/// One command: the group word it stands under ("data" in `automodel data tokenize`; "" at the top) and its
/// function.
struct CommandRow {
  const char* group;
  void (*add)(CLI::App& parent);
};

inline constexpr auto kCommands = std::to_array<CommandRow>({
    {"config", add_config_reference},
    {"", add_generate},
    {"", add_completion},
    {"data", add_data_tokenize},
    {"data", add_data_render},
    {"data", add_data_build},
    {"model", add_model_list},
    {"model", add_model_check_family},
    {"model", add_model_info},
    {"model", add_model_forward},
    {"checkpoint", add_checkpoint_inspect},
    {"checkpoint", add_checkpoint_verify},
    {"checkpoint", add_checkpoint_merge},
    {"checkpoint", add_checkpoint_convert},
    {"runs", add_runs_list},
    {"runs", add_runs_show},
    {"runs", add_runs_diff},
    {"runs", add_runs_delete},
    {"runs", add_runs_import},
});

/// What a group word is about, as `automodel --help` shows it.
struct GroupRow {
  const char* name;
  const char* description;
};

inline constexpr auto kGroups = std::to_array<GroupRow>({
    {"config", "Look at a recipe: what it resolves to, what happens to every key, all options"},
    {"data", "Look at data: rows as they are trained, token ids, rendered conversations, pretraining files"},
    {"model", "Look at a model: known families, a checkpoint's facts, logits and gradients"},
    {"checkpoint",
     "Look at a checkpoint: its tensors, whether it is whole; merge an adapter; convert numbers"},
    {"runs", "Look at past and present runs: what they were, how their losses went"},
});

}  // namespace automodel::cli
