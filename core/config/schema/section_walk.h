#pragma once

#include <string>

#include "core/config/schema/report.h"
#include "core/config/schema/schema.h"
#include "core/config/text/node.h"

namespace automodel::config {

/// Reads a map with a section's options: fills `object`, notes what happens to every key and every refusal.
/// Goes on after a refusal, so that one run names all that is wrong.
class SectionWalk {
 public:
  /// `file` is named in messages. `root_sections`: where to look for the right section of a misplaced key.
  SectionWalk(Report& report, std::string file, const Section& root)
      : report_(report), file_(std::move(file)), root_(root) {}

  void read(const Section& section, const Node& map, const std::string& path, void* object);

  /// Adds a refusal of `path`, prefixed by the place of `line`.
  void refuse(const std::string& path, int line, Why why, const std::string& message);

  /// Notes that the keys read below `path` have no effect after all.
  void ignore(const std::string& path, const std::string& note);

 private:
  void read_entry(const Section& section, const Node::Entry& entry, const std::string& path, void* object);
  void read_value(
      const Option& option, const std::string& key, const Node& value, const std::string& path, void* object);
  void refuse_unknown(const Section& section, const Node::Entry& entry, const std::string& path);
  void mark(const std::string& path, const Node& value, KeyStatus fate, const std::string& note = "");

  Report& report_;
  std::string file_;
  const Section& root_;
};

}  // namespace automodel::config
