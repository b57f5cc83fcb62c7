#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace automodel::config {

/// A value of a recipe with the place it came from. Maps keep the order of the file.
struct Node {
  enum class Kind { kNull, kBool, kInt, kFloat, kString, kTimestamp, kList, kMap };
  struct Entry;

  Kind kind = Kind::kNull;
  bool boolean = false;
  int64_t integer = 0;
  double number = 0.0;
  std::string text;  ///< a string's value; of other scalars what the file says ("1e-5", "0x10")
  std::vector<Node> items;
  std::vector<Entry> entries;
  int line = 0;  ///< from 1; 0: the command line

  static Node null();
  static Node of(bool value);
  static Node of(int64_t value);
  static Node of(double value);
  static Node of(std::string value);
  static Node of(const char* value);  ///< text, which else would be taken for true
  static Node list();
  static Node map();

  bool is_null() const { return kind == Kind::kNull; }

  bool is_string() const { return kind == Kind::kString; }

  bool is_list() const { return kind == Kind::kList; }

  bool is_map() const { return kind == Kind::kMap; }

  /// The value of a map's key; null when this is no map or has no such key.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);

  /// The value at "a.b.c".
  const Node* find_path(std::string_view dotted) const;

  /// Sets a map's key, in place when it is there, else at the end.
  Node& set(std::string_view key, Node value);

  /// Removes a map's key. False when it was not there.
  bool remove(std::string_view key);
};

struct Node::Entry {
  std::string key;
  Kind key_kind = Kind::kString;  ///< kInt for `0: x`
  int line = 0;                   ///< of the key
  Node value;
};

/// "an integer", "a list", ...: for messages.
std::string_view kind_name(Node::Kind kind);

/// A short rendering for messages: 1e-5, "text", [3 values], {2 keys}.
std::string summary(const Node& node);

}  // namespace automodel::config
