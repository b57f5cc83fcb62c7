#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/data/batch.h"
#include "core/data/nanogpt_shard.h"

namespace automodel::data {

/// Samples of seq_len + 1 consecutive tokens from a rank's part of nanoGPT shards, pass after pass without
/// end. Samples do not overlap and do not cross shards; the rest of a shard is left out. The shards are those
/// of docs/formats/nanogpt.md. Owned and called by one loader's thread.
class NanogptStream {
 public:
  struct Options {
    int64_t seq_len = 0;
    std::optional<int64_t> bos_token;  ///< set: every sample begins at one
    bool shuffle_files = false;        ///< another order of files in each pass
    int64_t seed = 42;
    int64_t dp_rank = 0;
    int64_t dp_size = 1;
    int64_t vocab_size = 0;  ///< rows of the model's embedding; 0: ids are not checked
  };

  /// With at least as many files as ranks, a rank reads every dp_size-th file whole; with fewer, its equal
  /// share of the tokens of each. Throws Error(kData) when the part holds no sample.
  NanogptStream(std::vector<std::filesystem::path> files, const Options& options);

  /// Throws Error(kData) naming the file and the place of a token that the model has no row for.
  Sample next();

  /// Which pass over the files, from 0, the last sample came from.
  int64_t pass() const { return pass_; }

  /// As calling `next` n times.
  void skip(int64_t n);

 private:
  void open_file();
  void advance_file();
  void check_sample(const Sample& sample) const;

  /// Moves to where the next sample begins; false when the current file has none left.
  bool find_sample();

  /// Samples that follow in the current file when they lie end to end.
  int64_t num_adjacent_samples() const;

  Options options_;
  std::vector<std::filesystem::path> files_;
  std::vector<int64_t> order_;  ///< of files_ in this pass
  int64_t pass_ = 0;
  size_t file_ = 0;  ///< index into order_
  int64_t samples_in_pass_ = 0;
  int64_t row_ = 0;
  std::unique_ptr<NanogptShard> shard_;
  int64_t position_ = 0;
  int64_t end_ = 0;
};

/// Files that match a pattern such as "data/train_*.bin", sorted; a name without * ? [ stands for itself.
/// Throws Error(kData) when none does.
std::vector<std::filesystem::path> match_files(const std::vector<std::string>& patterns);

}  // namespace automodel::data
