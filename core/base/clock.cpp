#include "core/base/clock.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace automodel {

std::string utc_timestamp() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> date{}, text{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text.data(), text.size(), "%.23s.%03dZ", date.data(), static_cast<int>(milliseconds));
  return text.data();
}

}  // namespace automodel
