#include "core/store/run_store.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace automodel::store {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kApplicationId = 0x414d5253;  // "AMRS"
constexpr int64_t kVersion = 2;

constexpr const char* kTables = R"(
CREATE TABLE runs(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  imported INTEGER NOT NULL,
  exit_status INTEGER,
  recipe TEXT NOT NULL, model TEXT NOT NULL, folder TEXT NOT NULL,
  started_at TEXT NOT NULL, ended_at TEXT NOT NULL, seconds REAL,
  host TEXT NOT NULL, machine_id TEXT NOT NULL, boot_id TEXT NOT NULL, pid_namespace TEXT NOT NULL,
  pid INTEGER NOT NULL, started_ticks INTEGER NOT NULL,
  first_step INTEGER, last_step INTEGER, last_loss REAL, lowest_val_loss REAL);
CREATE INDEX runs_by_state ON runs(state);
CREATE INDEX runs_by_folder ON runs(folder);
CREATE TABLE details(
  run INTEGER PRIMARY KEY REFERENCES runs(seq) ON DELETE CASCADE,
  command TEXT NOT NULL, working_directory TEXT NOT NULL, recipe_yaml TEXT NOT NULL, recipe_json TEXT NOT NULL,
  machine TEXT NOT NULL, program TEXT NOT NULL, data TEXT NOT NULL, file_sizes TEXT NOT NULL, message TEXT NOT NULL,
  resumed_from TEXT NOT NULL DEFAULT '');
CREATE TABLE metrics(
  run INTEGER NOT NULL REFERENCES runs(seq) ON DELETE CASCADE,
  validation_set TEXT NOT NULL, step INTEGER NOT NULL, epoch INTEGER NOT NULL, timestamp TEXT NOT NULL,
  loss REAL, grad_norm REAL, lr REAL, mem REAL, tps REAL, mfu REAL, num_tokens INTEGER, num_label_tokens INTEGER,
  PRIMARY KEY(run, validation_set, step)) WITHOUT ROWID;
CREATE TABLE checkpoints(
  run INTEGER NOT NULL REFERENCES runs(seq) ON DELETE CASCADE,
  step INTEGER NOT NULL, epoch INTEGER NOT NULL, path TEXT NOT NULL, train_loss REAL, val_loss REAL,
  PRIMARY KEY(run, step)) WITHOUT ROWID;
)";

constexpr const char* kRunColumns =
    "seq, id, state, imported, exit_status, recipe, model, folder, started_at, ended_at, seconds, host, "
    "machine_id, "
    "boot_id, pid_namespace, pid, started_ticks, first_step, last_step, last_loss, lowest_val_loss";

Run read_run(const Statement& row) {
  Run run;
  run.seq = row.integer(0);
  run.id = row.text(1);
  run.state = parse_state(row.text(2));
  run.imported = row.integer(3) != 0;
  run.exit_status = row.maybe_integer(4);
  run.recipe = row.text(5);
  run.model = row.text(6);
  run.folder = row.text(7);
  run.started_at = row.text(8);
  run.ended_at = row.text(9);
  run.seconds = row.maybe_real(10);
  run.process = {row.text(11), row.text(12), row.text(13), row.text(14), row.integer(15), row.integer(16)};
  run.first_step = row.maybe_integer(17);
  run.last_step = row.maybe_integer(18);
  run.last_loss = row.maybe_real(19);
  run.lowest_val_loss = row.maybe_real(20);
  return run;
}

std::string new_id() {
  std::random_device random;
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", random());
  return text.data();
}

/// "optimizer.lr" as a path of SQLite's JSON functions, each key quoted.
std::string json_path(const std::string& dotted) {
  std::string path = "$";
  for (const std::string& key : split(dotted, '.')) {
    check(!key.empty() && key.find('"') == std::string::npos,
          ErrorCode::kUsage,
          "\"",
          dotted,
          "\" is not a key of a recipe");
    path += ".\"" + key + "\"";
  }
  return path;
}

/// A value typed by the user, as JSON: 1e-5, true, null; else it is text.
std::string as_json(const std::string& value) {
  return nlohmann::json::accept(value) ? value : nlohmann::json(value).dump();
}

}  // namespace

std::optional<fs::path> default_store_path() {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  const std::string chosen = set("AUTOMODEL_RUNS");
  if (chosen == "none") return std::nullopt;
  if (!chosen.empty()) return chosen;
  const std::string state = set("XDG_STATE_HOME");
  if (state.starts_with('/')) return fs::path(state) / "automodel" / "runs.db";
  const std::string home = set("HOME");
  if (home.empty()) return std::nullopt;
  return fs::path(home) / ".local" / "state" / "automodel" / "runs.db";
}

RunStore::RunStore(const fs::path& path, Access access, int busy_timeout_ms, std::optional<Journal> journal)
    : database_(path, access, busy_timeout_ms, journal) {
  // One look at all three: another process may be making the tables right now.
  database_.run("BEGIN");
  const int64_t version = database_.integer("PRAGMA user_version");
  const int64_t owner = database_.integer("PRAGMA application_id");
  const bool is_new =
      owner == 0 && version == 0 && database_.integer("SELECT count(*) FROM sqlite_master") == 0;
  database_.run("COMMIT");
  check(is_new || owner == kApplicationId,
        ErrorCode::kFormat,
        path.string(),
        ": this SQLite file is not a run store of automodel; choose another with --store or AUTOMODEL_RUNS");
  check(version <= kVersion,
        ErrorCode::kFormat,
        path.string(),
        ": made by a newer automodel (format ",
        version,
        "; this program reads ",
        kVersion,
        ")");
  version_ = is_new ? kVersion : version;
  if (access == Access::kReadWrite && is_new) make_tables();
  if (access == Access::kReadWrite && version_ < kVersion) bring_up_to_date();
}

void RunStore::bring_up_to_date() {
  Transaction transaction(database_);
  if (database_.integer("PRAGMA user_version") < kVersion) {  // else another process was first
    database_.run("ALTER TABLE details ADD COLUMN resumed_from TEXT NOT NULL DEFAULT ''");
    database_.run("PRAGMA user_version = " + std::to_string(kVersion));
    transaction.commit();
  }
  version_ = kVersion;
}

void RunStore::make_tables() {
  Transaction transaction(database_);
  // Another process may have been first.
  if (database_.integer("PRAGMA user_version") != 0) return;
  database_.run(kTables);
  database_.run("PRAGMA application_id = " + std::to_string(kApplicationId));
  database_.run("PRAGMA user_version = " + std::to_string(kVersion));
  transaction.commit();
}

void RunStore::add(Run& run, const RunDetails& details) {
  do {
    run.id = new_id();
  } while (database_.prepare("SELECT 1 FROM runs WHERE id = ?").with(run.id).step());
  database_
      .prepare(
          "INSERT INTO runs(id, state, imported, exit_status, recipe, model, folder, started_at, ended_at, "
          "seconds, "
          "host, machine_id, boot_id, pid_namespace, pid, started_ticks) "
          "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .with(run.id,
            name_of(run.state),
            int64_t{run.imported},
            run.exit_status,
            run.recipe,
            run.model,
            run.folder,
            run.started_at,
            run.ended_at,
            run.seconds,
            run.process.host,
            run.process.machine_id,
            run.process.boot_id,
            run.process.pid_namespace,
            run.process.pid,
            run.process.started_ticks)
      .run();
  run.seq = database_.integer("SELECT last_insert_rowid()");
  database_.prepare("INSERT INTO details VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .with(run.seq,
            details.command,
            details.working_directory,
            details.recipe_yaml,
            details.recipe_json,
            details.machine,
            details.program,
            details.data,
            details.file_sizes,
            details.message,
            details.resumed_from)
      .run();
}

void RunStore::add_metrics(int64_t seq, const std::vector<Metric>& metrics) {
  if (metrics.empty()) return;
  Statement insert =
      database_.prepare("INSERT OR REPLACE INTO metrics VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const Metric& metric : metrics) {
    insert
        .with(seq,
              metric.set,
              metric.step,
              metric.epoch,
              metric.timestamp,
              metric.loss,
              metric.grad_norm,
              metric.lr,
              metric.mem,
              metric.tps,
              metric.mfu,
              metric.num_tokens,
              metric.num_label_tokens)
        .run();
  }
  database_
      .prepare(
          "UPDATE runs SET"
          " first_step = (SELECT min(step) FROM metrics WHERE run = ?1 AND validation_set = ''),"
          " last_step = (SELECT max(step) FROM metrics WHERE run = ?1 AND validation_set = ''),"
          " last_loss = (SELECT loss FROM metrics WHERE run = ?1 AND validation_set = '' ORDER BY step DESC "
          "LIMIT 1),"
          " lowest_val_loss = (SELECT min(loss) FROM metrics WHERE run = ?1 AND validation_set = 'default') "
          "WHERE seq = ?1")
      .with(seq)
      .run();
}

void RunStore::add_checkpoint(int64_t seq, const Checkpoint& checkpoint) {
  database_.prepare("INSERT OR REPLACE INTO checkpoints VALUES(?, ?, ?, ?, ?, ?)")
      .with(
          seq, checkpoint.step, checkpoint.epoch, checkpoint.path, checkpoint.train_loss, checkpoint.val_loss)
      .run();
}

void RunStore::set_resumed_from(int64_t seq, const std::string& checkpoint) {
  database_.prepare("UPDATE details SET resumed_from = ? WHERE run = ?").with(checkpoint, seq).run();
}

std::optional<Run> RunStore::resumed_run(const Run& run) const {
  const std::string checkpoint = details(run.seq).resumed_from;
  if (checkpoint.empty()) return std::nullopt;
  Statement row =
      database_.prepare("SELECT " + std::string(kRunColumns) +
                        " FROM runs WHERE seq < ? AND EXISTS(SELECT 1 FROM checkpoints WHERE run = "
                        "seq AND path = ?) ORDER BY seq DESC LIMIT 1");
  return row.with(run.seq, checkpoint).step() ? std::optional(read_run(row)) : std::nullopt;
}

void RunStore::set_facts(int64_t seq, const std::string& program, const std::string& data) {
  database_.prepare("UPDATE details SET program = ?, data = ? WHERE run = ?").with(program, data, seq).run();
}

void RunStore::mark_running(int64_t seq) {
  database_.prepare("UPDATE runs SET state = 'running' WHERE seq = ? AND state <> 'running'").with(seq).run();
}

void RunStore::finish(const Run& run, const std::string& message) {
  database_.prepare("UPDATE runs SET state = ?, exit_status = ?, ended_at = ?, seconds = ? WHERE seq = ?")
      .with(name_of(run.state), run.exit_status, run.ended_at, run.seconds, run.seq)
      .run();
  database_.prepare("UPDATE details SET message = ? WHERE run = ?").with(message, run.seq).run();
}

void RunStore::remove(int64_t seq) {
  database_.prepare("DELETE FROM runs WHERE seq = ?").with(seq).run();
}

std::vector<Run> RunStore::list(const RunFilter& filter) const {
  std::string sql = "SELECT " + std::string(kRunColumns) + " FROM runs WHERE 1";
  std::vector<std::string> values;
  if (filter.state) {
    sql += " AND state = ?";
    values.emplace_back(name_of(*filter.state));
  }
  if (!filter.folder.empty()) {
    sql += " AND folder = ?";
    values.push_back(filter.folder);
  }
  if (!filter.text.empty()) {
    sql +=
        " AND instr(lower(model || ' ' || folder || ' ' || recipe || ' ' || "
        "(SELECT command FROM details WHERE run = seq)), lower(?))";
    values.push_back(filter.text);
  }
  for (const auto& [key, value] : filter.recipe_values) {
    sql +=
        " AND EXISTS(SELECT 1 FROM details WHERE run = seq AND CASE WHEN recipe_json <> '' THEN"
        " json_type(recipe_json, ?) IS NOT NULL AND json_extract(recipe_json, ?) IS json_extract(?, '$') "
        "END)";
    const std::string path = json_path(key);
    values.insert(values.end(), {path, path, as_json(value)});
  }
  sql += " ORDER BY seq DESC";
  if (filter.limit) sql += " LIMIT " + std::to_string(*filter.limit);
  Statement rows = database_.prepare(sql);
  for (size_t i = 0; i < values.size(); ++i) rows.bind(static_cast<int>(i) + 1, values[i]);
  std::vector<Run> runs;
  while (rows.step()) runs.push_back(read_run(rows));
  return runs;
}

int64_t RunStore::num_runs() const {
  return database_.integer("SELECT count(*) FROM runs");
}

bool RunStore::is_running(int64_t seq) const {
  return database_.prepare("SELECT 1 FROM runs WHERE seq = ? AND state = 'running'").with(seq).step();
}

Run RunStore::find(const std::string& id) const {
  check(!id.empty(), ErrorCode::kUsage, "which run? give an id or its beginning, or \"last\"");
  const std::string columns = "SELECT " + std::string(kRunColumns) + " FROM runs ";
  Statement rows =
      database_.prepare(id == "last" ? columns + "WHERE ? <> '' ORDER BY seq DESC LIMIT 1"
                                     : columns + "WHERE substr(id, 1, length(?1)) = ?1 ORDER BY seq DESC");
  rows.with(id);
  std::vector<Run> found;
  while (rows.step()) found.push_back(read_run(rows));
  if (found.size() == 1) return found.front();
  constexpr size_t kShown = 5;
  std::vector<std::string> names;
  for (const Run& run : found) names.push_back(run.id);
  if (found.size() > kShown) {
    names.resize(kShown);
    names.emplace_back("...");
  }
  check(found.empty(),
        ErrorCode::kUsage,
        "\"",
        id,
        "\" is the beginning of ",
        found.size(),
        " ids: ",
        join(names, ", "),
        "; give more digits");
  for (const Run& run : list()) names.push_back(run.id);
  const std::string nearest = nearest_name(id, names);
  fail(ErrorCode::kUsage,
       "no run \"",
       id,
       "\" among the ",
       names.size(),
       " of ",
       database_.path(),
       nearest.empty() ? "" : "; did you mean " + nearest + "?",
       " (automodel runs list shows them)");
}

RunDetails RunStore::details(int64_t seq) const {
  const std::string link = version_ < kVersion ? "''" : "resumed_from";
  Statement row = database_.prepare(
      "SELECT command, working_directory, recipe_yaml, recipe_json, machine, program, data, file_sizes, "
      "message, " +
      link + " FROM details WHERE run = ?");
  if (!row.with(seq).step()) return {};
  return {row.text(0),
          row.text(1),
          row.text(2),
          row.text(3),
          row.text(4),
          row.text(5),
          row.text(6),
          row.text(7),
          row.text(8),
          row.text(9)};
}

std::map<std::string, std::vector<Metric>> RunStore::metrics(int64_t seq) const {
  Statement rows = database_.prepare(
      "SELECT validation_set, step, epoch, timestamp, loss, grad_norm, lr, mem, tps, mfu, num_tokens, "
      "num_label_tokens FROM metrics WHERE run = ? ORDER BY validation_set, step");
  rows.with(seq);
  std::map<std::string, std::vector<Metric>> sets;
  while (rows.step()) {
    sets[rows.text(0)].push_back({rows.text(0),
                                  rows.integer(1),
                                  rows.integer(2),
                                  rows.text(3),
                                  rows.maybe_real(4),
                                  rows.maybe_real(5),
                                  rows.maybe_real(6),
                                  rows.maybe_real(7),
                                  rows.maybe_real(8),
                                  rows.maybe_real(9),
                                  rows.maybe_integer(10),
                                  rows.maybe_integer(11)});
  }
  return sets;
}

std::vector<Checkpoint> RunStore::checkpoints(int64_t seq) const {
  Statement rows = database_.prepare(
      "SELECT step, epoch, path, train_loss, val_loss FROM checkpoints WHERE run = ? ORDER BY step");
  rows.with(seq);
  std::vector<Checkpoint> found;
  while (rows.step()) {
    found.push_back({rows.integer(0), rows.integer(1), rows.text(2), rows.maybe_real(3), rows.maybe_real(4)});
  }
  return found;
}

}  // namespace automodel::store
