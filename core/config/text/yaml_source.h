#pragma once

#include <string_view>
#include <vector>

namespace automodel::config {

/// The text of a YAML file by line: finds what yaml-cpp lets pass and YAML does not.
/// Lines and columns count from 0, columns in bytes. Keeps no copy of the text.
class YamlSource {
 public:
  explicit YamlSource(std::string_view text);

  std::string_view line(int number) const;

  /// Whether blanks before the first other character include a tab, which YAML forbids as indentation.
  bool is_indented_by_tab(int line) const;

  /// Whether the quoted text that begins here has its closing quote; true when no quote begins here.
  bool is_quote_closed(int line, int column) const;

  /// Whether null is written here: null, Null, NULL or ~.
  bool has_null_word(int line, int column) const;

  /// Whether the key that begins here is followed by a colon, or begins with "? ".
  bool has_colon_after_key(int line, int column) const;

 private:
  std::string_view from(int line, int column) const;

  std::string_view text_;
  std::vector<size_t> starts_;
};

}  // namespace automodel::config
