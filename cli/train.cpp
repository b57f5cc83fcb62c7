#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "cli/engine_library.h"
#include "cli/loss_chart.h"
#include "cli/recipe_commands.h"
#include "cli/run_record.h"
#include "core/base/error.h"
#include "core/config/recipe/load.h"
#include "core/config/recipe/recipe_class.h"
#include "core/config/text/redact.h"
#include "core/config/text/yaml_writer.h"
#include "core/store/folder_lock.h"
#include "launcher/world.h"

namespace automodel::cli {
namespace {

/// As the reference prints it: the path, then the values in force with secrets hidden.
void print_recipe(config::Document document) {
  std::cerr << "cfg-path: " << document.file << '\n';
  config::redact(document.root);
  std::cerr << config::resolved_yaml(document) << std::flush;
}

int train(const RecipeArguments& arguments, const config::Document& document) {
  const auto processes = arguments.options.find("nproc-per-node");
  launcher::require_one_process(processes == arguments.options.end() ? "" : processes->second);
  const config::Recipe recipe = config::require_recipe(document);
  print_recipe(document);
  const store::FolderLock lock(recipe.checkpoint.checkpoint_dir);
  store::RunRecorder run(recording_place(arguments), describe_run(document, recipe));
  const int status = recording_end(run, [&] {
    recipes::RecipeRun request{recipe, run};
    load_engine()(request);
    return request.status;
  });
  const std::filesystem::path metrics =
      std::filesystem::path(recipe.checkpoint.checkpoint_dir) / "training.jsonl";
  if (status == 0 && loss_chart_wanted() && std::filesystem::exists(metrics))
    std::cerr << loss_chart(metrics);
  return status;
}

}  // namespace

int run_train(const RecipeArguments& arguments) {
  return train(arguments, config::load_document(arguments.config_path, arguments.overrides));
}

int run_benchmark(const RecipeArguments& arguments) {
  std::vector<config::Override> overrides = arguments.overrides;
  const auto benchmark =
      std::ranges::find(config::recipe_classes(), config::RecipeKind::kBenchmark, &config::RecipeClass::kind);
  overrides.push_back({"recipe", std::string(benchmark->name)});
  return train(arguments, config::load_document(arguments.config_path, overrides));
}

int run_recipe_file(const RecipeArguments& arguments) {
  const config::Document document = config::load_document(arguments.config_path, arguments.overrides);
  check(
      document.root.find("recipe") != nullptr,
      ErrorCode::kConfig,
      document.file,
      ": recipe is missing: add \"recipe: TrainFinetuneRecipeForNextTokenPrediction\", or say what to do: automodel finetune llm -c ",
      document.file);
  return train(arguments, document);
}

}  // namespace automodel::cli
