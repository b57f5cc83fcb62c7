#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/store/run_store.h"

namespace CLI {
class App;
}

/// What the `runs` commands share.
namespace automodel::cli {

/// Adds --store, which fills `path`.
void add_store_option(CLI::App& command, std::string& path);

/// Opens the store that --store, AUTOMODEL_RUNS or the default names, after looking for runs whose process is
/// gone. A file that may only be read is opened so, with a note on standard error. Nothing when there is no
/// file yet. Throws Error.
std::optional<store::RunStore> open_runs_if_any(const std::string& path);

/// As above, but throws Error(kUsage) where there is no file.
store::RunStore open_runs(const std::string& path);

/// Opens for writing, making a new store where there is none.
store::RunStore open_runs_to_write(const std::string& path);

/// The summary of a run, as `runs list --json` prints it.
nlohmann::ordered_json to_json(const store::Run& run);

/// Stored JSON text as a value; null for "".
nlohmann::ordered_json parsed(const std::string& text);

/// A number with four decimals, or "-".
std::string short_number(const std::optional<double>& value);

/// Rows under a heading, columns aligned by spaces, the last one not padded. UTF-8 is counted by characters.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace automodel::cli
