#include "core/store/run.h"

#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace automodel::store {
namespace {

using nlohmann::ordered_json;

constexpr std::array<std::pair<RunState, std::string_view>, 6> kStates = {{
    {RunState::kRunning, "running"},
    {RunState::kDone, "done"},
    {RunState::kFailed, "failed"},
    {RunState::kStopped, "stopped"},
    {RunState::kKilled, "killed"},
    {RunState::kUnknown, "unknown"},
}};

constexpr std::array<std::pair<const char*, std::optional<double> Metric::*>, 5> kReals = {{
    {"grad_norm", &Metric::grad_norm},
    {"lr", &Metric::lr},
    {"mem", &Metric::mem},
    {"tps", &Metric::tps},
    {"mfu", &Metric::mfu},
}};

constexpr std::array<std::pair<const char*, std::optional<int64_t> Metric::*>, 2> kIntegers = {{
    {"num_tokens_per_step", &Metric::num_tokens},
    {"num_label_tokens", &Metric::num_label_tokens},
}};

const char* loss_key(const std::string& set) {
  return set.empty() ? "loss" : "val_loss";
}

}  // namespace

std::string_view name_of(RunState state) {
  for (const auto& [one, name] : kStates) {
    if (one == state) return name;
  }
  return "";
}

RunState parse_state(std::string_view name) {
  std::string known;
  for (const auto& [state, word] : kStates) {
    if (word == name) return state;
    known += (known.empty() ? "" : ", ") + std::string(word);
  }
  fail(ErrorCode::kUsage, "no state \"", name, "\"; there are ", known);
}

Metric Metric::from_json(const std::string& set, const ordered_json& line) {
  Metric metric;
  metric.set = set;
  try {
    metric.step = line.at("step").get<int64_t>();
    const ordered_json& loss = line.at(loss_key(set));
    if (!loss.is_null()) metric.loss = loss.get<double>();
    metric.epoch = line.value("epoch", int64_t{0});
    metric.timestamp = line.value("timestamp", "");
    for (const auto& [key, field] : kReals) {
      if (line.contains(key) && line[key].is_number()) metric.*field = line[key].get<double>();
    }
    for (const auto& [key, field] : kIntegers) {
      if (line.contains(key) && line[key].is_number()) metric.*field = line[key].get<int64_t>();
    }
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kData, "not a record of a run: ", error.what());
  }
  return metric;
}

ordered_json Metric::to_json() const {
  ordered_json line = {{"step", step}, {"epoch", epoch}, {"timestamp", timestamp}};
  line[loss_key(set)] = loss ? ordered_json(*loss) : nullptr;
  for (const auto& [key, field] : kReals) {
    if (this->*field) line[key] = *(this->*field);
  }
  for (const auto& [key, field] : kIntegers) {
    if (this->*field) line[key] = *(this->*field);
  }
  return line;
}

}  // namespace automodel::store
