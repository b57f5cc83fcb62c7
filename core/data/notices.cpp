#include "core/data/notices.h"

#include <mutex>
#include <set>

#include "core/base/log.h"

namespace automodel::data {

void warn_once(const std::string& text) {
  static std::mutex mutex;
  static auto* const said = new std::set<std::string>;  // never destroyed: workers may still run at exit
  const std::lock_guard lock(mutex);
  if (said->insert(text).second) log::warning(text);
}

}  // namespace automodel::data
