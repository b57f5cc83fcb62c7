#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/store/database.h"
#include "core/store/run.h"

namespace automodel::store {

/// The store's file: AUTOMODEL_RUNS, else automodel/runs.db below XDG_STATE_HOME or ~/.local/state.
/// Nothing when AUTOMODEL_RUNS is "none", or when there is no home.
std::optional<std::filesystem::path> default_store_path();

/// Which runs to list; every condition must hold.
struct RunFilter {
  std::optional<RunState> state;
  std::string folder;  ///< absolute path; "" any
  std::string text;    ///< in model, folder, recipe or command; "" any
  std::vector<std::pair<std::string, std::string>> recipe_values;  ///< "optimizer.lr" -> "1e-5"
  std::optional<int64_t> limit;                                    ///< the newest so many
};

/// Runs in an SQLite file: docs/formats/run-store.md. One thread; any number of processes at once. Changes
/// that belong together are made inside one Transaction of `database()`.
class RunStore {
 public:
  using Access = Database::Access;

  /// Creates the tables in a new file. Throws Error(kIo), or Error(kFormat) when the file is another
  /// program's, damaged, or made by a newer automodel.
  explicit RunStore(const std::filesystem::path& path,
                    Access access = Access::kReadWrite,
                    int busy_timeout_ms = 10'000,
                    std::optional<Journal> journal = std::nullopt);

  /// Adds a run under a new id; sets its seq and id. Inside a Transaction.
  void add(Run& run, const RunDetails& details);

  /// A later line of the same set and step replaces an earlier one. Brings the run's summary up to date.
  void add_metrics(int64_t seq, const std::vector<Metric>& metrics);
  void add_checkpoint(int64_t seq, const Checkpoint& checkpoint);
  void set_resumed_from(int64_t seq, const std::string& checkpoint);

  /// The run that wrote the checkpoint from which `run` goes on; nothing where it did not resume, or from
  /// another store's.
  std::optional<Run> resumed_run(const Run& run) const;
  void set_facts(int64_t seq, const std::string& program, const std::string& data);

  /// The owner's word that the run lives, should another process have taken it for dead.
  void mark_running(int64_t seq);
  void finish(const Run& run, const std::string& message);
  void remove(int64_t seq);

  /// Newest first.
  std::vector<Run> list(const RunFilter& filter = {}) const;
  int64_t num_runs() const;
  bool is_running(int64_t seq) const;

  /// By id, the unambiguous beginning of one, or "last". Throws Error(kUsage) with the nearest ids.
  Run find(const std::string& id) const;
  RunDetails details(int64_t seq) const;

  /// Records of every set (training, validation sets), by set and step.
  std::map<std::string, std::vector<Metric>> metrics(int64_t seq) const;
  std::vector<Checkpoint> checkpoints(int64_t seq) const;

  const Database& database() const { return database_; }

 private:
  void make_tables();
  void bring_up_to_date();

  Database database_;
  int64_t version_ = 0;  ///< of the file's format; an old one that is only read stays old
};

}  // namespace automodel::store
