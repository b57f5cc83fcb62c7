#include "core/store/process.h"

#include <array>
#include <filesystem>
#include <optional>

#include <unistd.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strings.h"

namespace automodel::store {
namespace {

namespace fs = std::filesystem;

std::string line_of(const fs::path& path) {
  try {
    return std::string(trim(read_file(path)));
  } catch (const Error&) {
    return "";
  }
}

/// Fields 3 (state) and 22 (start) of /proc/PID/stat, proc(5); nothing when there is no such process.
struct Stat {
  char state = 'X';
  int64_t started_ticks = 0;
};

std::optional<Stat> stat_of(int64_t pid) {
  const std::string text = line_of("/proc/" + std::to_string(pid) + "/stat");
  const size_t name_end = text.rfind(')');  // the name may hold blanks and brackets
  if (name_end == std::string::npos || name_end + 2 >= text.size()) return std::nullopt;
  const std::vector<std::string> fields = split(std::string_view(text).substr(name_end + 2), ' ');
  constexpr size_t kStart = 22 - 3;
  if (fields.size() <= kStart) return std::nullopt;
  return Stat{fields[0][0], std::stoll(fields[kStart])};
}

}  // namespace

Process Process::current() {
  Process process;
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  process.host = name.data();
  process.machine_id = line_of("/etc/machine-id");
  process.boot_id = line_of("/proc/sys/kernel/random/boot_id");
  std::error_code ignored;
  process.pid_namespace = fs::read_symlink("/proc/self/ns/pid", ignored).string();
  process.pid = ::getpid();
  if (const auto stat = stat_of(process.pid)) process.started_ticks = stat->started_ticks;
  return process;
}

Life life_of(const Process& process) {
  const Process here = Process::current();
  if (process.host != here.host || process.machine_id != here.machine_id) return Life::kUnknown;
  if (process.boot_id != here.boot_id) return Life::kDead;
  if (process.pid_namespace != here.pid_namespace) return Life::kUnknown;
  const auto stat = stat_of(process.pid);
  const bool same = stat && stat->started_ticks == process.started_ticks;
  return same && stat->state != 'Z' && stat->state != 'X' ? Life::kAlive : Life::kDead;
}

}  // namespace automodel::store
