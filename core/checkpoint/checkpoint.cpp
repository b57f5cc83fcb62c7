#include "core/checkpoint/checkpoint.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/checkpoint/folder.h"
#include "core/checkpoint/training_state.h"
#include "core/io/safetensors.h"
#include "core/store/json_lines.h"
#include "core/store/manifest.h"

namespace automodel::checkpoint {
namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

void write_json(const fs::path& path, const Json& value) {
  fs::create_directories(path.parent_path());
  write_file_atomically(path, value.dump(2) + "\n");
}

Json read_json(const fs::path& path) {
  try {
    return Json::parse(read_file(path));
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kFormat, path.string(), ": not the JSON of a checkpoint: ", error.what());
  }
}

std::string losses_text(const Losses& losses) {
  Json json;
  json["train_loss"] = losses.train_loss;
  if (losses.val_loss.size() == 1) {
    json["val_loss"] = losses.val_loss.begin()->second;
  } else if (!losses.val_loss.empty()) {
    json["val_loss"] = losses.val_loss;
  }
  return store::python_json(json);
}

/// The weights of a checkpoint's model/ folder: its shards, whatever their number.
io::WeightFiles open_shards(const fs::path& model_folder) {
  std::vector<fs::path> shards;
  for (const auto& entry : fs::directory_iterator(model_folder)) {
    if (entry.path().filename().string().starts_with("shard-")) shards.push_back(entry.path());
  }
  check(!shards.empty(), ErrorCode::kFormat, model_folder.string(), ": no shard-*.safetensors");
  return io::open_weight_files(shards);
}

/// What a resumed run depends on; the export and copies for people may be changed by them.
bool is_read_on_resume(const std::string& name) {
  return !name.starts_with("model/consolidated/") && !name.starts_with("model/.hf_metadata/") &&
         name != "model/consolidate.sh" && name != "config.yaml";
}

/// What to do about a checkpoint that cannot be resumed from.
std::string other_choices(const fs::path& dir, const fs::path& folder) {
  std::string names;
  for (const Published& one : list_published(dir)) {
    if (one.path.filename() != folder.filename())
      names += (names.empty() ? "" : ", ") + one.path.filename().string();
  }
  return (names.empty() ? "" : "checkpoint.restore_from takes another one (" + names + "); ") +
         "to start anew use another checkpoint.checkpoint_dir";
}

}  // namespace

Checkpointer::Checkpointer(const config::Recipe& recipe,
                           models::Decoder& decoder,
                           optim::Optimizer& optimizer,
                           ModelSource source)
    : recipe_(recipe), decoder_(decoder), optimizer_(optimizer), source_(std::move(source)) {}

store::Checkpoint Checkpointer::save(
    int64_t epoch, int64_t step, const Position& position, const Losses& losses, bool is_final) {
  const fs::path dir = recipe_.checkpoint.checkpoint_dir;
  const std::string name = folder_name(epoch, step);
  log::info("Saving checkpoint to ", (dir / name).string());
  const std::string& policy = recipe_.checkpoint.save_consolidated;
  const bool consolidated = policy == "every" || (policy == "final" && is_final);
  fs::path published;
  try {
    Staging staging(dir, epoch, step);
    const fs::path& folder = staging.path();
    if (source_.adapters) {
      write_adapter_files(folder / "model", decoder_, source_, recipe_);
    } else {
      write_model_files(folder / "model", decoder_, source_, consolidated);
    }
    write_optimizer(folder / "optim", decoder_, optimizer_, source_.weights_dtype);
    write_json(folder / "step_scheduler.json", {{"step", position.next_step}, {"epoch", position.epoch}});
    write_json(folder / "rng" / "rng_global_rank_0.json", {{"seed", recipe_.seed}});
    write_json(folder / "dataloader" / "dataloader_dp_rank_0.json",
               {{"epoch", position.loader.epoch}, {"next_micro_batch", position.loader.next_micro_batch}});
    write_file_atomically(folder / "losses.json", losses_text(losses));
    write_file_atomically(folder / "config.yaml", recipe_.resolved_yaml);
    store::write_manifest(folder);
    published = staging.publish();
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorCode::kIo, error.what()).add_context("saving " + (dir / name).string());
  } catch (Error& error) {
    throw error.add_context("saving " + (dir / name).string());
  }
  point_link(dir, "LATEST", name);
  const std::string& key = recipe_.checkpoint.best_metric_key;
  const auto validated = losses.val_loss.find(key);
  if (validated != losses.val_loss.end()) {
    const std::optional<std::string> lowest = read_link(dir, "LOWEST_VAL");
    const auto lowest_loss = [&]() -> std::optional<double> {
      if (!lowest || !fs::exists(dir / *lowest / "losses.json")) return std::nullopt;
      const Json stored = read_json(dir / *lowest / "losses.json").value("val_loss", Json());
      if (stored.is_number()) return stored.get<double>();
      if (stored.is_object() && stored.contains(key)) return stored.at(key).get<double>();
      return std::nullopt;
    }();
    if (!lowest_loss || validated->second < *lowest_loss) {
      point_link(dir, "LOWEST_VAL", name);
      log::info("LOWEST_VAL is now ", name, " (val_loss ", validated->second, ")");
    }
  }
  if (recipe_.checkpoint.max_recent_checkpoints) remove_old(dir, *recipe_.checkpoint.max_recent_checkpoints);
  const auto default_set = losses.val_loss.find("default");
  return {step,
          epoch,
          published.string(),
          losses.train_loss,
          default_set == losses.val_loss.end() ? std::nullopt : std::optional(default_set->second)};
}

std::optional<Position> Checkpointer::load() {
  const auto& restore_from = recipe_.checkpoint.restore_from;
  const fs::path dir = recipe_.checkpoint.checkpoint_dir;
  const std::optional<fs::path> folder = find_checkpoint(dir, restore_from);
  if (!folder) return std::nullopt;
  if (!holds_this_model(*folder / "model") && !restore_from) {
    log::warning(folder->string(),
                 " holds another kind of model; it is left alone and the run starts anew. ",
                 "Give checkpoint.checkpoint_dir another folder to keep both.");
    return std::nullopt;
  }
  log::info("Loading checkpoint from ", folder->string());
  try {
    return load_from(*folder);
  } catch (Error& error) {
    throw error.add_context("resuming from " + folder->string() + "; " + other_choices(dir, *folder));
  }
}

bool Checkpointer::holds_this_model(const fs::path& model_folder) const {
  if (!source_.adapters) {
    const fs::path config = model_folder / ".hf_metadata" / "config.json";
    return fs::exists(config) && read_json(config).value("architectures", Json()) ==
                                     Json::parse(source_.config_json).value("architectures", Json());
  }
  if (!fs::exists(model_folder / "adapter_config.json")) return false;
  return peft::same_adapters(peft::read_adapter(model_folder).spec, *source_.adapters);
}

Position Checkpointer::load_from(const fs::path& folder) {
  if (!store::verify_manifest(folder, is_read_on_resume))
    log::warning(
        folder.string(), " has no ", store::kManifestFile, " (an older automodel wrote it): unchecked");
  if (source_.adapters) {
    const peft::AdapterFolder stored = peft::read_adapter(folder / "model");
    check(peft::same_adapters(stored.spec, *source_.adapters),
          ErrorCode::kFormat,
          stored.path.string(),
          ": its adapters are not those of the recipe's peft section (rank, alpha or modules differ)");
    if (stored.base_model != recipe_.model.path) {
      log::warning(stored.path.string(),
                   " was trained on ",
                   stored.base_model,
                   "; it goes on with ",
                   recipe_.model.path,
                   ", which should hold the same weights");
    }
    peft::load_adapter(decoder_, *source_.adapters, stored);
  } else {
    models::load_weights(decoder_, open_shards(folder / "model"));
  }
  read_optimizer(folder / "optim", decoder_, optimizer_);
  const Json steps = read_json(folder / "step_scheduler.json");
  const Json loader = read_json(folder / "dataloader" / "dataloader_dp_rank_0.json");
  return {steps.at("step").get<int64_t>(),
          steps.at("epoch").get<int64_t>(),
          {loader.at("epoch").get<int64_t>(), loader.at("next_micro_batch").get<int64_t>()}};
}

}  // namespace automodel::checkpoint
