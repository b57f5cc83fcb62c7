#include "cli/conversation.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace automodel::cli {
namespace {

bool is_row(const nlohmann::json& value) {
  return value.is_object() && !value.contains("role") && !value.contains("from");
}

bool is_data_set(const std::string& text) {
  const auto whole = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (whole.is_array()) return !whole.empty() && is_row(whole[0]);
  if (!whole.is_discarded()) return false;
  const auto first_line = nlohmann::json::parse(text.substr(0, text.find('\n')), nullptr, false);
  return is_row(first_line);
}

}  // namespace

void refuse_data_set(const std::string& file, const std::string& text) {
  const bool named_so = file.ends_with(".jsonl") || file.ends_with(".ndjson");
  check(
      !named_so && !is_data_set(text),
      ErrorCode::kUsage,
      file,
      ": a data set; expected one conversation as JSON. `automodel data show -c recipe.yaml` shows rows of a data set as they are trained");
}

}  // namespace automodel::cli
