#pragma once

#include <vector>

namespace CLI {
class App;
}

namespace automodel::cli {

/// One command: the group word it stands under ("data" in `automodel data tokenize`; "" at the top) and its
/// function.
struct CommandRow {
  const char* group;
  void (*add)(CLI::App& parent);
};

/// What a group word is about, as `automodel --help` shows it.
struct GroupRow {
  const char* name;
  const char* description;
};

const std::vector<GroupRow>& group_table();

const std::vector<CommandRow>& command_table();

}  // namespace automodel::cli
