#pragma once

#include <string>

#include "core/config/text/node.h"

namespace automodel::config {

/// Whether a key's value is a secret: its name has password, secret, token, api_key, authorization or auth in
/// it. Names of a tokenizer's parts are no secrets.
bool holds_secret(const std::string& key);

/// Replaces the text of keys that hold a secret by asterisks, before a recipe is printed. Placeholders
/// without a default stay: they hold no secret.
void redact(Node& node);

}  // namespace automodel::config
