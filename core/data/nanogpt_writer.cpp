#include "core/data/nanogpt_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/base/error.h"
#include "core/base/files.h"

namespace automodel::data {
namespace {

constexpr int32_t kMagic = 278895051, kVersion = 1;
constexpr size_t kHeaderInts = 256;

/// The bytes of tokens, whatever the machine's own order is.
std::string packed(const int32_t* ids, int64_t count, int64_t bytes_per_token) {
  std::string bytes;
  bytes.reserve(static_cast<size_t>(count * bytes_per_token));
  for (int64_t i = 0; i < count; ++i) {
    const auto id = static_cast<uint32_t>(ids[i]);
    for (int64_t byte = 0; byte < bytes_per_token; ++byte)
      bytes += static_cast<char>(id >> (8 * byte) & 0xFFu);
  }
  return bytes;
}

std::string header(int64_t num_tokens, int64_t bytes_per_token) {
  std::array<int32_t, kHeaderInts> ints{};
  ints[0] = kMagic;
  ints[1] = kVersion;
  ints[2] = static_cast<int32_t>(num_tokens);
  ints[3] = static_cast<int32_t>(bytes_per_token);
  return packed(ints.data(), kHeaderInts, sizeof(int32_t));
}

}  // namespace

NanogptWriter::NanogptWriter(std::string prefix, int64_t vocab_size, int64_t tokens_per_shard)
    : prefix_(std::move(prefix)),
      bytes_per_token_(vocab_size <= 65536 ? 2 : 4),
      tokens_per_shard_(tokens_per_shard) {
  check(tokens_per_shard > 0 && tokens_per_shard <= INT32_MAX,
        ErrorCode::kInvalidArgument,
        "tokens a shard: expected 1 to ",
        INT32_MAX,
        " (the header counts them in an int32), got ",
        tokens_per_shard);
}

NanogptWriter::~NanogptWriter() {
  if (!file_.is_open()) return;
  file_.close();
  std::remove(temporary_path().c_str());
}

std::filesystem::path NanogptWriter::temporary_path() const {
  return prefix_ + ".partial";
}

std::filesystem::path NanogptWriter::shard_path(size_t number) const {
  std::array<char, 32> ending{};
  std::snprintf(ending.data(), ending.size(), "_%06zu.bin", number);
  return prefix_ + ending.data();
}

void NanogptWriter::open_shard() {
  const std::filesystem::path path = temporary_path();
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  file_.open(path, std::ios::binary | std::ios::trunc);
  check(file_.is_open(), ErrorCode::kIo, path.string(), ": cannot be written; is the folder writable?");
  errno = 0;
  file_ << header(0, bytes_per_token_);
  tokens_in_shard_ = 0;
}

void NanogptWriter::check_written(bool written) const {
  check(written,
        ErrorCode::kIo,
        shard_path(shards_.size()).string(),
        ": cannot write: ",
        errno != 0 ? std::strerror(errno) : "is the disk full?");
}

void NanogptWriter::finish_shard() {
  file_.seekp(0);
  file_ << header(tokens_in_shard_, bytes_per_token_);
  file_.close();
  check_written(!file_.fail());
  const std::filesystem::path path = shard_path(shards_.size());
  fsync_file(temporary_path());
  std::filesystem::rename(temporary_path(), path);
  shards_.push_back(path);
}

void NanogptWriter::add(const std::vector<int32_t>& ids) {
  for (size_t done = 0; done < ids.size();) {
    if (!file_.is_open()) open_shard();
    const int64_t count =
        std::min(static_cast<int64_t>(ids.size() - done), tokens_per_shard_ - tokens_in_shard_);
    file_ << packed(ids.data() + done, count, bytes_per_token_);
    check_written(file_.good());
    done += static_cast<size_t>(count);
    tokens_in_shard_ += count;
    num_tokens_ += count;
    if (tokens_in_shard_ == tokens_per_shard_) finish_shard();
  }
}

std::vector<std::filesystem::path> NanogptWriter::close() {
  if (file_.is_open()) finish_shard();
  std::vector<std::filesystem::path> removed;
  for (size_t i = shards_.size(); std::filesystem::remove(shard_path(i)); ++i)
    removed.push_back(shard_path(i));
  return removed;
}

}  // namespace automodel::data
