#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/models/decoder_config.h"

namespace automodel::models {

/// A decoder while it is being read: what holds for all layers, until the readers make layers of it.
struct Draft {
  DecoderConfig config;
  LayerConfig layer;  ///< every layer starts as this
  int64_t num_layers = 0;
};

/// One name under `fields:` of a family file.
struct Field {
  const char* name;
  const char* doc;

  /// Checks the value and puts it in its place. `where` names it in messages.
  void (*set)(Draft& draft, const nlohmann::json& value, const std::string& where);
};

/// nullptr when there is none.
const Field* find_field(const std::string& name);

std::vector<std::string> field_names();

}  // namespace automodel::models
