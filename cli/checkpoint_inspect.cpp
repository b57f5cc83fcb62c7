// automodel checkpoint inspect: what a checkpoint holds.
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/checkpoint_folder.h"
#include "cli/commands.h"
#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/io/json.h"
#include "core/io/safetensors.h"

namespace automodel::cli {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

const char* kind_name(CheckpointFolder::Kind kind) {
  switch (kind) {
    case CheckpointFolder::Kind::kFile:
      return "file";
    case CheckpointFolder::Kind::kModel:
      return "model";
    case CheckpointFolder::Kind::kTraining:
      return "training";
  }
  return "";
}

ordered_json file_json(const fs::path& path, const fs::path& root) {
  const io::SafetensorsFile file(path);
  ordered_json tensors = ordered_json::array();
  for (const io::TensorView& tensor : file.tensors()) {
    tensors.push_back({{"name", tensor.name},
                       {"dtype", safetensors_name(tensor.dtype)},
                       {"shape", tensor.shape},
                       {"bytes", tensor.size_bytes}});
  }
  return {{"file", path == root ? path.filename().string() : fs::relative(path, root).string()},
          {"bytes", fs::file_size(path)},
          {"metadata", file.metadata()},
          {"tensors", std::move(tensors)}};
}

ordered_json describe(const CheckpointFolder& checkpoint) {
  ordered_json json = {{"path", checkpoint.path.string()}, {"kind", kind_name(checkpoint.kind)}};
  if (checkpoint.epoch) json["epoch"] = *checkpoint.epoch;
  if (checkpoint.step) json["step"] = *checkpoint.step;
  if (checkpoint.kind == CheckpointFolder::Kind::kTraining) json["complete"] = !checkpoint.incomplete;
  const fs::path losses = checkpoint.path / "losses.json";
  if (fs::exists(losses)) json["losses"] = io::read_json(losses);
  int64_t num_tensors = 0, bytes = 0;
  ordered_json files = ordered_json::array();
  for (const fs::path& path : checkpoint.files) {
    files.push_back(file_json(path, checkpoint.path));
    num_tensors += static_cast<int64_t>(files.back()["tensors"].size());
    for (const ordered_json& tensor : files.back()["tensors"]) bytes += tensor["bytes"].get<int64_t>();
  }
  json["num_tensors"] = num_tensors;
  json["bytes"] = bytes;
  json["files"] = std::move(files);
  return json;
}

void print_file(const ordered_json& file, bool all) {
  std::map<std::string, std::pair<int64_t, int64_t>> by_type;  // count, bytes
  for (const ordered_json& tensor : file["tensors"]) {
    auto& [count, bytes] = by_type[tensor["dtype"].get<std::string>()];
    ++count;
    bytes += tensor["bytes"].get<int64_t>();
  }
  std::cout << file["file"].get<std::string>() << "\n";
  for (const auto& [dtype, totals] : by_type) {
    std::cout << "  " << std::left << std::setw(6) << dtype << totals.first << " tensors, "
              << human_bytes(totals.second) << "\n";
  }
  if (!all) return;
  for (const ordered_json& tensor : file["tensors"]) {
    std::cout << "    " << std::left << std::setw(56) << tensor["name"].get<std::string>() << std::setw(6)
              << tensor["dtype"].get<std::string>() << tensor["shape"].dump() << "\n";
  }
}

void print_table(const ordered_json& json, bool all) {
  std::cout << json["path"].get<std::string>() << ": " << json["kind"].get<std::string>();
  if (json.contains("step")) std::cout << " checkpoint, epoch " << json["epoch"] << ", step " << json["step"];
  if (json.contains("complete") && !json["complete"].get<bool>()) std::cout << ", INCOMPLETE";
  std::cout << "; " << json["num_tensors"] << " tensors, " << human_bytes(json["bytes"].get<int64_t>())
            << "\n";
  if (json.contains("losses")) std::cout << "losses " << json["losses"].dump() << "\n";
  for (const ordered_json& file : json["files"]) print_file(file, all);
}

}  // namespace

void add_checkpoint_inspect(CLI::App& parent) {
  struct Options {
    std::string path;
    bool all = false, json = false;
  };

  const auto options = std::make_shared<Options>();
  CLI::App* command =
      parent.add_subcommand("inspect", "Show what a checkpoint holds: files, tensors, types, step");
  command
      ->add_option(
          "path", options->path, "A model folder, a training checkpoint or a folder of them, or one file")
      ->required();
  command->add_flag("-a,--all", options->all, "Every tensor with its type and shape");
  command->add_flag("--json", options->json, "As JSON, with every tensor");
  command->footer(
      "Reads headers only.\n"
      "Examples:\n"
      "  automodel checkpoint inspect ./SmolLM2-135M --all\n"
      "  automodel checkpoint inspect checkpoints             the checkpoint that LATEST names\n"
      "  automodel checkpoint inspect checkpoints/epoch_0_step_19 --json");
  command->callback([options] {
    const ordered_json json = describe(open_checkpoint_folder(options->path));
    if (options->json) {
      std::cout << json.dump(2) << "\n";
    } else {
      print_table(json, options->all);
    }
  });
}

}  // namespace automodel::cli
