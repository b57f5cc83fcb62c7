#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace automodel::data {

/// A file or folder of the data beside the repository: ../shared, or AUTOMODEL_SHARED.
inline std::filesystem::path shared(const std::string& path) {
  const char* root = std::getenv("AUTOMODEL_SHARED");
  return std::filesystem::path(root != nullptr ? root : "../shared") / path;
}

}  // namespace automodel::data
