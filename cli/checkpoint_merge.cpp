// automodel checkpoint merge: an adapter into its base.
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/config_keys.h"
#include "cli/engine_library.h"

namespace automodel::cli {

void add_checkpoint_merge(CLI::App& parent) {
  const auto request = std::make_shared<checkpoint::MergeRequest>();
  const auto without_tokenizer = std::make_shared<bool>(false);
  CLI::App* command = parent.add_subcommand("merge", "Merge a LoRA adapter into its base model");
  command->add_option("-m,--base-model", request->base, "Folder of the base, or a Hub id in the cache")
      ->type_name("DIR")
      ->required();
  command
      ->add_option("-a,--adapter-path",
                   request->adapter,
                   "A PEFT folder, or a training checkpoint (or folder of them) that holds one")
      ->type_name("DIR")
      ->required();
  command->add_option("-o,--output-dir", request->output, "Folder to make")->type_name("DIR")->required();
  command->add_option("--dtype", request->dtype, "float32, bfloat16, float16, or auto (default): as the base")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16", "auto"}))
      ->option_text("TYPE");
  add_ignored_keys(*command, request->ignore_config_keys);
  command->add_option("--family-file", request->family_file, "Read config.json through this family file")
      ->type_name("FILE");
  command->add_flag("--no-save-tokenizer", *without_tokenizer, "Leave the tokenizer's files out");
  command->footer(
      "Writes W + (alpha / r) B A for every adapted W, in the base's files and with its config.json; sums "
      "are\n"
      "formed in float32 and rounded once, as PEFT's merge_and_unload does. The tokenizer and chat template "
      "that\n"
      "lie beside the adapter take the place of the base's. The folder appears when it is whole.\n"
      "Examples:\n"
      "  automodel checkpoint merge -m ./Llama-3.2-1B -a checkpoints/LATEST -o merged\n"
      "  automodel checkpoint merge -m ./Llama-3.2-1B -a ./adapter -o merged --dtype float16");
  command->callback([request, without_tokenizer] {
    request->with_tokenizer = !*without_tokenizer;
    load_engine()(*request);
    std::cout << request->output << "\n";
  });
}

}  // namespace automodel::cli
