#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace automodel::data {

class RowSet;
struct Sample;

/// What rows of a set should not be longer than. Rows that are cut before they get here need no limit.
struct RowLimits {
  std::string section = "dataset";                   ///< the recipe's section, for messages
  std::optional<int64_t> seq_length = std::nullopt;  ///< of a set whose rows are not cut
  int64_t max_positions = 0;                         ///< that the model was made for; 0: not known
  bool positions_end = false;                        ///< there are no others: longer rows end the run

  bool any() const { return seq_length || max_positions > 0; }
};

/// Lengths of rows as they are trained.
struct RowLengths {
  struct Row {
    int64_t row = 0;         ///< index in the source
    int64_t num_tokens = 0;  ///< without padding
    int64_t num_learnt = 0;
    int64_t length = 0;  ///< positions that it takes in the model, padding included
  };

  int64_t num_rows = 0;     ///< of the set
  std::vector<Row> rows;    ///< those looked at and valid, in the source's order
  int64_t num_invalid = 0;  ///< of those looked at
  std::string first_invalid;

  int64_t num_looked_at() const { return static_cast<int64_t>(rows.size()) + num_invalid; }

  /// "200 rows"; "2,000 of 51,000 rows, evenly spread,".
  std::string looked_at() const;
};

struct MeasureOptions {
  int64_t max_rows = 2000;   ///< of larger sets as many, evenly spread
  double max_seconds = 1.0;  ///< after which it is content with fewer
};

/// Tokenises rows on all cores, with progress on the terminal.
RowLengths measure_rows(const RowSet& rows, const MeasureOptions& options);

/// The lengths of one row's sample.
RowLengths::Row length_of(const Sample& sample);

/// Smallest, middle, 95th percentile and largest, by nearest rank. `values` is not empty.
struct Spread {
  int64_t min = 0, median = 0, p95 = 0, max = 0;
};

Spread spread_of(std::vector<int64_t> values);

/// Warns of rows beyond the limits and of rows that are not valid.
void warn_of_lengths(const RowLengths& lengths, const RowSet& rows, const RowLimits& limits);

/// Measures as above and logs the spread of lengths.
void report_lengths(const RowLengths& lengths, const RowSet& rows, const RowLimits& limits);

/// Of sets whose rows all have `length` tokens, the value of `key` in the limits' section: warns when the
/// model was made for fewer positions.
void warn_of_length(int64_t length, const std::string& key, const RowLimits& limits);

}  // namespace automodel::data
