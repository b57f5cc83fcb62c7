// automodel checkpoint convert: a model written anew as plain numbers.
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/checkpoint_folder.h"
#include "cli/commands.h"
#include "cli/config_keys.h"
#include "cli/engine_library.h"
#include "core/base/byte_size.h"
#include "core/base/error.h"

namespace automodel::cli {

void add_checkpoint_convert(CLI::App& parent) {
  struct Options {
    checkpoint::ConvertRequest request;
    std::string max_shard_size = "5GB";
  };

  const auto options = std::make_shared<Options>();
  checkpoint::ConvertRequest& request = options->request;
  CLI::App* command =
      parent.add_subcommand("convert", "Write a model anew: undo FP8 and MXFP4, cast, split into files");
  command
      ->add_option(
          "source",
          request.source,
          "Folder of a model, a Hub id in the cache, or a training checkpoint with model/consolidated")
      ->type_name("SRC")
      ->required();
  command->add_option("output", request.output, "Folder to make")->type_name("DST")->required();
  command
      ->add_option(
          "--dtype",
          request.dtype,
          "float32, bfloat16, float16 (fp32, bf16, fp16), or auto (default): as stored, quantised tensors in the type that config.json names")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16", "fp32", "bf16", "fp16", "auto"}))
      ->option_text("TYPE");
  command
      ->add_option(
          "--max-shard-size", options->max_shard_size, "Most bytes of a file: 5GB (default), 500MB, 2GiB")
      ->option_text("SIZE");
  add_ignored_keys(*command, request.ignore_config_keys);
  command->add_option("--family-file", request.family_file, "Read config.json through this family file")
      ->type_name("FILE");
  command->footer(
      "Any model that `automodel model list` knows: decoders, encoders, classifiers, embeddings. Every tensor\n"
      "keeps its name, those that the model has no use for are written too. FP8\n"
      "blocks and MXFP4 become plain numbers and config.json says so. The tokenizer and all other files are\n"
      "copied, folders beside them are not. Memory for one tensor; the folder appears when it is whole.\n"
      "Examples:\n"
      "  automodel checkpoint convert ./gpt-oss-20b ./gpt-oss-20b-bf16\n"
      "  automodel checkpoint convert ./Qwen3-30B-A3B-FP8 ./plain --dtype bfloat16 --max-shard-size 2GB\n"
      "  automodel checkpoint convert checkpoints/LATEST ./half --dtype float16");
  command->callback([options] {
    const std::optional<int64_t> bytes = parse_bytes(options->max_shard_size);
    check(bytes && *bytes > 0,
          ErrorCode::kUsage,
          "--max-shard-size ",
          options->max_shard_size,
          ": expected a size such as 5GB, 500MB or 2GiB");
    options->request.max_shard_bytes = *bytes;
    const CheckpointFolder source = open_checkpoint_folder(options->request.source);
    check(
        !source.model.empty(),
        ErrorCode::kData,
        source.path.string(),
        ": no Hugging Face model in it; expected config.json and model.safetensors, or model/consolidated (made by model/consolidate.sh)");
    options->request.source = source.model.string();
    load_engine()(options->request);
    std::cout << options->request.output << "\n";
  });
}

}  // namespace automodel::cli
