#include "core/checkpoint/run_kind.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/checkpoint/folder.h"
#include "core/peft/adapter_files.h"

namespace automodel::checkpoint {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The "architectures" of a config.json; null where there are none.
Json architectures(const std::string& config_json) {
  const Json config = Json::parse(config_json, nullptr, /*allow_exceptions=*/false);
  return config.is_object() ? config.value("architectures", Json()) : Json();
}

fs::path stored_config(const fs::path& checkpoint) {
  return checkpoint / "model" / ".hf_metadata" / "config.json";
}

bool holds_adapters(const fs::path& checkpoint) {
  return fs::exists(checkpoint / "model" / "adapter_config.json");
}

/// "LlamaForCausalLM".
std::string class_text(const std::string& config_json) {
  const Json names = architectures(config_json);
  return names.is_array() && !names.empty() && names.front().is_string() ? names.front().get<std::string>()
                                                                         : "a model of an unnamed class";
}

std::string adapters_text(const peft::AdapterSpec& spec) {
  return detail::join("adapters of rank ", spec.rank, " on ", spec.linears.size(), " linears");
}

std::string describe(const RunKind& kind) {
  return (kind.adapters ? adapters_text(*kind.adapters) + " of " : "all weights of ") +
         class_text(kind.config_json);
}

std::string describe(const fs::path& checkpoint) {
  if (holds_adapters(checkpoint)) {
    const peft::AdapterFolder stored = peft::read_adapter(checkpoint / "model");
    return adapters_text(stored.spec) + (stored.base_model.empty() ? "" : " of " + stored.base_model);
  }
  const fs::path config = stored_config(checkpoint);
  return "all weights of " + (fs::exists(config) ? class_text(read_file(config)) : "an unknown model");
}

}  // namespace

bool is_of_kind(const fs::path& checkpoint, const RunKind& kind) {
  if (holds_adapters(checkpoint) != kind.adapters.has_value()) return false;
  if (kind.adapters)
    return peft::same_adapters(peft::read_adapter(checkpoint / "model").spec, *kind.adapters);
  const fs::path config = stored_config(checkpoint);
  return fs::exists(config) && architectures(read_file(config)) == architectures(kind.config_json);
}

void refuse_folder_of_another_run(const config::Recipe& recipe, const std::function<RunKind()>& kind) {
  const fs::path dir = recipe.checkpoint.checkpoint_dir;
  const std::vector<Published> published = list_published(dir);
  if (published.empty()) return;
  const fs::path& newest = published.back().path;
  const std::string ways_out =
      ". Give checkpoint.checkpoint_dir another folder to keep both, or move or delete " + dir.string() +
      " to begin anew in it";
  check(
      recipe.checkpoint.enabled,
      ErrorCode::kConfig,
      dir.string(),
      " holds checkpoints of another run (",
      newest.filename().string(),
      ": ",
      describe(newest),
      "), and this one saves and resumes none (checkpoint.enabled: false): its steps would be mixed into that run's training.jsonl",
      ways_out);
  const RunKind own = kind();
  for (const Published& one : published) {
    try {
      if (is_of_kind(one.path, own)) continue;
    } catch (const Error&) {
      continue;  // damaged: found and named when it is resumed from
    }
    fail(ErrorCode::kConfig,
         dir.string(),
         " holds checkpoints of another run (",
         one.path.filename().string(),
         ": ",
         describe(one.path),
         "); this one trains ",
         describe(own),
         " and would overwrite them",
         ways_out);
  }
}

}  // namespace automodel::checkpoint
