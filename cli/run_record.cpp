#include "cli/run_record.h"

#include <algorithm>
#include <new>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/config/text/node_json.h"
#include "core/config/text/redact.h"
#include "core/data/kinds.h"

namespace automodel::cli {
namespace {

namespace fs = std::filesystem;

/// As it could be pasted into a shell.
std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

/// This process's command line with the values of secret keys hidden.
std::string command_line() {
  std::string text = read_file("/proc/self/cmdline");
  if (!text.empty()) text.pop_back();
  std::vector<std::string> words = split(text, '\0');
  bool hide_next = false;
  for (std::string& word : words) {
    const bool is_option = word.starts_with("--");
    const size_t equals = word.find('=');
    if (hide_next && !is_option) word = "******";
    hide_next = is_option && config::holds_secret(word.substr(0, equals));
    if (hide_next && equals != std::string::npos) {
      word = word.substr(0, equals + 1) + "******";
      hide_next = false;
    }
    word = shell_word(word);
  }
  return join(words, " ");
}

store::DataFiles files_of(const std::string& key, const config::DatasetConfig& dataset) {
  try {
    return {key, data::set_kind_of(dataset).files(dataset)};
  } catch (const std::exception&) {
    // The loader meets the same and says it better.
    return {key, {}};
  }
}

}  // namespace

std::optional<fs::path> recording_place(const RecipeArguments& arguments) {
  const auto chosen = arguments.options.find("store");
  if (chosen == arguments.options.end()) return store::default_store_path();
  if (chosen->second == "none") return std::nullopt;
  return chosen->second;
}

store::RunStart describe_run(const config::Document& document, const config::Recipe& recipe) {
  config::Document hidden = document;
  config::redact(hidden.root);
  store::RunStart start;
  start.recipe = recipe.recipe;
  start.model = recipe.model.path;
  start.folder = fs::weakly_canonical(fs::absolute(recipe.checkpoint.checkpoint_dir)).string();
  while (start.folder.size() > 1 && start.folder.ends_with('/')) start.folder.pop_back();
  start.command = command_line();
  start.recipe_yaml = config::resolved_yaml(hidden);
  start.recipe_json = config::to_json(hidden.root);
  start.data.push_back(files_of("dataset", recipe.dataset));
  for (const config::DatasetConfig& set : recipe.validation_datasets) {
    start.data.push_back(
        files_of(set.name == "default" ? "validation_dataset" : "validation_dataset_" + set.name, set));
  }
  return start;
}

int recording_end(store::RunRecorder& run, const std::function<int()>& train) {
  try {
    const int status = train();
    run.finish(status, status > 128 ? "stopped by signal " + std::to_string(status - 128) : "");
    return status;
  } catch (const Error& error) {
    run.finish(exit_status(error.code()), error.what());
    throw;
  } catch (const std::bad_alloc&) {
    run.finish(exit_status(ErrorCode::kOutOfMemory), "out of host memory");
    throw;
  } catch (const std::exception& error) {
    run.finish(exit_status(ErrorCode::kInternal), error.what());
    throw;
  }
}

}  // namespace automodel::cli
