#include "core/data/nanogpt_loader.h"

#include <utility>

#include "core/base/error.h"
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
  for (int64_t i = 0; i < options_.local_batch_size; ++i) samples.push_back(stream_->next());
  ++state_.next_micro_batch;
  return collate(samples,
                 {.pad_token_id = 0,
                  .pad_seq_len_divisible = options_.pad_seq_len_divisible,
                  .ignore_index = options_.ignore_index});
}

void NanogptLoader::start_epoch(int64_t epoch) {
  state_.epoch = epoch;
}

void NanogptLoader::restore(const LoaderState& state) {
  check(state.epoch >= 0 && state.next_micro_batch >= 0,
        ErrorCode::kData,
        "the checkpoint stands at micro-batch ",
        state.next_micro_batch,
        " of epoch ",
        state.epoch);
  stream_ = std::make_unique<NanogptStream>(files_, stream_options_);
  stream_->skip(state.next_micro_batch * options_.local_batch_size);
  state_ = state;
}

}  // namespace automodel::data
