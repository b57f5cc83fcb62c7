#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/arch/weight_names.h"

namespace automodel::families {

/// A value of a family file, as JSON text: "true", "3", "\"silu\"", "null".
using JsonText = std::string;

/// Where the value of one field comes from; exactly one of `key` and `value` is set.
struct FieldSource {
  std::string key;                   ///< of config.json; "outer.inner" for one in an inner object
  std::optional<JsonText> value;     ///< a constant
  std::optional<JsonText> fallback;  ///< `default`: when the key is absent; none: the key is required
  std::shared_ptr<const FieldSource> if_null;  ///< what null (or a default of null) stands for
  std::map<std::string, JsonText> values;      ///< config.json's words -> ours; empty: as they are
};

/// `checked_with` of a family whose code lies in its checkpoints.
constexpr const char* kRemoteCode = "remote code";

/// A family file with everything that it inherits.
struct Family {
  std::string name;    ///< of the file, without .yaml
  std::string origin;  ///< "built in" or the file's path
  std::string like;    ///< name of the base; empty for a base
  std::vector<std::string> architectures;
  std::vector<std::string> model_types;
  std::string checked_with;  ///< release of transformers whose class it was compared with, or kRemoteCode
  std::vector<std::pair<std::string, FieldSource>> fields;  ///< in the order of the files
  std::vector<std::string> readers;
  std::map<std::string, std::vector<JsonText>> only;
  /// Keys that the class does not read and another family's may: values that pass in silence.
  std::map<std::string, std::vector<JsonText>> unread;
  std::vector<std::string> inert;
  arch::WeightNames weights;
};

/// Reads one file as it stands. Throws Error(kConfig) "origin:line: ..." for YAML that does not parse, an
/// unknown section, field or reader, and a wrong type.
Family parse_family(const std::string& yaml, const std::string& name, const std::string& origin);

/// The file with what it inherits from its base filled in.
Family inherit(const Family& family, const Family& base);

/// As YAML again.
std::string to_yaml(const Family& family);

}  // namespace automodel::families
