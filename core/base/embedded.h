#pragma once

#include <map>
#include <string>

namespace automodel {

/// The text files compiled into the program, by path from the project's root ("share/models/llama.yaml").
const std::map<std::string, std::string>& embedded_texts();

}  // namespace automodel
