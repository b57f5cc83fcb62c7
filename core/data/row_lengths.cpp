#include "core/data/row_lengths.h"

#include <algorithm>
#include <bit>
#include <map>
#include <mutex>
#include <thread>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/plural.h"
#include "core/base/stopwatch.h"
#include "core/data/prefetcher.h"
#include "core/data/row_set.h"

namespace automodel::data {
namespace {

constexpr int64_t kMostThreads = 16;

/// `count` of `num_rows` rows, one from each of as many equal shares, in an order whose every beginning is
/// spread evenly too: by the reversed bits of their numbers (van der Corput).
std::vector<int64_t> spread_rows(int64_t num_rows, int64_t count) {
  const int64_t gap = num_rows / count;
  const int bits = std::bit_width(static_cast<uint64_t>(count - 1));
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < int64_t{1} << bits; ++i) {
    int64_t reversed = 0;
    for (int bit = 0; bit < bits; ++bit) reversed |= (i >> bit & 1) << (bits - 1 - bit);
    // Somewhere in its share, so that a set with a period is not met in step.
    if (reversed < count) rows.push_back(reversed * num_rows / count + reversed * 7919 % gap);
  }
  return rows;
}

/// "12 of 200 rows", "1 of 2,000 rows looked at (the set has 51,000)".
std::string share(int64_t count, const RowLengths& lengths) {
  const int64_t seen = lengths.num_looked_at();
  std::string text = with_thousands(count) + " of " + counted(seen, "row");
  if (seen < lengths.num_rows) text += " looked at (the set has " + with_thousands(lengths.num_rows) + ")";
  return text;
}

std::string is_or_are(int64_t count) {
  return count == 1 ? " is " : " are ";
}

/// Rows for which `is_beyond` holds: how many, and which is the first.
template <class Beyond>
struct Found {
  int64_t count = 0;
  const RowLengths::Row* first = nullptr;

  Found(const RowLengths& lengths, const Beyond& is_beyond) {
    for (const RowLengths::Row& row : lengths.rows) {
      if (!is_beyond(row)) continue;
      if (count++ == 0) first = &row;
    }
  }
};

void warn_of_cut(const RowLengths& lengths, const RowSet& rows, const RowLimits& limits) {
  const Found found(lengths, [&](const RowLengths::Row& row) { return row.num_tokens > *limits.seq_length; });
  if (found.count == 0) return;
  const std::string are = is_or_are(found.count);
  log::warning(share(found.count, lengths),
               are,
               "longer than ",
               limits.section,
               ".seq_length ",
               *limits.seq_length,
               " and",
               are,
               "not cut (",
               limits.section,
               ".truncation: longest_first cuts), the first is ",
               rows.place(found.first->row),
               " with ",
               found.first->num_tokens,
               " tokens");
}

void warn_of_positions(const RowLengths& lengths, const RowSet& rows, const RowLimits& limits) {
  const Found found(lengths, [&](const RowLengths::Row& row) { return row.length > limits.max_positions; });
  if (found.count == 0) return;
  log::warning(share(found.count, lengths),
               is_or_are(found.count),
               "longer than the ",
               limits.max_positions,
               " positions that the model was made for (max_position_embeddings), the first is ",
               rows.place(found.first->row),
               " with ",
               found.first->num_tokens,
               " tokens; ",
               limits.positions_end ? "the model has no others and the run ends at such a row: " : "",
               "cut them with ",
               limits.section,
               ".seq_length and ",
               limits.section,
               ".truncation: longest_first");
}

}  // namespace

RowLengths::Row length_of(const Sample& sample) {
  RowLengths::Row row;
  row.row = sample.row;
  row.num_tokens = sample.num_real_tokens() + 1;  // the last one is a label only
  row.num_learnt = std::count_if(
      sample.labels.begin(), sample.labels.end(), [](int32_t label) { return label != kIgnoreIndex; });
  row.length = static_cast<int64_t>(sample.input_ids.size());
  return row;
}

std::string RowLengths::looked_at() const {
  if (num_looked_at() == num_rows) return counted(num_rows, "row");
  return with_thousands(num_looked_at()) + " of " + counted(num_rows, "row") + ", evenly spread,";
}

RowLengths measure_rows(const RowSet& rows, const MeasureOptions& options) {
  RowLengths lengths;
  lengths.num_rows = rows.num_rows();
  const int64_t count = std::min(lengths.num_rows, options.max_rows);
  const std::vector<int64_t> chosen = spread_rows(lengths.num_rows, count);
  std::mutex mutex;
  std::map<int64_t, std::string> invalid;
  const auto measure = [&](int64_t i) {
    const int64_t row = chosen[static_cast<size_t>(i)];
    RowLengths::Row found;
    try {
      found = length_of(rows.sample(row, 0));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kData) throw;
      const std::scoped_lock lock(mutex);
      invalid.emplace(row, error.message());
    }
    const std::scoped_lock lock(mutex);
    if (!invalid.contains(row)) lengths.rows.push_back(found);
    return PreparedBatch{};
  };
  const Stopwatch stopwatch;
  {
    Prefetcher measured(
        measure, 0, count, std::clamp<int64_t>(std::thread::hardware_concurrency(), 1, kMostThreads));
    constexpr int64_t kShown = 200;  // rows between two lines of progress
    for (int64_t i = 0; i < count && stopwatch.seconds() < options.max_seconds; ++i) {
      measured.next();
      if (i % kShown == 0)
        log::set_status(detail::join("looking at the lengths of rows: ", i, " of ", count));
    }
  }
  log::set_status("");
  std::sort(
      lengths.rows.begin(), lengths.rows.end(), [](const auto& a, const auto& b) { return a.row < b.row; });
  lengths.num_invalid = static_cast<int64_t>(invalid.size());
  if (!invalid.empty()) lengths.first_invalid = invalid.begin()->second;
  return lengths;
}

Spread spread_of(std::vector<int64_t> values) {
  std::sort(values.begin(), values.end());
  const auto rank = [&](int64_t percent) {
    const auto n = static_cast<int64_t>(values.size());
    return values[static_cast<size_t>((percent * n + 99) / 100 - 1)];
  };
  return {values.front(), rank(50), rank(95), values.back()};
}

void warn_of_lengths(const RowLengths& lengths, const RowSet& rows, const RowLimits& limits) {
  if (lengths.num_invalid > 0)
    log::warning(share(lengths.num_invalid, lengths),
                 is_or_are(lengths.num_invalid),
                 "not valid, the first: ",
                 lengths.first_invalid);
  if (limits.seq_length) warn_of_cut(lengths, rows, limits);
  if (limits.max_positions > 0) warn_of_positions(lengths, rows, limits);
}

void report_lengths(const RowLengths& lengths, const RowSet& rows, const RowLimits& limits) {
  if (!lengths.rows.empty()) {
    std::vector<int64_t> tokens;
    for (const RowLengths::Row& row : lengths.rows) tokens.push_back(row.num_tokens);
    const Spread spread = spread_of(std::move(tokens));
    log::info(limits.section,
              ": ",
              lengths.looked_at(),
              " of ",
              spread.min,
              " to ",
              spread.max,
              " tokens, median ",
              spread.median,
              ", 95 % up to ",
              spread.p95);
  }
  warn_of_lengths(lengths, rows, limits);
}

void warn_of_length(int64_t length, const std::string& key, const RowLimits& limits) {
  if (limits.max_positions == 0 || length <= limits.max_positions) return;
  log::warning(limits.section,
               ".",
               key,
               " ",
               length,
               " is longer than the ",
               limits.max_positions,
               " positions that the model was made for (max_position_embeddings)",
               limits.positions_end ? "; it has no others: the run ends in its first step" : "");
}

}  // namespace automodel::data
