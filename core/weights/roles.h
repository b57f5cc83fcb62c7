#pragma once

#include <string>
#include <vector>

namespace automodel::weights {

/// A module with weights, by its place in the model: what `weights: modules:` of a family file names.
struct Role {
  const char* name;
  const char* doc;
};

const std::vector<Role>& roles();

std::vector<std::string> role_names();

}  // namespace automodel::weights
