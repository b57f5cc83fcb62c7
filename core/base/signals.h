#pragma once

#include <vector>

namespace automodel {

/// While it lives, the given signals are noted instead of ending the process; SIGINT too. A second SIGINT
/// ends it, but for one within half a second of the first. One at a time in a process; the default actions
/// come back when it goes.
class SignalWatch {
 public:
  explicit SignalWatch(const std::vector<int>& signals);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  /// The first signal that came, 0 when none did.
  int received() const;

 private:
  std::vector<int> signals_;
};

}  // namespace automodel
