#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace automodel::cli {

/// --ignore-config-key, of every command that reads a config.json.
inline CLI::Option* add_ignored_keys(CLI::App& command, std::vector<std::string>& keys) {
  return command
      .add_option(
          "--ignore-config-key",
          keys,
          "Pass over this key of config.json, which the model's family does not know; may be repeated")
      ->type_name("KEY")
      ->allow_extra_args(false);
}

}  // namespace automodel::cli
