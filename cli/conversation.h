#pragma once

#include <string>

namespace automodel::cli {

/// Throws Error(kUsage) when a file that should hold one conversation is a data set: rows, one a line or in a
/// list. Text that is no JSON passes: who reads it names the place.
void refuse_data_set(const std::string& file, const std::string& text);

}  // namespace automodel::cli
