#pragma once

#include <string_view>

/// What targets.cpp lists. Each parses `bytes` and looks at all that came out.
namespace automodel::fuzz {

// text_parsers.cpp
void parse_yaml_text(std::string_view bytes);
void parse_recipe(std::string_view bytes);
void parse_json_text(std::string_view bytes);
void parse_model_config(std::string_view bytes);
void parse_family_file(std::string_view bytes);
void parse_chat_template(std::string_view bytes);

// file_parsers.cpp
void parse_safetensors(std::string_view bytes);
void parse_tokenizer(std::string_view bytes);
void parse_json_rows(std::string_view bytes);
void parse_csv_rows(std::string_view bytes);
void parse_nanogpt(std::string_view bytes);

}  // namespace automodel::fuzz
