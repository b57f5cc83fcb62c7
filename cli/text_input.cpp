#include "cli/text_input.h"

#include <iostream>
#include <iterator>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/utf8.h"

namespace automodel::cli {

std::string read_input(const std::string& file) {
  if (file != "-") return read_file(file);
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

std::string check_utf8(std::string text, const std::string& origin) {
  const auto invalid = io::find_invalid_utf8(text);
  check(!invalid, ErrorCode::kData, origin, ": not UTF-8 at byte ", invalid.value_or(0));
  return text;
}

}  // namespace automodel::cli
