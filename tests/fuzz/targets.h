#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace automodel::fuzz {

/// A parser that reads bytes we did not write.
struct Target {
  std::string name;  ///< also the corpus folder
  void (*parse)(std::string_view bytes);
};

const std::vector<Target>& targets();

/// Throws std::out_of_range for an unknown name.
const Target& target_of(const std::string& name);

/// Runs the parser. A refusal (any Error but kInternal) is as good as success; everything else goes through.
/// Returns whether the bytes were accepted.
bool survive(const Target& target, std::string_view bytes);

}  // namespace automodel::fuzz
