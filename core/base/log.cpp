#include "core/base/log.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string_view>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace automodel::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

spdlog::level::level_enum level_from_environment() {
  const char* text = std::getenv("LOGGING_LEVEL");
  const std::string_view value = text ? text : "";
  if (value == "10" || value == "debug" || value == "DEBUG") return spdlog::level::debug;
  if (value == "30" || value == "warning" || value == "WARNING") return spdlog::level::warn;
  if (value == "40" || value == "error" || value == "ERROR") return spdlog::level::err;
  return spdlog::level::info;
}

const char* level_name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "DEBUG";
    case Level::kInfo:
      return "INFO";
    case Level::kWarning:
      return "WARNING";
    case Level::kError:
      return "ERROR";
  }
  return "INFO";
}

/// The status line under the log.
struct Terminal {
  std::mutex mutex;
  std::string status;
  const bool present = ::isatty(STDERR_FILENO) == 1;

  void erase() const {
    if (present && !status.empty()) std::fputs("\r\x1b[K", stderr);
  }

  void draw() const {
    if (present && !status.empty()) std::fputs(status.c_str(), stderr);
  }
};

Terminal& terminal() {
  static Terminal instance;
  return instance;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = spdlog::stderr_color_mt("automodel");
    made->set_pattern("%Y-%m-%d %H:%M:%S | %v");
    made->set_level(level_from_environment());
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *instance;
}

}  // namespace

void set_level(Level level) {
  logger().set_level(to_spdlog(level));
}

bool enabled(Level level) {
  return logger().should_log(to_spdlog(level));
}

void write(Level level, const std::string& text) {
  const std::lock_guard<std::mutex> lock(terminal().mutex);
  terminal().erase();
  logger().log(to_spdlog(level), "{} | root | {}", level_name(level), text);
  terminal().draw();
}

void set_status(const std::string& text) {
  const std::lock_guard<std::mutex> lock(terminal().mutex);
  terminal().erase();
  terminal().status = text;
  terminal().draw();
}

}  // namespace automodel::log
