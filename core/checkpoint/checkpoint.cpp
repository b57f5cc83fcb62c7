#include "core/checkpoint/checkpoint.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/checkpoint/folder.h"
#include "core/checkpoint/training_state.h"
#include "core/config/text/node_json.h"
#include "core/config/text/redact.h"
#include "core/config/text/yaml_reader.h"
#include "core/io/safetensors.h"
#include "core/store/json_lines.h"
#include "core/store/manifest.h"
#include "core/store/run_diff.h"

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
  json["train_loss"] = losses.train_loss ? Json(*losses.train_loss) : Json();
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

Json step_json(const Position& position) {
  Json json = {{"step", position.next_step}, {"epoch", position.epoch}, {"branch", position.branch}};
  if (!position.lr_schedule) return json;
  Json& schedule = json["lr_scheduler"];
  optim::for_each_schedule_value(
      [&](const char* name, auto member) { schedule[name] = (*position.lr_schedule).*member; });
  return json;
}

Position read_position(const fs::path& folder, const config::Recipe& recipe) {
  const Json steps = read_json(folder / "step_scheduler.json");
  const Json loader = read_json(folder / "dataloader" / "dataloader_dp_rank_0.json");
  Position position;
  try {
    steps.at("step").get_to(position.next_step);
    steps.at("epoch").get_to(position.epoch);
    loader.at("epoch").get_to(position.loader.epoch);
    if (loader.contains("next_row")) {
      loader.at("next_row").get_to(position.loader.next_row);
    } else {  // of an older automodel
      position.loader.next_row =
          loader.at("next_micro_batch").get<int64_t>() * recipe.step_scheduler.local_batch_size;
      log::warning(folder.string(),
                   " counts micro-batches, not rows: right if local_batch_size was the recipe's, ",
                   recipe.step_scheduler.local_batch_size);
    }
    if (steps.contains("lr_scheduler")) {
      position.lr_schedule.emplace();
      optim::for_each_schedule_value([&](const char* name, auto member) {
        steps.at("lr_scheduler").at(name).get_to((*position.lr_schedule).*member);
      });
    }
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kFormat, folder.string(), ": not the position of a run: ", error.what());
  }
  check(position.next_step >= 0 && position.epoch >= 0 && position.loader.epoch >= 0 &&
            position.loader.next_row >= 0,
        ErrorCode::kFormat,
        folder.string(),
        ": its step, epoch or row is negative");
  return position;
}

/// One line for each key that the recipe has otherwise than the checkpoint's run had.
void tell_changed_keys(const fs::path& stored_recipe, const std::string& recipe_yaml) {
  if (!fs::exists(stored_recipe)) return;
  const auto json_of = [](config::Node recipe) {
    config::redact(recipe);
    return config::to_json(recipe);
  };
  try {
    const auto changed = store::changed_recipe_keys(json_of(config::read_yaml_file(stored_recipe)),
                                                    json_of(config::parse_yaml(recipe_yaml, "the recipe")));
    for (const store::ChangedKey& key : changed) {
      log::warning("resumed with another value than the checkpoint's: ",
                   key.key,
                   " ",
                   key.a.value_or("not set"),
                   " -> ",
                   key.b.value_or("not set"));
    }
  } catch (const Error& error) {
    log::warning("what has changed in the recipe since the checkpoint is not known: ", error.message());
  }
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
                           ModelSource source,
                           FutureInputs inputs)
    : recipe_(recipe),
      decoder_(decoder),
      optimizer_(optimizer),
      source_(std::move(source)),
      inputs_(std::move(inputs)) {}

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
    write_json(folder / "step_scheduler.json", step_json(position));
    write_json(folder / "rng" / "rng_global_rank_0.json", {{"seed", recipe_.seed}});
    write_json(folder / "dataloader" / "dataloader_dp_rank_0.json",
               {{"epoch", position.loader.epoch}, {"next_row", position.loader.next_row}});
    write_inputs(folder, inputs_.get());
    write_file_atomically(folder / "losses.json", losses_text(losses));
    write_file_atomically(folder / "config.yaml", recipe_.resolved_yaml);
    store::write_manifest(folder);
    move_other_branch_aside(dir, name, position.branch);
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

std::optional<Resumed> Checkpointer::load() {
  const fs::path dir = recipe_.checkpoint.checkpoint_dir;
  const std::optional<fs::path> folder = find_checkpoint(dir, recipe_.checkpoint.restore_from);
  if (!folder) return std::nullopt;
  log::info("Loading checkpoint from ", folder->string());
  try {
    Position position = load_from(*folder);
    tell_changed_keys(*folder / "config.yaml", recipe_.resolved_yaml);
    position.branch = enter_branch(*folder);
    return Resumed{*folder, position};
  } catch (Error& error) {
    throw error.add_context("resuming from " + folder->string() + "; " + other_choices(dir, *folder));
  }
}

int64_t Checkpointer::enter_branch(const fs::path& folder) const {
  const fs::path dir = recipe_.checkpoint.checkpoint_dir;
  const std::vector<Published> published = list_published(dir);
  if (published.empty()) return 0;
  const auto here =
      std::ranges::find_if(published, [&](const Published& one) { return fs::equivalent(one.path, folder); });
  if (here != published.end()) point_link(dir, "LATEST", here->path.filename().string());
  if (here == published.end() - 1) return here->branch;
  std::vector<std::string> newer;
  for (auto one = here == published.end() ? published.begin() : here + 1; one != published.end(); ++one)
    newer.push_back(one->path.filename().string());
  const int64_t branch = published.back().branch + 1;
  log::warning(
      "branch ",
      branch,
      " begins here: ",
      join(newer, ", "),
      " of what was trained before stay, and are the first that checkpoint.max_recent_checkpoints deletes");
  return branch;
}

Position Checkpointer::load_from(const fs::path& folder) {
  if (!store::verify_manifest(folder, is_read_on_resume))
    log::warning(
        folder.string(), " has no ", store::kManifestFile, " (an older automodel wrote it): unchecked");
  check_inputs(folder, inputs_.get(), recipe_);
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
  return read_position(folder, recipe_);
}

}  // namespace automodel::checkpoint
