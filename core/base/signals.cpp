#include "core/base/signals.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include <unistd.h>

namespace automodel {
namespace {

std::atomic<int> received_signal{0};  // a handler can reach nothing else

void note_signal(int signal) {
  int none = 0;
  const bool first = received_signal.compare_exchange_strong(none, signal);
  if (signal != SIGINT) return;
  if (!first) {
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
