#pragma once

#include <string>
#include <vector>

#include "core/families/family_file.h"

namespace automodel::families {

/// Every family that can be used, whole: the built-in ones and those of the folders in AUTOMODEL_MODELS
/// (separated by colons). A user's family takes an architecture over from a built-in one; two users' families
/// may not share one. Of the built-in ones only those whose file holds `word`, such as an architecture's
/// name: the others are not parsed.
std::vector<Family> load_families(const std::string& word = "");

/// A user's family file, whole; its base may be built in or lie beside it.
Family load_family_file(const std::string& path);

}  // namespace automodel::families
