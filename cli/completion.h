#pragma once

#include <string>
#include <vector>

namespace automodel::cli {

/// What may stand in place of the last word of a line (words after "automodel"): commands, options, dotted
/// keys. Nothing where a file or a value is expected.
std::vector<std::string> complete(const std::vector<std::string>& words);

}  // namespace automodel::cli
