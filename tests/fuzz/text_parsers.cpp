#include <nlohmann/json.hpp>

#include "core/config/recipe/load.h"
#include "core/config/text/yaml_reader.h"
#include "core/config/text/yaml_writer.h"
#include "core/families/family.h"
#include "core/families/family_file.h"
#include "core/io/json.h"
#include "core/io/json_values.h"
#include "core/tokenizer/chat_variables.h"
#include "core/tokenizer/tokenizer.h"
#include "core/weights/cost.h"
#include "tests/fuzz/parsers.h"

namespace automodel::fuzz {

void parse_yaml_text(std::string_view bytes) {
  (void)config::to_yaml(config::parse_yaml(bytes, "fuzz.yaml"));
}

void parse_recipe(std::string_view bytes) {
  const config::Document document{"fuzz.yaml", config::parse_yaml(bytes, "fuzz.yaml")};
  if (document.root.is_map()) config::check_recipe(document);
}

void parse_json_text(std::string_view bytes) {
  io::json_depth(bytes);
  for (const size_t begin : io::index_json_values(bytes, "fuzz.json")) io::json_value_at(bytes, begin);
  (void)io::parse_json(bytes, "fuzz.json").dump();
}

void parse_model_config(std::string_view bytes) {
  weights::cost_of(families::read_decoder_config(std::string(bytes), "config.json"));
}

void parse_family_file(std::string_view bytes) {
  families::to_yaml(families::parse_family(std::string(bytes), "fuzz", "fuzz.yaml"));
}

void parse_chat_template(std::string_view bytes) {
  static const auto kVariables = tokenizer::chat_variables(nlohmann::ordered_json::parse(
      R"({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "\u00e9 hi"},
          {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1.5}}}]}],
          "tools": [{"type": "function", "function": {"name": "f"}}], "bos_token": "<s>"})"));
  tokenizer::ChatTemplate(bytes).render(kVariables);
}

}  // namespace automodel::fuzz
