#pragma once

#include <string>
#include <vector>

#include "core/families/config_json.h"
#include "core/families/family.h"
#include "core/families/family_file.h"

namespace automodel::families {

/// Decides on the keys that a family has not read. One warning names those that change nothing, as in
/// transformers; it is louder for a key that another family computes with. An error names those that could
/// change something: of a family whose code lies in its checkpoints, of a file from a newer transformers than
/// the family was checked with when the value is neither null, false, 0 nor empty, and those of an override.
/// `rules` makes all of them errors, or takes errors back. Throws Error(kFormat) for such a key, and
/// Error(kConfig) when `rules` ignores a key that the family reads.
void judge_unknown_keys(ConfigJson& config,
                        const std::vector<UnknownKey>& unknown,
                        const Family& family,
                        const KeyRules& rules);

/// Whether a release of transformers ("4.57.1", "5.24.0.dev0") comes after another. A text that does not
/// begin with a number is of none.
bool is_newer(const std::string& release, const std::string& than);

}  // namespace automodel::families
