#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "core/dist/communicator.h"

namespace automodel::dist {

/// How long a call waits for the other ranks before it throws, naming those that have not come.
constexpr std::chrono::seconds kThreadPatience{300};

/// Communicators of `size` ranks that are threads of this process, by rank. They wait without spinning. CPU
/// tensors only.
std::vector<std::unique_ptr<Communicator>> make_thread_communicators(
    int64_t size, std::chrono::milliseconds patience = kThreadPatience);

}  // namespace automodel::dist
