#include "cli/checkpoint_folder.h"

#include <algorithm>
#include <cstdio>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/families/family.h"

namespace automodel::cli {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> safetensors_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".safetensors" && fs::is_regular_file(entry.path()))
      files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

void read_name(CheckpointFolder& checkpoint) {
  long long epoch = 0, step = 0;
  int end = 0;
  const std::string name = checkpoint.path.filename().string();
  if (std::sscanf(name.c_str(), "epoch_%lld_step_%lld%n", &epoch, &step, &end) == 2 &&
      static_cast<size_t>(end) == name.size()) {
    checkpoint.kind = CheckpointFolder::Kind::kTraining;
    checkpoint.epoch = epoch;
    checkpoint.step = step;
  }
}

bool has_weights(const fs::path& folder) {
  return fs::exists(folder / "model.safetensors") || fs::exists(folder / "model.safetensors.index.json");
}

}  // namespace

CheckpointFolder open_checkpoint_folder(const std::string& path_or_id) {
  CheckpointFolder checkpoint;
  checkpoint.path = families::find_model(path_or_id);
  if (fs::is_regular_file(checkpoint.path)) {
    checkpoint.files = {checkpoint.path};
    return checkpoint;
  }
  // "dir/" names the folder, not the empty name after the slash.
  checkpoint.path = checkpoint.path.lexically_normal();
  if (!checkpoint.path.has_filename()) checkpoint.path = checkpoint.path.parent_path();
  // LATEST, LOWEST_VAL and "." are names of a folder that has another.
  if (fs::is_symlink(checkpoint.path) || checkpoint.path == ".")
    checkpoint.path = fs::canonical(checkpoint.path);
  checkpoint.path = families::latest_checkpoint(checkpoint.path);
  check(fs::is_directory(checkpoint.path),
        ErrorCode::kData,
        checkpoint.path.string(),
        ": missing, but LATEST names it");
  const bool is_training =
      fs::exists(checkpoint.path / "manifest.json") && fs::is_directory(checkpoint.path / "model");
  checkpoint.kind = is_training ? CheckpointFolder::Kind::kTraining : CheckpointFolder::Kind::kModel;
  read_name(checkpoint);
  checkpoint.incomplete = fs::exists(checkpoint.path / ".incomplete");
  checkpoint.files = safetensors_below(checkpoint.path);
  check(
      !checkpoint.files.empty(), ErrorCode::kFormat, checkpoint.path.string(), ": no safetensors file in it");

  for (const fs::path& file : checkpoint.files) {
    const bool is_shard =
        file.parent_path().filename() == "model" && file.filename().string().starts_with("shard-");
    if (is_shard) checkpoint.shards.push_back(file);
  }
  for (const fs::path& folder : {checkpoint.path, checkpoint.path / "model" / "consolidated"}) {
    if (has_weights(folder)) checkpoint.model = folder;
  }
  for (const fs::path& folder :
       {checkpoint.path, checkpoint.path / "model" / ".hf_metadata", checkpoint.model}) {
    if (!folder.empty() && fs::exists(folder / "config.json")) checkpoint.config = folder / "config.json";
  }
  return checkpoint;
}

}  // namespace automodel::cli
