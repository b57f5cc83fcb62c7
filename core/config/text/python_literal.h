#pragma once

#include <optional>
#include <string_view>

#include "core/config/text/node.h"

namespace automodel::config {

/// Reads text as Python's ast.literal_eval would: numbers (1e-5, 0o17, 1_000, -3), quoted strings, None,
/// True, False, lists, tuples (also bare: 1, 2) and dicts. Empty when it is no such literal; also for bytes,
/// sets and complex numbers, which have no place in a recipe. Tuples become lists.
std::optional<Node> read_python_literal(std::string_view text);

/// How the reference types the text of a YAML string or an override: none/None is null, true/True/false/False
/// are booleans, then a Python literal (texts over 1000 characters are not tried), else the text itself.
Node typed_value(std::string_view text);

/// Applies typed_value to every string below `node`, keeping lines. Strings that hold a placeholder stay as
/// they are: they are printed and stored unexpanded, and typed when they are read (expanded_value).
void type_strings(Node& node);

}  // namespace automodel::config
