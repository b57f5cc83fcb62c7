#include "core/data/row_kinds.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/strings.h"

namespace automodel::data {
namespace {

/// Columns that tell a kind of rows, and what reads them.
struct Kind {
  std::vector<std::string_view> columns;
  std::string_view reader;
};

#define COLUMN_MAPPED "ColumnMappedTextInstructionDataset with column_mapping: "

/// The first whose columns are all there counts.
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kKinds = {
      {{"messages"}, "ChatDataset"},
      {{"conversations"}, "ChatDataset"},
      {{"context", "question", "answers"}, "make_squad_dataset"},
      {{"ctx", "endings"}, "HellaSwag"},
      {{"instruction", "input", "output"},
       COLUMN_MAPPED "{context: instruction, question: input, answer: output}"},
      {{"instruction", "output"}, COLUMN_MAPPED "{question: instruction, answer: output}"},
      {{"instruction", "response"}, COLUMN_MAPPED "{question: instruction, answer: response}"},
      {{"question", "answer"}, COLUMN_MAPPED "{question: question, answer: answer}"},
      {{"question", "response"}, COLUMN_MAPPED "{question: question, answer: response}"},
      {{"prompt", "completion"}, COLUMN_MAPPED "{question: prompt, answer: completion}"},
      {{"prompt", "response"}, COLUMN_MAPPED "{question: prompt, answer: response}"},
      {{"input", "output"}, COLUMN_MAPPED "{question: input, answer: output}"},
      {{"text"}, "automodel.PlainTextDataset (plain text, for pretraining)"},
      {{"content"}, "automodel.PlainTextDataset with text_column: content (plain text, for pretraining)"},
  };
  return kKinds;
}

#undef COLUMN_MAPPED

}  // namespace

std::string describe_row(const nlohmann::ordered_json& row) {
  std::vector<std::string> names;
  for (const auto& [name, value] : row.items()) names.push_back(name);
  std::string text = "the row has: " + (names.empty() ? "nothing" : join(names, ", "));
  for (const Kind& kind : kinds()) {
    const bool fits = std::all_of(kind.columns.begin(), kind.columns.end(), [&](std::string_view column) {
      return std::find(names.begin(), names.end(), column) != names.end();
    });
    if (fits) return text + "; such rows are read by " + std::string(kind.reader);
  }
  return text;
}

}  // namespace automodel::data
