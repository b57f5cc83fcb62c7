#include "core/data/row_loader.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/data/collator.h"
#include "core/data/sampler.h"

namespace automodel::data {
namespace {

bool has_label(const Sample& sample) {
  return std::any_of(
      sample.labels.begin(), sample.labels.end(), [](int32_t label) { return label != kIgnoreIndex; });
}

}  // namespace

RowLoader::RowLoader(std::unique_ptr<RowSet> rows, bool skip_invalid_rows, const Options& options)
    : options_(options),
      rows_(std::move(rows)),
      skip_invalid_rows_(skip_invalid_rows),
      num_skipped_rows_(rows_->num_skipped()) {
  check_first_row();
  if (options_.pack_size > 0) {
    plan_packs();
  } else if (options_.limits.any()) {
    report_lengths(data::measure_rows(*rows_, {}), *rows_, options_.limits);
  }
  check(num_items() >= options_.dp_size,
        ErrorCode::kData,
        "the set has ",
        num_items(),
        packs_.empty() ? " rows for " : " packs for ",
        options_.dp_size,
        " data-parallel ranks; at least one a rank is needed");
  start({});
}

RowLengths RowLoader::measure_all_rows() {
  constexpr int64_t kShown = 1000;  // rows between two lines of progress
  RowLengths all;
  all.num_rows = rows_->num_rows();
  all.rows.resize(static_cast<size_t>(all.num_rows));
  int64_t num_padding = 0;
  int64_t num_positions = 0;
  Prefetcher measure(
      [this, &all](int64_t row) {
        PreparedBatch one;
        all.rows[static_cast<size_t>(row)] = length_of(sample_for(row, one.num_skipped_rows));
        all.rows[static_cast<size_t>(row)].row = row;  // also where another row stands in for it
        return one;
      },
      0,
      all.num_rows,
      options_.num_workers);
  for (int64_t row = 0; row < all.num_rows; ++row) {
    measure.next();
    const RowLengths::Row& measured = all.rows[static_cast<size_t>(row)];
    num_positions += measured.length;
    num_padding += measured.length - (measured.num_tokens - 1);
    if (row % kShown == 0) log::set_status(detail::join("packing: ", row, " of ", all.num_rows, " rows"));
  }
  log::set_status("");
  if (num_padding > 0)
    log::warning(
        "packing: ",
        num_padding,
        " of ",
        num_positions,
        " tokens are padding of single rows, which packs make needless: leave out the dataset's pad_to_max_length or padding");
  return all;
}

void RowLoader::plan_packs() {
  const RowLengths rows = measure_all_rows();
  if (options_.limits.any()) report_lengths(rows, *rows_, options_.limits);
  std::vector<int64_t> lengths;
  for (const RowLengths::Row& row : rows.rows) lengths.push_back(row.length);
  PackPlan plan = data::plan_packs(lengths, options_.pack_size, options_.num_max_packs);
  if (plan.num_too_long > 0)
    log::warning(
        plan.num_too_long, " rows are longer than a pack of ", options_.pack_size, " tokens and left out");
  check(!plan.packs.empty(),
        ErrorCode::kData,
        "all ",
        rows_->num_rows(),
        " rows are longer than packed_sequence.packed_sequence_size, ",
        options_.pack_size,
        " tokens: raise it, or cut rows with dataset.seq_length and truncation");
  int64_t num_tokens = 0;
  size_t num_rows = 0;
  for (const Pack& pack : plan.packs) {
    num_tokens += pack.length;
    num_rows += pack.rows.size();
  }
  const auto num_packs = static_cast<int64_t>(plan.packs.size());
  log::info("Packed ",
            num_rows,
            " rows into ",
            num_packs,
            " sequences of ",
            options_.pack_size,
            " tokens, ",
            100 * num_tokens / (num_packs * options_.pack_size),
            " % full");
  packs_ = std::move(plan.packs);
}

int64_t RowLoader::num_items() const {
  return packs_.empty() ? rows_->num_rows() : static_cast<int64_t>(packs_.size());
}

int64_t RowLoader::micro_batches_of(int64_t num_items) const {
  if (options_.drop_last) return num_items / options_.local_batch_size;
  return (num_items + options_.local_batch_size - 1) / options_.local_batch_size;
}

std::optional<int64_t> RowLoader::num_micro_batches() const {
  return micro_batches_of(num_items() / options_.dp_size);
}

std::optional<int64_t> RowLoader::micro_batches_left() const {
  return micro_batches_of(static_cast<int64_t>(items_.size()) - state_.next_row / options_.dp_size);
}

std::optional<Batch> RowLoader::next() {
  std::optional<PreparedBatch> prepared = prefetcher_->next();
  if (!prepared) return std::nullopt;
  const Batch& batch = prepared->batch;
  if (batch.num_label_tokens == 0) {
    log::warning("epoch ",
                 state_.epoch,
                 ", behind row ",
                 state_.next_row,
                 ": no label to learn in any of the micro-batch's ",
                 batch.num_rows,
                 " rows (first: ",
                 rows_->place(batch.rows.front()),
                 "); it contributes nothing");
  }
  state_.next_row += batch.num_rows * options_.dp_size;
  num_skipped_rows_ += prepared->num_skipped_rows;
  return std::move(prepared->batch);
}

void RowLoader::start_epoch(int64_t epoch) {
  start({.epoch = epoch, .next_row = 0});
}

void RowLoader::restore(const LoaderState& state) {
  const int64_t end = num_items() / options_.dp_size * options_.dp_size;
  start({.epoch = state.epoch, .next_row = std::min(state.next_row, end)});
}

Order RowLoader::order() const {
  Order order = rows_->order();
  if (packs_.empty()) return order;
  Hash packs;
  for (const Pack& pack : packs_) {
    packs.add(pack.rows.data(), pack.rows.size() * sizeof(pack.rows.front()));
    packs.add(";");
  }
  order.emplace_back("packs", std::to_string(packs_.size()) + ", xxh128 " + packs.hex());
  return order;
}

void RowLoader::start(const LoaderState& state) {
  prefetcher_.reset();  // joins the workers that read items_
  state_ = state;
  items_ = epoch_rows(num_items(),
                      state.epoch,
                      {.seed = options_.seed,
                       .dp_rank = options_.dp_rank,
                       .dp_size = options_.dp_size,
                       .shuffle = options_.shuffle});
  first_item_ = state.next_row / options_.dp_size;
  prefetcher_ = std::make_unique<Prefetcher>([this](int64_t micro_batch) { return prepare(micro_batch); },
                                             /*first=*/0,
                                             *micro_batches_left(),
                                             options_.num_workers);
}

PreparedBatch RowLoader::prepare(int64_t micro_batch) const {
  PreparedBatch prepared;
  std::vector<Sample> samples;
  const auto first = static_cast<size_t>(first_item_ + micro_batch * options_.local_batch_size);
  const size_t last = std::min(first + static_cast<size_t>(options_.local_batch_size), items_.size());
  for (size_t i = first; i < last; ++i) samples.push_back(sample_of(items_[i], prepared.num_skipped_rows));
  prepared.batch = collate(samples,
                           {.pad_token_id = rows_->pad_token_id(),
                            .pad_seq_len_divisible = options_.pad_seq_len_divisible,
                            .ignore_index = options_.ignore_index});
  return prepared;
}

Sample RowLoader::sample_of(int64_t item, int64_t& num_skipped) const {
  if (packs_.empty()) return sample_for(item, num_skipped);
  std::vector<Sample> samples;
  for (int64_t row : packs_[static_cast<size_t>(item)].rows) samples.push_back(sample_for(row, num_skipped));
  return join_documents(std::move(samples));
}

Sample RowLoader::sample_for(int64_t row, int64_t& num_skipped) const {
  const int64_t num_rows = rows_->num_rows();
  for (int64_t step = 0; step < num_rows; ++step) {
    const int64_t candidate = (row + step) % num_rows;
    try {
      Sample sample = rows_->sample(candidate, options_.vocab_size);
      if (has_label(sample)) return sample;
      ++num_skipped;
      if (!rows_->replaces_unlabelled_rows()) return sample;
    } catch (const Error& error) {
      if (!skip_invalid_rows_ || error.code() != ErrorCode::kData) throw;
      log::warning("left out (skip_invalid_samples): ", error.message());
      ++num_skipped;
    }
  }
  fail(
      ErrorCode::kData,
      rows_->place(row),
      ": neither this row nor any of the other ",
      num_rows - 1,
      " has a label to learn; is dataset.seq_length too short for the prompts, or an answer column empty? `automodel data show -c RECIPE` shows what is learnt of each row");
}

void RowLoader::check_first_row() const {
  if (!skip_invalid_rows_) rows_->sample(0, options_.vocab_size);
}

}  // namespace automodel::data
