#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/store/facts.h"
#include "core/store/run_store.h"

namespace automodel::store {

/// What a run is, when it starts.
struct RunStart {
  std::string recipe, model, folder;  ///< folder: absolute
  std::string command;                ///< secrets hidden
  std::string recipe_yaml, recipe_json;
  std::vector<DataFiles> data;
};

/// Records a run as it goes, on a thread of its own that writes about once a second: a step never waits for
/// the store. Nothing here throws: a store that cannot be opened or written (no home, a full disk, a lock) is
/// one warning; records are kept and tried again until the run ends. Its methods may be called from one
/// thread. After a crash the last second is missing in the store; training.jsonl has it, and the next
/// `automodel runs` reads it from there.
class RunRecorder {
 public:
  /// `path` nothing: records nowhere.
  RunRecorder(std::optional<std::filesystem::path> path, RunStart start) noexcept;

  /// Without a word from finish(), the run has failed.
  ~RunRecorder();
  RunRecorder(const RunRecorder&) = delete;
  RunRecorder& operator=(const RunRecorder&) = delete;

  /// One line of training.jsonl (`set` "") or of a validation set's file.
  void metric(const std::string& set, const nlohmann::ordered_json& line);
  void checkpoint(Checkpoint checkpoint);

  /// The run goes on from this checkpoint.
  void resumed(const std::filesystem::path& checkpoint);

  /// The run turned out to have nothing to do: the store keeps nothing of it.
  void forget();

  /// How the program will exit: 0 done, 128 + n stopped by a signal, else failed, with the message. Waits
  /// until all is written, a few seconds at most.
  void finish(int exit_status, const std::string& message);

 private:
  using Clock = std::chrono::steady_clock;
  using Change = std::function<void(RunStore&)>;

  /// What waits for the store.
  struct Batch {
    std::vector<Change> changes;  ///< in their order
    std::vector<Metric> metrics;

    bool empty() const { return changes.empty() && metrics.empty(); }
  };

  void push(Change change);
  void work();
  bool flush(Batch& batch);
  void begin();
  Change read_facts();
  bool may_go_on_reading();
  void warn_once(const std::string& reason);

  std::optional<std::filesystem::path> path_;
  RunStart start_;
  Run run_;
  RunDetails details_;
  Clock::time_point started_ = Clock::now();

  // Of the writing thread.
  std::optional<RunStore> store_;
  bool stored_ = false;  ///< the run's row is in the store
  bool warned_ = false;

  std::atomic<bool> forgotten_ = false;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  Batch pending_;
  bool overflowed_ = false;
  std::optional<Clock::time_point> stopped_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace automodel::store
