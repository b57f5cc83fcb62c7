#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace automodel::config {

/// What happens to a key of a recipe that is accepted.
enum class KeyStatus {
  kUsed,
  kBuiltIn,  ///< asks for what is always done here, or chooses how, not what, is computed: fused kernels,
             ///< compile
  kInert,    ///< has no effect in the reference either: rng, ci
};

enum class Why {
  kUnknownKey,
  kBadValue,
  kNotSupported,  ///< right in the reference, not implemented here
};

/// "used", "built_in", "inert"; "unknown_key", "bad_value", "not_supported".
std::string_view name_of(KeyStatus fate);
std::string_view name_of(Why why);

struct Refusal {
  std::string path;  ///< dotted key
  Why why;
  std::string message;  ///< with the place: "recipe.yaml:12: ..."
};

struct KeyEntry {
  std::string path;
  KeyStatus fate;
  std::string note;  ///< why it is built in or inert
};

/// The fate of every key of one recipe, in the order of the file.
struct Report {
  std::vector<KeyEntry> keys;
  std::vector<Refusal> refused;

  bool accepted() const { return refused.empty(); }
};

}  // namespace automodel::config
