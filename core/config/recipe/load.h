#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/config/recipe/recipe.h"
#include "core/config/schema/report.h"
#include "core/config/text/node.h"
#include "core/config/text/overrides.h"

namespace automodel::config {

/// A recipe file as written, with overrides applied and values typed as the reference types them; what an
/// option reads as text is text, whatever it looks like.
/// Placeholders stand unexpanded.
struct Document {
  std::string file;
  Node root;
};

/// Throws Error(kConfig) for what is no YAML map, Error(kUsage) for a malformed override.
Document load_document(const std::filesystem::path& path, const std::vector<Override>& overrides);

struct CheckedRecipe {
  Recipe recipe;  ///< whole only when the report accepts
  Report report;
};

/// Reads every key of a document. Looks at no other file and at no network.
CheckedRecipe check_recipe(const Document& document);

/// The recipe of a document, or one error that names everything that is refused: Error(kUnsupported) when all
/// of it is right but not implemented, else Error(kConfig).
Recipe require_recipe(const Document& document);

/// load_document and require_recipe.
Recipe load_recipe(const std::filesystem::path& path, const std::vector<Override>& overrides);

/// The printed form: config.yaml of a checkpoint. A disabled wandb section is left out, as in the reference.
std::string resolved_yaml(const Document& document);

}  // namespace automodel::config
