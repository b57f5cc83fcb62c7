#include "cli/command_table.h"

#include "cli/commands.h"

namespace automodel::cli {

const std::vector<GroupRow>& group_table() {
  static const std::vector<GroupRow> kGroups = {
      {"config", "Look at a recipe: what it resolves to, what happens to every key, all options"},
      {"data",
       "Look at data: rows as they are trained, token ids, rendered conversations, pretraining files"},
      {"model", "Look at a model: known families, a checkpoint's facts, logits and gradients"},
      {"checkpoint",
       "Look at a checkpoint: its tensors, whether it is whole; merge an adapter; convert numbers"},
      {"runs", "Look at past and present runs: what they were, how their losses went"},
  };
  return kGroups;
}

// A row lands together with the file that implements it.
const std::vector<CommandRow>& command_table() {
  static const std::vector<CommandRow> kCommands = {
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
  };
  return kCommands;
}

}  // namespace automodel::cli
