#include "core/data/nanogpt_stream.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/data/dataset_files.h"
#include "core/data/sampler.h"
#include "core/data/token_ids.h"

namespace automodel::data {

NanogptStream::NanogptStream(std::vector<std::filesystem::path> files, const Options& options)
    : options_(options) {
  check(options_.seq_len > 0,
        ErrorCode::kConfig,
        "dataset.seq_len: ",
        options_.seq_len,
        "; expected at least 1");
  const auto num_files = static_cast<int64_t>(files.size());
  const bool whole_files = num_files >= options_.dp_size;
  for (int64_t i = whole_files ? options_.dp_rank : 0; i < num_files;
       i += whole_files ? options_.dp_size : 1) {
    files_.push_back(std::move(files[static_cast<size_t>(i)]));
  }
  if (whole_files) {
    options_.dp_rank = 0;
    options_.dp_size = 1;
  }
  pass_ = -1;
  file_ = files_.size();
  samples_in_pass_ = 1;
  advance_file();
  while (!find_sample()) advance_file();
}

void NanogptStream::advance_file() {
  if (++file_ >= files_.size()) {
    check(samples_in_pass_ > 0,
          ErrorCode::kData,
          files_.front().string(),
          files_.size() > 1 ? " and the other shards" : "",
          ": no sample of ",
          options_.seq_len + 1,
          " tokens",
          options_.bos_token ? " behind the bos_token" : "",
          "; lower dataset.seq_len or check the shards");
    ++pass_;
    file_ = 0;
    samples_in_pass_ = 0;
    const auto num_files = static_cast<int64_t>(files_.size());
    if (options_.shuffle_files) {
      order_ = torch_randperm(num_files, options_.seed + pass_);
    } else {
      order_.resize(files_.size());
      std::iota(order_.begin(), order_.end(), 0);
    }
  }
  open_file();
}

void NanogptStream::open_file() {
  shard_ = std::make_unique<NanogptShard>(files_[static_cast<size_t>(order_[file_])]);
  const int64_t share = shard_->num_tokens() / options_.dp_size;
  position_ = options_.dp_rank * share;
  end_ = options_.dp_rank == options_.dp_size - 1 ? shard_->num_tokens() : position_ + share;
}

bool NanogptStream::find_sample() {
  if (options_.bos_token) position_ = shard_->find(*options_.bos_token, position_, end_);
  return position_ + options_.seq_len < end_;
}

void NanogptStream::check_sample(const Sample& sample) const {
  try {
    check_ids(sample.input_ids, options_.vocab_size);
    check_ids(sample.labels, options_.vocab_size);
  } catch (const Error& error) {
    fail(error.code(),
         files_[static_cast<size_t>(order_[file_])].string(),
         ": in the ",
         options_.seq_len + 1,
         " tokens from ",
         position_,
         " on: ",
         error.message());
  }
}

Sample NanogptStream::next() {
  while (!find_sample()) advance_file();
  const auto length = static_cast<size_t>(options_.seq_len);
  Sample sample;
  sample.input_ids.resize(length);
  sample.labels.resize(length);
  for (size_t i = 0; i < length; ++i) {
    sample.input_ids[i] = static_cast<int32_t>(shard_->token(position_ + static_cast<int64_t>(i)));
    sample.labels[i] = static_cast<int32_t>(shard_->token(position_ + static_cast<int64_t>(i) + 1));
  }
  check_sample(sample);
  sample.row = row_++;
  position_ += options_.seq_len + 1;
  ++samples_in_pass_;
  return sample;
}

int64_t NanogptStream::num_adjacent_samples() const {
  return (end_ - position_) / (options_.seq_len + 1);
}

void NanogptStream::skip(int64_t n) {
  while (n > 0) {
    if (!find_sample()) {
      advance_file();
      continue;
    }
    const int64_t step = options_.bos_token ? 1 : std::min(n, num_adjacent_samples());
    position_ += step * (options_.seq_len + 1);
    samples_in_pass_ += step;
    row_ += step;
    n -= step;
  }
}

std::vector<std::filesystem::path> match_files(const std::vector<std::string>& patterns) {
  std::vector<std::filesystem::path> files;
  for (const std::string& pattern : patterns) {
    const std::vector<std::filesystem::path> matched = glob_files(pattern);
    files.insert(files.end(), matched.begin(), matched.end());
    check(!matched.empty(),
          ErrorCode::kData,
          "dataset.file_pattern: no file matches \"",
          pattern,
          "\" (from folder ",
          std::filesystem::current_path().string(),
          ")");
  }
  check(!files.empty(), ErrorCode::kData, "dataset.file_pattern names no file");
  return files;
}

}  // namespace automodel::data
