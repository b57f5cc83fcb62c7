#pragma once

#include "core/config/node.h"

namespace automodel::config {

/// Replaces the text of keys that hold a secret (their name has password, secret, token, api_key,
/// authorization or auth in it) by asterisks, before a recipe is printed. Placeholders without a default
/// stay: they hold no secret. Names of a tokenizer's parts are no secrets.
void redact(Node& node);

}  // namespace automodel::config
