#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace automodel::data {

/// For the message about a row that lacks what its set reads: "the row has: question, answer; such rows are
/// read by ColumnMappedTextInstructionDataset with column_mapping: {question: question, answer: answer}".
std::string describe_row(const nlohmann::ordered_json& row);

}  // namespace automodel::data
