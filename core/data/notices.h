#pragma once

#include <string>

namespace automodel::data {

/// A warning for something that many rows of a set have: said the first time only. Any thread may call.
void warn_once(const std::string& text);

}  // namespace automodel::data
