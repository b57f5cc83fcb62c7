#include "core/store/database.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <thread>

#include <sqlite3.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/base/error.h"

namespace automodel::store {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_sqlite(sqlite3* database, int status, const std::string& path) {
  const int kind = status & 0xff;
  std::string reason = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(status);
  const int system_error = database != nullptr ? sqlite3_system_errno(database) : 0;
  if (kind == SQLITE_IOERR && system_error != 0) reason += std::string(": ") + std::strerror(system_error);
  if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB) {
    fail(
        ErrorCode::kFormat,
        path,
        ": no run store, or a damaged one: ",
        reason,
        "; move it away: a new one is made, and `automodel runs import FOLDER` fills it from training.jsonl");
  }
  if (kind == SQLITE_BUSY || kind == SQLITE_LOCKED)
    fail(ErrorCode::kIo, path, ": another process keeps the run store locked: ", reason);
  fail(ErrorCode::kIo, path, ": ", reason);
}

void check_sqlite(sqlite3* database, int status, const std::string& path) {
  if (status != SQLITE_OK) fail_sqlite(database, status, path);
}

bool on_network(const fs::path& file) {
  struct statfs info{};
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  return ::statfs(folder.c_str(), &info) == 0 && is_network_file_system(info.f_type);
}

/// A file that nobody here can write, at rest: SQLite may read it without the shared memory of WAL, which it
/// could not make in a read-only folder.
bool is_at_rest(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::error_code none;
  return ::access(folder.c_str(), W_OK) != 0 && !fs::exists(file.string() + "-wal", none);
}

/// sqlite.org/uri.html
std::string immutable_uri(const fs::path& file) {
  std::string uri = "file:";
  for (const char c : fs::absolute(file).string()) {
    const std::string_view special = c == '?' ? "%3f" : c == '#' ? "%23" : c == '%' ? "%25" : "";
    special.empty() ? uri.push_back(c) : void(uri += special);
  }
  return uri + "?immutable=1";
}

}  // namespace

bool is_network_file_system(int64_t type) {
  // NFS, SMB, CIFS, SMB2, Lustre, GPFS, Ceph, FUSE (sshfs, Gluster, JuiceFS, ...), 9p, AFS, BeeGFS, OrangeFS.
  constexpr std::array<uint32_t, 12> kTypes = {0x6969,
                                               0x517b,
                                               0xff534d42,
                                               0xfe534d42,
                                               0x0bd00bd0,
                                               0x47504653,
                                               0x00c36400,
                                               0x65735546,
                                               0x01021997,
                                               0x5346414f,
                                               0x19830326,
                                               0x20030528};
  return std::find(kTypes.begin(), kTypes.end(), static_cast<uint32_t>(type)) != kTypes.end();
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement::Statement(sqlite3* database, const std::string& path, std::string_view sql)
    : database_(database), path_(path) {
  sqlite3_stmt* made = nullptr;
  const int status = sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &made, nullptr);
  check_sqlite(database, status, path_);
  statement_.reset(made);
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

bool Statement::step() {
  const int status = sqlite3_step(statement_.get());
  if (status == SQLITE_ROW) return true;
  if (status != SQLITE_DONE) fail_sqlite(database_, status, path_);
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::bind(int place, std::nullptr_t) {
  check_sqlite(database_, sqlite3_bind_null(statement_.get(), place), path_);
}

void Statement::bind(int place, int64_t value) {
  check_sqlite(database_, sqlite3_bind_int64(statement_.get(), place, value), path_);
}

void Statement::bind(int place, double value) {
  check_sqlite(database_, sqlite3_bind_double(statement_.get(), place, value), path_);
}

void Statement::bind(int place, std::string_view text) {
  // SQLITE_TRANSIENT: SQLite keeps a copy of its own.
  const int status = sqlite3_bind_text64(statement_.get(),
                                         place,
                                         text.data() != nullptr ? text.data() : "",
                                         text.size(),
                                         SQLITE_TRANSIENT,
                                         SQLITE_UTF8);
  check_sqlite(database_, status, path_);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::real(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const unsigned char* bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return "";
  const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column));
  return {reinterpret_cast<const char*>(bytes), size};
}

std::optional<int64_t> Statement::maybe_integer(int column) const {
  return is_null(column) ? std::nullopt : std::optional(integer(column));
}

std::optional<double> Statement::maybe_real(int column) const {
  return is_null(column) ? std::nullopt : std::optional(real(column));
}

void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Database::Database(const fs::path& path, Access access, int busy_timeout_ms, std::optional<Journal> journal)
    : path_(path.string()) {
  const bool writes = access == Access::kReadWrite;
  if (writes && path.has_parent_path()) {
    std::error_code failed;
    fs::create_directories(path.parent_path(), failed);
    check(
        !failed, ErrorCode::kIo, path.parent_path().string(), ": cannot make the folder: ", failed.message());
  }
  check(!fs::is_directory(path), ErrorCode::kIo, path_, ": expected a run store, found a folder");
  const bool at_rest = !writes && is_at_rest(path);
  const int flags = (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (at_rest ? SQLITE_OPEN_URI : 0);
  sqlite3* made = nullptr;
  const int status =
      sqlite3_open_v2(at_rest ? immutable_uri(path).c_str() : path.c_str(), &made, flags, nullptr);
  database_.reset(made);
  check_sqlite(made, status, path_);
  sqlite3_busy_timeout(made, busy_timeout_ms);
  if (!writes) return;
  check(sqlite3_db_readonly(made, "main") == 0, ErrorCode::kIo, path_, ": this user may not write to it");
  set_journal(journal.value_or(on_network(path) ? Journal::kRollback : Journal::kWal), busy_timeout_ms);
  run("PRAGMA foreign_keys = ON");
}

void Database::set_journal(Journal journal, int busy_timeout_ms) const {
  // Changing it needs the file for a moment, and SQLite does not wait for that by itself.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(busy_timeout_ms);
  for (;;) {
    try {
      run(journal == Journal::kWal ? "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"
                                   : "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL");
      return;
    } catch (const Error&) {
      const int kind = sqlite3_errcode(database_.get()) & 0xff;
      if (kind != SQLITE_BUSY || std::chrono::steady_clock::now() >= deadline) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
}

Statement Database::prepare(std::string_view sql) const {
  return {database_.get(), path_, sql};
}

void Database::run(const std::string& sql) const {
  check_sqlite(database_.get(), sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr), path_);
}

int64_t Database::integer(std::string_view sql) const {
  Statement statement = prepare(sql);
  statement.step();
  return statement.integer(0);
}

Transaction::Transaction(const Database& database) : database_(database) {
  database_.run("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const Error&) {
    // SQLite rolls back by itself after a full disk; there is nothing left to undo.
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace automodel::store
