#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace automodel {

/// "5GB" (10^9), "2GiB" (2^30), "500 MB", "1024": bytes. nullopt for anything else, and beyond 2^53.
std::optional<int64_t> parse_bytes(std::string_view text);

}  // namespace automodel
