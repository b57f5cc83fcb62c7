#include <cstdlib>
#include <filesystem>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/families/family.h"

namespace automodel::families {
namespace {

namespace fs = std::filesystem;

/// Where Hugging Face's tools keep what they fetched.
fs::path hub_cache() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value ? value : "");
  };
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (!variable(name).empty()) return variable(name);
  }
  if (!variable("HF_HOME").empty()) return variable("HF_HOME") / "hub";
  if (!variable("XDG_CACHE_HOME").empty()) return variable("XDG_CACHE_HOME") / "huggingface" / "hub";
  return variable("HOME") / ".cache" / "huggingface" / "hub";
}

/// "owner/name" or "name", of the characters that the Hub allows.
bool is_hub_id(const std::string& text) {
  const std::vector<std::string> parts = split(text, '/');
  if (parts.size() > 2) return false;
  for (const std::string& part : parts) {
    if (part.empty() || part[0] == '.' || part[0] == '~') return false;
    for (const char c : part) {
      if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.') return false;
    }
  }
  return true;
}

/// "; did you mean ./NAME?" for a folder here whose name is near.
std::string neighbour(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(parent.empty() ? fs::path(".") : parent, failed)) {
    if (entry.is_directory(failed)) names.push_back(entry.path().filename().string());
  }
  const std::string nearest = nearest_name(fs::path(path).filename().string(), names);
  return nearest.empty() ? "" : "; did you mean " + (parent / nearest).string() + "?";
}

}  // namespace

fs::path find_model(const std::string& path_or_id) {
  if (fs::exists(path_or_id)) return path_or_id;
  check(is_hub_id(path_or_id),
        ErrorCode::kData,
        path_or_id,
        ": no such folder, and not the form of a Hub id",
        neighbour(path_or_id));

  const fs::path cache = hub_cache();
  const fs::path repository = cache / ("models--" + join(split(path_or_id, '/'), "--"));
  const bool is_full_id = path_or_id.find('/') != std::string::npos;
  const std::string fetch = "; fetch it with `hf download " + path_or_id + "`";
  check(fs::is_directory(repository),
        ErrorCode::kData,
        path_or_id,
        ": neither a folder here nor in the Hub cache ",
        cache.string(),
        neighbour(path_or_id),
        is_full_id ? fetch : "; a model of the Hub is fetched with `hf download OWNER/NAME`");
  const fs::path ref = repository / "refs" / "main";
  check(fs::exists(ref),
        ErrorCode::kData,
        path_or_id,
        ": ",
        ref.string(),
        " is missing: the download did not finish",
        fetch);
  const fs::path snapshot = repository / "snapshots" / std::string(trim(read_file(ref)));
  check(fs::is_directory(snapshot),
        ErrorCode::kData,
        path_or_id,
        ": ",
        snapshot.string(),
        " is missing: the download did not finish",
        fetch);
  return snapshot;
}

fs::path latest_checkpoint(const fs::path& folder) {
  if (fs::is_directory(folder / "LATEST")) return fs::canonical(folder / "LATEST");
  for (const char* name : {"LATEST", "LATEST.txt"}) {
    if (fs::is_regular_file(folder / name)) return folder / std::string(trim(read_file(folder / name)));
  }
  return folder;
}

fs::path find_model_folder(const std::string& path_or_id) {
  const fs::path place = find_model(path_or_id);
  if (!fs::is_directory(place)) return place;
  const fs::path exported = fs::path("model") / "consolidated";
  const fs::path latest = latest_checkpoint(place);
  for (const fs::path& folder : {place, place / exported, latest / exported}) {
    if (fs::exists(folder / "config.json")) return folder;
  }
  for (const fs::path& folder : {place, place / "model", latest / "model"}) {
    check(!fs::exists(folder / "adapter_config.json"),
          ErrorCode::kData,
          folder.string(),
          ": holds an adapter; name its base as the model, and this with --adapter");
  }
  fail(
      ErrorCode::kData,
      place.string(),
      ": no config.json in it; expected a Hugging Face folder, or a checkpoint with model/consolidated (checkpoint.save_consolidated)");
}

}  // namespace automodel::families
