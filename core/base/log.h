#pragma once

#include <string>

#include "core/base/error.h"

/// The log: lines "2026-11-20 11:29:21 | INFO | root | text" on standard error.
/// Level from LOGGING_LEVEL (debug, info, warning, error, or Python's 10, 20, 30, 40); info when unset.
/// Any thread may call.
namespace automodel::log {

enum class Level { kDebug, kInfo, kWarning, kError };

void set_level(Level level);

bool enabled(Level level);

void write(Level level, const std::string& text);

/// A line that stays below the log on a terminal (progress); "" removes it. Nothing when standard error is a
/// file.
void set_status(const std::string& text);

template <class... Parts>
void debug(const Parts&... parts) {
  if (enabled(Level::kDebug)) write(Level::kDebug, automodel::detail::join(parts...));
}

template <class... Parts>
void info(const Parts&... parts) {
  if (enabled(Level::kInfo)) write(Level::kInfo, automodel::detail::join(parts...));
}

template <class... Parts>
void warning(const Parts&... parts) {
  if (enabled(Level::kWarning)) write(Level::kWarning, automodel::detail::join(parts...));
}

template <class... Parts>
void error(const Parts&... parts) {
  if (enabled(Level::kError)) write(Level::kError, automodel::detail::join(parts...));
}

}  // namespace automodel::log
