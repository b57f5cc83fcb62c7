#include "cli/runs.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/store/run_files.h"

namespace automodel::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using store::RunStore;

fs::path store_path(const std::string& chosen) {
  if (!chosen.empty() && chosen != "none") return chosen;
  const std::optional<fs::path> path = chosen.empty() ? store::default_store_path() : std::nullopt;
  check(
      path.has_value(),
      ErrorCode::kUsage,
      "no run store: recording is off (AUTOMODEL_RUNS=none), or HOME is not set; name one with --store FILE");
  return *path;
}

template <class Value>
ordered_json or_null(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

size_t num_characters(const std::string& text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

void add_store_option(CLI::App& command, std::string& path) {
  command
      .add_option(
          "--store", path, "The store's file; else AUTOMODEL_RUNS, else ~/.local/state/automodel/runs.db")
      ->type_name("FILE");
}

std::optional<RunStore> open_runs_if_any(const std::string& chosen) {
  const fs::path path = store_path(chosen);
  std::error_code failed;
  if (!fs::exists(path, failed) && !failed) return std::nullopt;
  try {
    RunStore runs(path);
    store::settle_dead_runs(runs);
    return runs;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kIo) throw;
    RunStore runs(path, RunStore::Access::kReadOnly);
    std::cerr << "note: read only, runs that died may still be called running: " << error.what() << '\n';
    return runs;
  }
}

RunStore open_runs(const std::string& chosen) {
  std::optional<RunStore> runs = open_runs_if_any(chosen);
  check(runs.has_value(),
        ErrorCode::kUsage,
        store_path(chosen).string(),
        ": no run is recorded yet; training does it, `automodel runs import FOLDER` adds earlier ones");
  return std::move(*runs);
}

RunStore open_runs_to_write(const std::string& chosen) {
  RunStore runs(store_path(chosen));
  store::settle_dead_runs(runs);
  return runs;
}

ordered_json to_json(const store::Run& run) {
  // Appended as they come: braces would copy each value three times, which 10,000 runs feel.
  ordered_json::object_t json;
  json.emplace_back("id", run.id);
  json.emplace_back("number", run.seq);
  json.emplace_back("state", store::name_of(run.state));
  json.emplace_back("imported", run.imported);
  json.emplace_back("exit_status", or_null(run.exit_status));
  json.emplace_back("recipe", run.recipe);
  json.emplace_back("model", run.model);
  json.emplace_back("folder", run.folder);
  json.emplace_back("started_at", run.started_at);
  json.emplace_back("ended_at", run.ended_at);
  json.emplace_back("seconds", or_null(run.seconds));
  json.emplace_back("host", run.process.host);
  json.emplace_back("pid", run.process.pid);
  json.emplace_back("first_step", or_null(run.first_step));
  json.emplace_back("last_step", or_null(run.last_step));
  json.emplace_back("last_loss", or_null(run.last_loss));
  json.emplace_back("lowest_val_loss", or_null(run.lowest_val_loss));
  return json;
}

ordered_json parsed(const std::string& text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json::parse(text);
}

std::string short_number(const std::optional<double>& value) {
  if (!value) return "-";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.4f", *value);
  return text.data();
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], num_characters(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - num_characters(row[i]) + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace automodel::cli
