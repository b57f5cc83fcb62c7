#pragma once

#include <cstdint>
#include <string>

namespace automodel::store {

/// Which process wrote a record. A number alone would be taken by another process sooner or later: the time
/// it started (clock ticks since boot), the boot, the machine and the name space belong to it.
struct Process {
  std::string host;
  std::string machine_id;     ///< /etc/machine-id; may be empty
  std::string boot_id;        ///< changes at every boot
  std::string pid_namespace;  ///< of a container: numbers mean something only within one
  int64_t pid = 0;
  int64_t started_ticks = 0;

  static Process current();
};

enum class Life { kAlive, kDead, kUnknown };

/// Whether that process still runs, as far as this process can tell: kUnknown for another machine or another
/// container.
Life life_of(const Process& process);

}  // namespace automodel::store
