#pragma once

#include <string>

namespace automodel {

/// "2026-08-22T09:15:03.217Z", now, by the machine's clock: for people, never to order or to measure by.
std::string utc_timestamp();

}  // namespace automodel
