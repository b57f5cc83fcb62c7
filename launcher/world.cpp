#include "launcher/world.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "core/base/error.h"

namespace automodel::launcher {
namespace {

/// A whole positive number, or 0.
int positive_number(std::string_view text) {
  int value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = failure == std::errc() && end == text.data() + text.size();
  return is_whole && value > 0 ? value : 0;
}

}  // namespace

void require_one_process(const std::string& nproc_per_node) {
  if (!nproc_per_node.empty()) {
    const int processes = positive_number(nproc_per_node);
    check(processes > 0,
          ErrorCode::kUsage,
          "--nproc-per-node needs a number from 1, not \"",
          nproc_per_node,
          "\"");
    check(processes == 1,
          ErrorCode::kUnsupported,
          "--nproc-per-node ",
          processes,
          ": several ranks are not implemented yet; 1 is");
  }
  for (const char* name : {"WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE"}) {
    const char* text = std::getenv(name);
    check(text == nullptr || positive_number(text) <= 1,
          ErrorCode::kUnsupported,
          name,
          " is ",
          text ? text : "",
          ": several ranks are not implemented yet; start one process");
  }
}

}  // namespace automodel::launcher
