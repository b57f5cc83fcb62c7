#include "tests/fuzz/targets.h"

#include <stdexcept>

#include "core/base/error.h"
#include "core/base/log.h"
#include "tests/fuzz/parsers.h"

namespace automodel::fuzz {

const std::vector<Target>& targets() {
  static const std::vector<Target> kTargets = {{"yaml", parse_yaml_text},
                                               {"recipe", parse_recipe},
                                               {"json", parse_json_text},
                                               {"model_config", parse_model_config},
                                               {"family", parse_family_file},
                                               {"chat_template", parse_chat_template},
                                               {"safetensors", parse_safetensors},
                                               {"tokenizer", parse_tokenizer},
                                               {"json_rows", parse_json_rows},
                                               {"csv_rows", parse_csv_rows},
                                               {"nanogpt", parse_nanogpt}};
  return kTargets;
}

const Target& target_of(const std::string& name) {
  for (const Target& target : targets()) {
    if (target.name == name) return target;
  }
  throw std::out_of_range("no fuzz target " + name);
}

bool survive(const Target& target, std::string_view bytes) {
  log::set_level(log::Level::kError);
  try {
    target.parse(bytes);
    return true;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInternal) throw;
    return false;
  }
}

}  // namespace automodel::fuzz
