#include "core/base/signals.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string_view>

#include <unistd.h>

namespace automodel {
namespace {

// A handler can reach nothing else.
std::atomic<int> received_signal{0};
std::atomic<int64_t> first_at_ms{0};

int64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void note_signal(int signal) {
  constexpr int64_t kOnePressMs = 500;  // a terminal and a launcher may each send the same Ctrl-C
  int none = 0;
  const bool first = received_signal.compare_exchange_strong(none, signal);
  if (first) first_at_ms = now_ms();
  if (signal != SIGINT) return;
  if (!first) {
    if (now_ms() - first_at_ms < kOnePressMs) return;
    std::signal(SIGINT, SIG_DFL);
    std::raise(SIGINT);
  }
  constexpr std::string_view kText =
      "\nstopping after this step and a checkpoint; Ctrl-C again stops at once\n";
  const int error = errno;
  [[maybe_unused]] const ssize_t put = ::write(STDERR_FILENO, kText.data(), kText.size());
  errno = error;
}

}  // namespace

SignalWatch::SignalWatch(const std::vector<int>& signals) : signals_(signals) {
  received_signal = 0;
  if (std::find(signals_.begin(), signals_.end(), SIGINT) == signals_.end()) signals_.push_back(SIGINT);
  for (const int signal : signals_) {
    struct sigaction action{};
    action.sa_handler = note_signal;
    action.sa_flags = SA_RESTART;
    ::sigaction(signal, &action, nullptr);
  }
}

SignalWatch::~SignalWatch() {
  for (const int signal : signals_) std::signal(signal, SIG_DFL);
}

int SignalWatch::received() const {
  return received_signal.load();
}

}  // namespace automodel
