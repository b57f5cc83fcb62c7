#include "core/store/run_recorder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/store/run_files.h"

namespace automodel::store {
namespace {

using nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr milliseconds kInterval{1000};
constexpr int kBusyTimeoutMs = 3000;
constexpr size_t kMostPending = 1'000'000;  // steps that wait for a store that cannot be written
constexpr milliseconds kMostForFactsAfterEnd{2000};

/// Names of files and the system's messages need not be UTF-8.
std::string to_text(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string absolute_text(const std::filesystem::path& path) {
  std::error_code none;
  return std::filesystem::absolute(path, none).lexically_normal().string();
}

}  // namespace

RunRecorder::RunRecorder(std::optional<std::filesystem::path> path, RunStart start) noexcept
    : path_(std::move(path)), start_(std::move(start)) {
  if (!path_) return;
  try {
    run_.recipe = start_.recipe;
    run_.model = start_.model;
    run_.folder = start_.folder;
    run_.started_at = utc_timestamp();
    run_.process = Process::current();
    details_.command = start_.command;
    details_.working_directory = std::filesystem::current_path().string();
    details_.recipe_yaml = start_.recipe_yaml;
    details_.recipe_json = start_.recipe_json;
    details_.file_sizes = metric_file_sizes(run_.folder);
    thread_ = std::thread([this] { work(); });
  } catch (const std::exception& error) {
    warn_once(error.what());
    path_.reset();
  }
}

RunRecorder::~RunRecorder() {
  finish(exit_status(ErrorCode::kInternal), "ended without saying how");
}

void RunRecorder::metric(const std::string& set, const ordered_json& line) {
  if (!path_) return;
  Metric record = Metric::from_json(set, line);
  const std::lock_guard<std::mutex> lock(mutex_);
  overflowed_ = overflowed_ || pending_.metrics.size() >= kMostPending;
  if (!overflowed_) pending_.metrics.push_back(std::move(record));
}

void RunRecorder::checkpoint(Checkpoint checkpoint) {
  if (!path_) return;
  checkpoint.path = absolute_text(checkpoint.path);
  push([this, checkpoint = std::move(checkpoint)](RunStore& store) {
    store.add_checkpoint(run_.seq, checkpoint);
  });
}

void RunRecorder::resumed(const std::filesystem::path& checkpoint) {
  if (!path_) return;
  push([this, path = absolute_text(checkpoint)](RunStore& store) { store.set_resumed_from(run_.seq, path); });
}

void RunRecorder::forget() {
  if (!path_) return;
  push([this](RunStore& store) { store.remove(run_.seq); });
  forgotten_ = true;
}

void RunRecorder::finish(int exit_status, const std::string& message) {
  if (!thread_.joinable()) return;
  constexpr int kFirstSignal = 128;
  const RunState state = exit_status == 0             ? RunState::kDone
                         : exit_status > kFirstSignal ? RunState::kStopped
                                                      : RunState::kFailed;
  const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  push([this, state, exit_status, message, seconds, ended_at = utc_timestamp()](RunStore& store) {
    run_.state = state;
    run_.exit_status = exit_status;
    run_.seconds = seconds;
    run_.ended_at = ended_at;
    store.finish(run_, message);
  });
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = Clock::now();
  }
  changed_.notify_one();
  thread_.join();
}

void RunRecorder::push(Change change) {
  const std::lock_guard<std::mutex> lock(mutex_);
  pending_.changes.push_back(std::move(change));
}

void RunRecorder::work() {
  Batch batch;
  batch.changes.emplace_back([this](RunStore&) { begin(); });
  bool facts_known = false, stop = false;
  while (!stop) {
    if (flush(batch) && !facts_known) {
      batch.changes.push_back(read_facts());
      facts_known = true;
    }
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, kInterval, [this] { return stopped_.has_value(); });
    stop = stopped_.has_value();
    std::move(pending_.changes.begin(), pending_.changes.end(), std::back_inserter(batch.changes));
    if (batch.metrics.size() < kMostPending)
      std::move(pending_.metrics.begin(), pending_.metrics.end(), std::back_inserter(batch.metrics));
    else
      overflowed_ = overflowed_ || !pending_.metrics.empty();
    pending_ = {};
  }
  if (!flush(batch) || overflowed_) {
    log::warning("the run store ",
                 path_->string(),
                 " lacks the end of this run: automodel runs import ",
                 run_.folder,
                 " reads it from training.jsonl");
  }
}

bool RunRecorder::flush(Batch& batch) {
  if (batch.empty()) return true;
  try {
    if (!store_) store_.emplace(*path_, RunStore::Access::kReadWrite, kBusyTimeoutMs);
    Transaction transaction(store_->database());
    if (stored_) store_->mark_running(run_.seq);
    for (const Change& change : batch.changes) change(*store_);
    store_->add_metrics(run_.seq, batch.metrics);
    transaction.commit();
  } catch (const std::exception& error) {
    warn_once(error.what());
    return false;
  }
  if (!stored_ && !forgotten_) log::info("Run ", run_.id, " is recorded: automodel runs show ", run_.id);
  stored_ = true;
  batch = {};
  return true;
}

void RunRecorder::begin() {
  details_.machine = to_text(machine_facts());
  store_->add(run_, details_);
}

RunRecorder::Change RunRecorder::read_facts() {
  const auto or_error = [](const std::function<ordered_json()>& read) -> ordered_json {
    try {
      return read();
    } catch (const std::exception& error) {
      return {{"error", error.what()}};
    }
  };
  const ordered_json program = or_error(program_facts);
  ordered_json data = ordered_json::object();
  for (const DataFiles& set : start_.data) {
    data[set.set] = or_error([&] { return fingerprint(set.files, [this] { return !may_go_on_reading(); }); });
  }
  return [this, program = to_text(program), data = to_text(data)](RunStore& store) {
    store.set_facts(run_.seq, program, data);
  };
}

/// A run that has ended waits for its facts a little, not for a terabyte of data.
bool RunRecorder::may_go_on_reading() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !stopped_ || Clock::now() - *stopped_ < kMostForFactsAfterEnd;
}

void RunRecorder::warn_once(const std::string& reason) {
  if (warned_) return;
  warned_ = true;
  log::warning(
      "run store: ",
      reason,
      "\n  Training goes on without it and training.jsonl has every step; AUTOMODEL_RUNS names another file, none turns recording off");
}

}  // namespace automodel::store
