#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace automodel::data {

/// Writes token ids into nanoGPT shards, PREFIX_000000.bin, PREFIX_000001.bin, ...: a header of 256 int32
/// (magic 278895051, version 1, number of tokens, bytes a token, zeros), then the tokens as uint16 or uint32,
/// little endian. A shard is written under a temporary name and renamed when it is whole. Format:
/// docs/formats/nanogpt.md.
class NanogptWriter {
 public:
  /// `vocab_size` decides the width of a token: two bytes up to 65536, else four.
  /// Throws Error(kInvalidArgument) when tokens_per_shard is not positive.
  NanogptWriter(std::string prefix, int64_t vocab_size, int64_t tokens_per_shard);
  ~NanogptWriter();
  NanogptWriter(const NanogptWriter&) = delete;
  NanogptWriter& operator=(const NanogptWriter&) = delete;

  /// Appends a document; it may continue in the next shard. Throws Error(kIo) naming the file.
  void add(const std::vector<int32_t>& ids);

  /// Finishes the last shard, and removes those of an earlier, longer set that follow it under the same
  /// prefix: a recipe's pattern would take them in. Gives the removed. Without this call a shard that is not
  /// full is thrown away.
  std::vector<std::filesystem::path> close();

  int64_t num_tokens() const { return num_tokens_; }

  const std::vector<std::filesystem::path>& shards() const { return shards_; }

 private:
  void open_shard();
  void finish_shard();

  /// Throws Error(kIo) naming the shard and the system's reason unless what was given has been written.
  void check_written(bool written) const;
  std::filesystem::path shard_path(size_t number) const;
  std::filesystem::path temporary_path() const;

  std::string prefix_;
  int64_t bytes_per_token_;
  int64_t tokens_per_shard_;
  int64_t num_tokens_ = 0;
  int64_t tokens_in_shard_ = 0;
  std::ofstream file_;
  std::vector<std::filesystem::path> shards_;
};

}  // namespace automodel::data
