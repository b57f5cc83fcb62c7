#include "core/data/nanogpt_loader.h"

#include <utility>

#include "core/data/collator.h"

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

}  // namespace automodel::data
