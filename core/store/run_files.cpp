#include "core/store/run_files.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/config/text/node_json.h"
#include "core/config/text/redact.h"
#include "core/config/text/yaml_reader.h"
#include "core/config/text/yaml_writer.h"

namespace automodel::store {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::string_view kValidation = "validation";

/// The set whose records a file holds ("" training, "default", "NAME"); nothing for other files.
std::optional<std::string> set_of(const fs::path& file) {
  if (file.extension() != ".jsonl") return std::nullopt;
  const std::string stem = file.stem().string();
  if (stem == "training") return "";
  if (stem == kValidation) return "default";
  if (stem.starts_with("validation_")) return stem.substr(kValidation.size() + 1);
  return std::nullopt;
}

std::vector<fs::path> metric_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.is_regular_file(none) && set_of(entry.path())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void read_lines(const fs::path& path, const FileRange& range, std::vector<Metric>& metrics) {
  const std::string text = read_file(path);
  const auto size = static_cast<int64_t>(text.size());
  const int64_t end = range.end < 0 ? size : std::min(range.end, size);
  const int64_t begin = std::min(range.begin, end);
  const std::string set = *set_of(path);
  auto number = 1 + std::count(text.begin(), text.begin() + begin, '\n');
  const std::string_view part = std::string_view(text).substr(begin, end - begin);
  for (const std::string& line : split(part, '\n')) {
    if (!line.empty()) {
      try {
        metrics.push_back(Metric::from_json(set, ordered_json::parse(line)));
      } catch (const std::exception& error) {
        log::warning(path.string(), ":", number, ": left out, it is no record: ", error.what());
      }
    }
    ++number;
  }
}

/// epoch_E_step_S folders, by step.
std::vector<Checkpoint> find_checkpoints(const fs::path& folder) {
  std::vector<Checkpoint> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename().string();
    long long epoch = 0, step = 0;
    int used = 0;
    if (std::sscanf(name.c_str(), "epoch_%lld_step_%lld%n", &epoch, &step, &used) != 2) continue;
    if (static_cast<size_t>(used) != name.size() || !entry.is_directory(none)) continue;
    Checkpoint checkpoint{step, epoch, entry.path().string(), std::nullopt, std::nullopt};
    const ordered_json losses =
        fs::exists(entry.path() / "losses.json", none)
            ? ordered_json::parse(read_file(entry.path() / "losses.json"), nullptr, false)
            : ordered_json();
    if (losses.is_object() && losses.contains("train_loss")) checkpoint.train_loss = losses["train_loss"];
    const ordered_json val = losses.is_object() ? losses.value("val_loss", ordered_json()) : ordered_json();
    if (val.is_number()) checkpoint.val_loss = val;
    if (val.is_object() && val.contains("default")) checkpoint.val_loss = val["default"];
    found.push_back(std::move(checkpoint));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
  return found;
}

/// What config.yaml of a checkpoint says of the run.
void read_recipe(const fs::path& config, Run& run, RunDetails& details) {
  std::error_code none;
  if (!fs::exists(config, none)) return;
  config::Node recipe = config::read_yaml_file(config);
  config::redact(recipe);
  details.recipe_yaml = config::to_yaml(recipe);
  details.recipe_json = config::to_json(recipe);
  const config::Node* name = recipe.find_path("recipe");
  if (name != nullptr && name->is_string()) run.recipe = name->text;
  const config::Node* model = recipe.find_path("model.pretrained_model_name_or_path");
  if (model != nullptr && model->is_string()) run.model = model->text;
}

/// Sizes of the folder's files when the next run in it began: where the lines of `run` end.
std::map<std::string, FileRange> ranges_of(const RunStore& store, const Run& run) {
  std::map<std::string, FileRange> ranges;
  RunFilter same_folder;
  same_folder.folder = run.folder;
  std::vector<Run> later = store.list(same_folder);
  std::erase_if(later, [&](const Run& other) { return other.seq <= run.seq || other.imported; });
  const auto sizes_of = [&](int64_t seq) {
    const std::string text = store.details(seq).file_sizes;
    return ordered_json::parse(text.empty() ? "{}" : text);
  };
  const ordered_json begins = sizes_of(run.seq);
  for (const auto& [name, size] : begins.items()) ranges[name].begin = size;
  if (later.empty()) return ranges;
  const ordered_json ends = sizes_of(later.back().seq);
  for (const auto& [name, size] : ends.items()) ranges[name].end = size;
  return ranges;
}

}  // namespace

std::string metric_file_sizes(const fs::path& folder) {
  ordered_json sizes = ordered_json::object();
  for (const fs::path& file : metric_files(folder)) {
    std::error_code failed;
    const auto size = fs::file_size(file, failed);
    sizes[file.filename().string()] = failed ? 0 : size;
  }
  return sizes.dump();
}

std::vector<Metric> read_metric_files(const fs::path& folder,
                                      const std::map<std::string, FileRange>& ranges) {
  std::vector<Metric> metrics;
  for (const fs::path& file : metric_files(folder)) {
    const auto range = ranges.find(file.filename().string());
    read_lines(file, range == ranges.end() ? FileRange() : range->second, metrics);
  }
  return metrics;
}

Run import_folder(RunStore& store, const fs::path& given) {
  const fs::path folder = fs::weakly_canonical(fs::absolute(given));
  std::error_code none;
  check(fs::exists(folder / "training.jsonl", none),
        ErrorCode::kData,
        folder.string(),
        ": no training.jsonl in it; give the folder that checkpoint.checkpoint_dir named");
  const std::vector<Metric> metrics = read_metric_files(folder);
  const std::vector<Checkpoint> checkpoints = find_checkpoints(folder);
  Run run;
  RunDetails details;
  run.state = RunState::kUnknown;
  run.imported = true;
  run.folder = folder.string();
  if (!metrics.empty()) {
    run.started_at = metrics.front().timestamp;
    run.ended_at = metrics.back().timestamp;
  }
  if (!checkpoints.empty()) read_recipe(fs::path(checkpoints.back().path) / "config.yaml", run, details);
  RunFilter same_folder;
  same_folder.folder = run.folder;
  Transaction transaction(store.database());
  for (const Run& earlier : store.list(same_folder)) {
    if (earlier.imported) store.remove(earlier.seq);
  }
  store.add(run, details);
  store.add_metrics(run.seq, metrics);
  for (const Checkpoint& checkpoint : checkpoints) store.add_checkpoint(run.seq, checkpoint);
  transaction.commit();
  return store.find(run.id);
}

int64_t settle_dead_runs(RunStore& store) {
  RunFilter running;
  running.state = RunState::kRunning;
  int64_t num_dead = 0;
  for (Run& run : store.list(running)) {
    if (life_of(run.process) != Life::kDead) continue;
    const std::vector<Metric> metrics = read_metric_files(run.folder, ranges_of(store, run));
    Transaction transaction(store.database());
    if (!store.is_running(run.seq)) continue;  // another process was faster
    store.add_metrics(run.seq, metrics);
    run.state = RunState::kKilled;
    if (!metrics.empty()) run.ended_at = metrics.back().timestamp;
    store.finish(run, "its process was found dead; it ended without a word (SIGKILL, out of memory, power)");
    transaction.commit();
    ++num_dead;
  }
  return num_dead;
}

}  // namespace automodel::store
