#pragma once

namespace CLI {
class App;
}

/// One function a command. Each adds its subcommand to `parent`: options, a footer of examples, and a
/// callback that does the work, writes the result to standard output and throws automodel::Error when it
/// cannot. A command with another exit status than 0 throws CLI::RuntimeError(status).
///
/// To add a command: a file cli/<words>.cpp with its add function, its line here and its row in
/// command_table.cpp. Commands whose line carries recipe overrides are rows of recipe_command_table.cpp
/// instead.
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

}  // namespace automodel::cli
