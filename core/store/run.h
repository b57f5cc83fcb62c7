#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/store/process.h"

namespace automodel::store {

enum class RunState {
  kRunning,
  kDone,
  kFailed,   ///< ended with an error of its own
  kStopped,  ///< ended by a signal, behind a checkpoint
  kKilled,   ///< found dead
  kUnknown,  ///< imported from a folder that does not say
};

std::string_view name_of(RunState state);

/// Throws Error(kUsage) listing the states.
RunState parse_state(std::string_view name);

/// A run as a list shows it.
struct Run {
  int64_t seq = 0;  ///< order of beginning in this store, whatever the clocks said; 0: not stored yet
  std::string id;   ///< 8 hexadecimal digits
  RunState state = RunState::kRunning;
  bool imported = false;
  std::optional<int64_t> exit_status;
  std::string recipe;                ///< its class
  std::string model;                 ///< folder or Hub id
  std::string folder;                ///< absolute path of the checkpoint folder
  std::string started_at, ended_at;  ///< UTC, as the machine's clock said; may be empty
  std::optional<double> seconds;     ///< by a clock that does not jump
  Process process;
  std::optional<int64_t> first_step, last_step;
  std::optional<double> last_loss, lowest_val_loss;
};

/// What only one run's page shows. JSON as text; empty: not known.
struct RunDetails {
  std::string command;  ///< as typed, secrets hidden
  std::string working_directory;
  std::string recipe_yaml;  ///< resolved, secrets hidden
  std::string recipe_json;  ///< the same
  std::string machine, program, data;
  std::string file_sizes;    ///< of the folder's *.jsonl before the run: {name: bytes}
  std::string message;       ///< why it failed
  std::string resumed_from;  ///< the checkpoint's path
};

/// One line of training.jsonl or of a validation file.
struct Metric {
  std::string set;  ///< "" training, else the validation set's name
  int64_t step = 0, epoch = 0;
  std::string timestamp;
  std::optional<double> loss, grad_norm, lr, mem, tps, mfu;
  std::optional<int64_t> num_tokens, num_label_tokens;

  /// From the line. Throws Error(kData) when step or loss is missing or of another type; a loss may be null.
  static Metric from_json(const std::string& set, const nlohmann::ordered_json& line);

  /// The keys that the line of training.jsonl had.
  nlohmann::ordered_json to_json() const;
};

struct Checkpoint {
  int64_t step = 0, epoch = 0;
  std::string path;
  std::optional<double> train_loss, val_loss;
};

}  // namespace automodel::store
