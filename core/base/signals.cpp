#include "core/base/signals.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>

namespace automodel {
namespace {

std::atomic<int> received_signal{0};  // a handler can reach nothing else

void note_signal(int signal) {
  int none = 0;
  if (!received_signal.compare_exchange_strong(none, signal) && signal == SIGINT) {
    std::signal(SIGINT, SIG_DFL);
    std::raise(SIGINT);
  }
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
