#pragma once

#include <string>

namespace automodel::cli {

/// A file's content; standard input for "-".
std::string read_input(const std::string& file);

/// The text as it is. Throws Error(kData) naming `origin` and the byte where it is not UTF-8.
std::string check_utf8(std::string text, const std::string& origin);

}  // namespace automodel::cli
