#include "core/data/nanogpt_shard.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "core/base/error.h"

namespace automodel::data {
namespace {

static_assert(std::endian::native == std::endian::little, "shards are little-endian and read in place");

constexpr size_t kHeaderBytes = 256 * sizeof(int32_t);
constexpr int32_t kMagic = 278895051;
constexpr int32_t kOldMagic = 20240520;

}  // namespace

NanogptShard::NanogptShard(const std::filesystem::path& path) : map_(path), name_(path.string()) {
  check(map_.size() >= kHeaderBytes,
        ErrorCode::kData,
        name_,
        ": ",
        map_.size(),
        " bytes; a nanoGPT shard begins with a header of ",
        kHeaderBytes);
  std::array<int32_t, 4> header{};
  std::memcpy(header.data(), map_.data(), sizeof header);
  check(header[0] == kMagic || header[0] == kOldMagic,
        ErrorCode::kData,
        name_,
        ": magic number ",
        header[0],
        "; a nanoGPT shard has ",
        kMagic,
        " or ",
        kOldMagic);
  check(header[1] == 1, ErrorCode::kData, name_, ": version ", header[1], "; only version 1 is known");
  token_bytes_ = header[0] == kOldMagic ? 2 : header[3];
  check(token_bytes_ == 2 || token_bytes_ == 4,
        ErrorCode::kData,
        name_,
        ": ",
        token_bytes_,
        " bytes a token; expected 2 or 4");
  num_tokens_ = header[2];
  const auto held = static_cast<int64_t>(map_.size() - kHeaderBytes) / token_bytes_;
  check(num_tokens_ >= 0 && num_tokens_ <= held,
        ErrorCode::kData,
        name_,
        ": the header promises ",
        num_tokens_,
        " tokens, the file holds ",
        held,
        "; copy or make it again");
}

int64_t NanogptShard::token(int64_t index) const {
  ensure(index >= 0 && index < num_tokens_, "token ", index, " of ", num_tokens_);
  const std::byte* at = map_.data() + kHeaderBytes + index * token_bytes_;
  if (token_bytes_ == 2) {
    uint16_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  check(value <= std::numeric_limits<int32_t>::max(),
        ErrorCode::kData,
        name_,
        ": token ",
        index,
        " is ",
        value,
        "; ids end at ",
        std::numeric_limits<int32_t>::max());
  return value;
}

int64_t NanogptShard::find(int64_t wanted, int64_t begin, int64_t end) const {
  while (begin < end && token(begin) != wanted) ++begin;
  return begin;
}

}  // namespace automodel::data
