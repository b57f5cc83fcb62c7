#include <iostream>

#include "cli/recipe_commands.h"
#include "core/config/recipe/load.h"
#include "core/config/text/node_json.h"
#include "core/config/text/redact.h"

namespace automodel::cli {

int run_config_show(const RecipeArguments& arguments) {
  config::Document document = config::load_document(arguments.config_path, arguments.overrides);
  config::redact(document.root);
  if (arguments.has("json")) {
    std::cout << config::to_json(document.root) << '\n';
  } else {
    std::cout << config::resolved_yaml(document);
  }
  return 0;
}

}  // namespace automodel::cli
