// automodel checkpoint verify: is a checkpoint whole?
#include <algorithm>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/checkpoint_folder.h"
#include "cli/commands.h"
#include "cli/config_keys.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/plural.h"
#include "core/base/strings.h"
#include "core/families/family.h"
#include "core/io/finite.h"
#include "core/io/json.h"
#include "core/io/safetensors.h"
#include "core/store/manifest.h"
#include "core/weights/match_weights.h"

namespace automodel::cli {
namespace {

namespace fs = std::filesystem;

struct Verified {
  int64_t num_files = 0, num_tensors = 0, num_values_bytes = 0;
  int64_t num_hashed = 0;  ///< files compared with the manifest
  std::string config;      ///< what the weights were checked against; empty: nothing
};

/// How config.json is read.
struct ReadAs {
  std::string family_file;
  std::vector<std::string> ignored_keys;
};

/// Opens a file (which checks its header) and reads every value.
void verify_file(const fs::path& path, Verified& total) {
  const io::SafetensorsFile file(path);
  for (const io::TensorView& tensor : file.tensors()) {
    const int64_t bad = io::count_non_finite(tensor);
    check(bad == 0,
          ErrorCode::kFormat,
          path.string(),
          ": tensor \"",
          tensor.name,
          "\": ",
          bad,
          " values are infinite or NaN");
    file.drop_pages(tensor);
    total.num_values_bytes += tensor.size_bytes;
    ++total.num_tensors;
  }
  ++total.num_files;
}

/// Compares tensors with what config.json asks for.
void match(const CheckpointFolder& checkpoint, const io::WeightFiles& weights, const ReadAs& read_as) {
  check(!checkpoint.config.empty(), ErrorCode::kFormat, checkpoint.path.string(), ": config.json is missing");
  families::KeyRules rules;
  rules.ignored = read_as.ignored_keys;
  const arch::DecoderConfig config = families::read_decoder_config(
      read_file(checkpoint.config), checkpoint.config.string(), "", read_as.family_file, {}, rules);
  weights::match_weights(config, weights);
}

/// The JSON files of a training checkpoint, but for those of the model's own folder, which are the
/// tokenizer's.
void verify_state(const fs::path& folder) {
  for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::recursive_directory_iterator();
       ++entry) {
    if (entry->is_directory() && entry->path().filename() == "model") entry.disable_recursion_pending();
    if (entry->path().extension() == ".json") io::read_json(entry->path());
  }
}

Verified verify(const std::string& path, const ReadAs& read_as) {
  const CheckpointFolder checkpoint = open_checkpoint_folder(path);
  check(!checkpoint.incomplete,
        ErrorCode::kFormat,
        checkpoint.path.string(),
        ": incomplete: training stopped while writing it; use an earlier one");
  Verified total;
  const bool is_model = checkpoint.kind == CheckpointFolder::Kind::kModel && !checkpoint.config.empty() &&
                        !fs::exists(checkpoint.path / "adapter_model.safetensors");
  if (is_model && checkpoint.model.empty() && checkpoint.shards.empty())
    io::open_weights(checkpoint.path);  // says which file is missing
  if (!checkpoint.model.empty()) {
    match(checkpoint, io::open_weights(checkpoint.model), read_as);
    total.config = checkpoint.config.string();
  }
  if (!checkpoint.shards.empty()) {
    match(checkpoint, io::open_weight_files(checkpoint.shards), read_as);
    total.config = checkpoint.config.string();
  }
  std::vector<fs::path> read;
  for (const fs::path& file : checkpoint.files) {
    // An export may be hard links to the shards: the same bytes are read once.
    const auto same = [&](const fs::path& other) { return fs::equivalent(file, other); };
    if (fs::hard_link_count(file) > 1 && std::ranges::any_of(read, same)) continue;
    verify_file(file, total);
    read.push_back(file);
  }
  if (checkpoint.kind != CheckpointFolder::Kind::kTraining) return total;
  verify_state(checkpoint.path);
  const auto manifest = store::verify_manifest(checkpoint.path, [](const std::string&) { return true; });
  if (manifest) total.num_hashed = manifest->num_files;
  return total;
}

}  // namespace

void add_checkpoint_verify(CLI::App& parent) {
  struct Options {
    std::string path;
    ReadAs read_as;
    bool json = false;
  };

  const auto options = std::make_shared<Options>();
  CLI::App* command =
      parent.add_subcommand("verify", "Check that a checkpoint is whole: exit status 0, or 3 and why");
  command
      ->add_option(
          "path", options->path, "A model folder, a training checkpoint or a folder of them, or one file")
      ->required();
  add_ignored_keys(*command, options->read_as.ignored_keys);
  command
      ->add_option("--family-file", options->read_as.family_file, "Read config.json through this family file")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "What was checked, as JSON");
  command->footer(
      "Opens every file, checks the index, compares the tensors with what config.json asks for (none missing, none too\n"
      "many, right shapes), and reads every value: none may be infinite or NaN. Every file of a training "
      "checkpoint is\n"
      "compared with the hash that manifest.json holds of it.\n"
      "Examples:\n"
      "  automodel checkpoint verify ./SmolLM2-135M\n"
      "  automodel checkpoint verify checkpoints/epoch_0_step_19 && echo whole");
  command->callback([options] {
    const Verified total = verify(options->path, options->read_as);
    if (options->json) {
      nlohmann::ordered_json json = {{"ok", true},
                                     {"files", total.num_files},
                                     {"tensors", total.num_tensors},
                                     {"bytes", total.num_values_bytes}};
      json["files_as_written"] = total.num_hashed;
      if (!total.config.empty()) json["config"] = total.config;
      std::cout << json.dump(2) << "\n";
      return;
    }
    std::cout << "whole: " << counted(total.num_tensors, "tensor") << " in "
              << counted(total.num_files, "file") << ", " << human_bytes(total.num_values_bytes)
              << ", all values finite" << (total.config.empty() ? "" : "; as " + total.config + " asks")
              << (total.num_hashed == 0
                      ? ""
                      : "; " + counted(total.num_hashed, "file") +
                            (total.num_hashed == 1 ? " as it was written" : " as they were written"))
              << "\n";
  });
}

}  // namespace automodel::cli
