#include "core/checkpoint/inputs.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/log.h"

namespace automodel::checkpoint {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFile = "inputs.json";

Inputs read_inputs(const std::filesystem::path& file) {
  try {
    const Json json = Json::parse(read_file(file));
    Inputs inputs;
    inputs.base = json.at("base").is_null() ? "" : json.at("base").get<std::string>();
    for (const auto& [key, value] : json.at("data").items())
      inputs.order.emplace_back(key, value.get<std::string>());
    return inputs;
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kFormat, file.string(), ": not what a checkpoint says of its inputs: ", error.what());
  }
}

std::string value_of(const data::Order& order, const std::string& key) {
  const auto found = std::ranges::find(order, key, &data::Order::value_type::first);
  return found == order.end() ? "not used" : found->second;
}

/// "dataloader.shuffle true -> false, seed 42 -> 7"; empty when nothing differs.
std::string differences(const data::Order& then, const data::Order& now) {
  std::string text;
  const auto compare = [&](const std::string& key) {
    const std::string a = value_of(then, key), b = value_of(now, key);
    if (a != b) text += (text.empty() ? "" : ", ") + key + " " + a + " -> " + b;
  };
  for (const auto& [key, value] : then) compare(key);
  for (const auto& [key, value] : now) {
    if (std::ranges::find(then, key, &data::Order::value_type::first) == then.end()) compare(key);
  }
  return text;
}

}  // namespace

void write_inputs(const std::filesystem::path& folder, const Inputs& inputs) {
  Json json;
  json["base"] = inputs.base.empty() ? Json() : Json(inputs.base);
  json["data"] = Json::object();
  for (const auto& [key, value] : inputs.order) json["data"][key] = value;
  write_file_atomically(folder / kFile, json.dump(2) + "\n");
}

void check_inputs(const std::filesystem::path& folder, const Inputs& now, const config::Recipe& recipe) {
  const std::filesystem::path file = folder / kFile;
  if (!std::filesystem::exists(file)) {
    log::warning(file.string(),
                 ": missing (an older automodel wrote the checkpoint): whether data and base weights ",
                 "are those it was trained on is not checked");
    return;
  }
  const Inputs then = read_inputs(file);
  const bool same_base = then.base == now.base;
  const std::string drawn = "drawn at random";
  const std::string bases =
      (then.base.empty() ? drawn : then.base) + " -> " + (now.base.empty() ? drawn : now.base);
  check(
      same_base || recipe.checkpoint.accept_changed_base,
      ErrorCode::kConfig,
      "model.pretrained_model_name_or_path ",
      recipe.model.path,
      ": its weights are not those with which the checkpoint's run began (",
      bases,
      "), and a resumed run goes on with the checkpoint's. To train this model use another checkpoint.checkpoint_dir; checkpoint.accept_changed_base: true resumes all the same");
  if (!same_base) log::warning("resumed although the model's own weights have changed: ", bases);
  const std::string changed = differences(then.order, now.order);
  check(
      changed.empty() || recipe.checkpoint.accept_changed_data,
      ErrorCode::kConfig,
      "the data are not in the order of the checkpoint's run (",
      changed,
      "): rows would be seen twice and others never. Take the change back, or use another checkpoint.checkpoint_dir; checkpoint.accept_changed_data: true goes on behind as many rows as the run has seen of this epoch");
  if (!changed.empty()) log::warning("resumed although the data have changed: ", changed);
}

}  // namespace automodel::checkpoint
