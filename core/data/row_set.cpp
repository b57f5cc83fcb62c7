#include "core/data/row_set.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/data/token_ids.h"

namespace automodel::data {

Order RowSet::order() const {
  return {{"rows", std::to_string(num_rows())}};
}

ProcessedRows::ProcessedRows(std::unique_ptr<Source> source, std::unique_ptr<Processor> processor)
    : source_(std::move(source)), processor_(std::move(processor)) {}

Sample ProcessedRows::sample(int64_t row, int64_t vocab_size) const {
  const nlohmann::ordered_json fields = source_->row(row);
  try {
    Sample sample = processor_->process(fields, row);
    sample.row = row;
    check_ids(sample.input_ids, vocab_size);
    check_ids(sample.labels, vocab_size);
    return sample;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kData) throw;
    fail(ErrorCode::kData, source_->place(row), ": ", error.message());
  }
}

RowLimits limits_of(const config::DatasetConfig& dataset, const RowSet& rows, RowLimits limits) {
  if (rows.common_length() > 0) {
    warn_of_length(rows.common_length(), "seq_length", limits);
    limits.max_positions = 0;
  } else if (dataset.truncation == "do_not_truncate") {
    limits.seq_length = dataset.seq_length;
  }
  return limits;
}

}  // namespace automodel::data
