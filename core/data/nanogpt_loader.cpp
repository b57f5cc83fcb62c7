#include "core/data/nanogpt_loader.h"

#include <utility>

#include "core/base/error.h"
#include "core/data/collator.h"
#include "core/data/order.h"

namespace automodel::data {

NanogptLoader::NanogptLoader(std::vector<std::filesystem::path> files,
                             const NanogptStream::Options& stream,
                             const Options& options)
    : files_(std::move(files)), stream_options_(stream), options_(options) {
  stream_ = std::make_unique<NanogptStream>(files_, stream_options_);
}

std::optional<Batch> NanogptLoader::next() {
  std::vector<Sample> samples;
  while (static_cast<int64_t>(samples.size()) < options_.local_batch_size) {
    Sample sample = stream_->next();
    if (options_.one_pass && stream_->pass() > 0) break;
    samples.push_back(std::move(sample));
  }
  if (samples.empty()) return std::nullopt;
  state_.next_row += static_cast<int64_t>(samples.size()) * options_.dp_size;
  return collate(samples,
                 {.pad_token_id = 0,
                  .pad_seq_len_divisible = options_.pad_seq_len_divisible,
                  .ignore_index = options_.ignore_index});
}

void NanogptLoader::start_epoch(int64_t epoch) {
  if (options_.one_pass) {
    restore({.epoch = epoch, .next_row = 0});
  } else {
    state_.epoch = epoch;
  }
}

void NanogptLoader::restore(const LoaderState& state) {
  stream_ = std::make_unique<NanogptStream>(files_, stream_options_);
  stream_->skip(state.next_row / options_.dp_size);
  state_ = state;
}

std::unique_ptr<Loader> open_nanogpt(const config::DatasetConfig& dataset, const Loader::Options& options) {
  const auto& set = std::get<config::NanogptSet>(dataset.kind);
  warn_of_length(set.seq_len, "seq_len", options.limits);
  check(!set.align_to_bos || set.bos_token,
        ErrorCode::kConfig,
        "dataset.align_to_bos: true needs dataset.bos_token");
  const NanogptStream::Options stream = {.seq_len = set.seq_len,
                                         .bos_token = set.align_to_bos ? set.bos_token : std::nullopt,
                                         .shuffle_files = set.shuffle_files,
                                         .seed = options.seed,
                                         .dp_rank = options.dp_rank,
                                         .dp_size = options.dp_size,
                                         .vocab_size = options.vocab_size};
  return std::make_unique<NanogptLoader>(match_files(dataset.paths), stream, options);
}

Order order_of_nanogpt(const config::DatasetConfig& dataset, const Loader::Options& options) {
  const auto& set = std::get<config::NanogptSet>(dataset.kind);
  Order order = {{"dataset.file_pattern", files_text(match_files(dataset.paths))},
                 {"dataset.seq_len", std::to_string(set.seq_len)},
                 {"dataset.align_to_bos", text_of(set.align_to_bos)},
                 {"dataset.shuffle_files", text_of(set.shuffle_files)}};
  if (set.align_to_bos) order.emplace_back("dataset.bos_token", text_of(set.bos_token));
  if (set.shuffle_files) order.emplace_back("seed", std::to_string(options.seed));
  return order;
}

}  // namespace automodel::data
