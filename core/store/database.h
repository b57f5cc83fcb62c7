#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace automodel::store {

/// One SQL statement with ? in place of values. Belongs to its database, which must outlive it.
class Statement {
 public:
  Statement(sqlite3* database, const std::string& path, std::string_view sql);

  /// Sets all values, from the first ?, and makes the statement ready to step from its beginning.
  template <class... Values>
  Statement& with(const Values&... values) {
    reset();
    int place = 0;
    (bind(++place, values), ...);
    return *this;
  }

  /// The next row; false when there is none. Throws Error(kIo), or Error(kFormat) for a damaged file.
  bool step();

  /// step() until the end.
  void run();

  void bind(int place, std::nullptr_t);
  void bind(int place, int64_t value);
  void bind(int place, double value);
  void bind(int place, std::string_view text);

  void bind(int place, const std::string& text) { bind(place, std::string_view(text)); }

  void bind(int place, const char* text) { bind(place, std::string_view(text)); }

  template <class Value>
  void bind(int place, const std::optional<Value>& value) {
    value ? bind(place, *value) : bind(place, nullptr);
  }

  /// Columns of the row, from 0. NULL reads as nothing, or as 0 and "".
  bool is_null(int column) const;
  int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  std::optional<int64_t> maybe_integer(int column) const;
  std::optional<double> maybe_real(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  void reset();

  sqlite3* database_;
  std::string path_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

enum class Journal {
  kWal,       ///< readers and the writer do not wait for each other
  kRollback,  ///< for network file systems, which have no shared memory
};

/// Whether a file system of this type (statfs f_type) may be reached from several machines.
bool is_network_file_system(int64_t type);

/// An open SQLite file. One thread; several processes may have the same file open.
class Database {
 public:
  enum class Access { kReadWrite, kReadOnly };

  /// Opens, and with kReadWrite creates, the file and its folder, with the journal that its file system
  /// bears (`journal` chooses otherwise). Waits `busy_timeout_ms` where another process holds the lock.
  /// Throws Error(kIo), or Error(kFormat) when the file is no database or damaged.
  Database(const std::filesystem::path& path,
           Access access,
           int busy_timeout_ms,
           std::optional<Journal> journal = std::nullopt);

  Statement prepare(std::string_view sql) const;

  /// Runs one or several statements that take no values and give no rows.
  void run(const std::string& sql) const;

  /// The first column of the only row, as an integer.
  int64_t integer(std::string_view sql) const;

  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };

  void set_journal(Journal journal, int busy_timeout_ms) const;

  std::string path_;
  std::unique_ptr<sqlite3, Close> database_;
};

/// All changes while it lives are made together by commit(), or not at all.
class Transaction {
 public:
  explicit Transaction(const Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  const Database& database_;
  bool open_ = true;
};

}  // namespace automodel::store
