#include "core/io/safetensors.h"

#include <cstring>

#include "core/base/error.h"
#include "core/io/memory_map.h"
#include "core/io/safetensors_header.h"

namespace automodel::io {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // as in the reference implementation
constexpr size_t kLengthBytes = 8;

uint64_t little_endian_u64(const std::byte* bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | std::to_integer<uint64_t>(bytes[i]);
  return value;
}

}  // namespace

struct SafetensorsFile::Impl {
  std::filesystem::path path;
  MemoryMap map;
  std::vector<TensorView> tensors;
  std::map<std::string, std::string> metadata;
};

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : impl_(new Impl{path, MemoryMap(path), {}, {}}) {
  const MemoryMap& map = impl_->map;
  check(map.size() >= kLengthBytes,
        ErrorCode::kFormat,
        path.string(),
        ": ",
        map.size(),
        " bytes are too few for a safetensors file; it is truncated");
  const uint64_t header_bytes = little_endian_u64(map.data());
  check(header_bytes <= kMaxHeaderBytes,
        ErrorCode::kFormat,
        path.string(),
        ": a header of ",
        header_bytes,
        " bytes is over the limit of ",
        kMaxHeaderBytes,
        "; this is not a safetensors file");
  check(header_bytes <= map.size() - kLengthBytes,
        ErrorCode::kFormat,
        path.string(),
        ": the header should have ",
        header_bytes,
        " bytes but only ",
        map.size() - kLengthBytes,
        " follow; the file is truncated");

  const std::string_view text(reinterpret_cast<const char*>(map.data()) + kLengthBytes, header_bytes);
  const std::byte* data = map.data() + kLengthBytes + header_bytes;
  const auto data_bytes = static_cast<int64_t>(map.size() - kLengthBytes - header_bytes);
  SafetensorsHeader header = parse_safetensors_header(text, data_bytes, path.string());
  impl_->metadata = std::move(header.metadata);
  impl_->tensors.reserve(header.tensors.size());
  for (HeaderEntry& entry : header.tensors) {
    impl_->tensors.push_back({std::move(entry.name),
                              entry.dtype,
                              std::move(entry.shape),
                              data + entry.begin,
                              entry.end - entry.begin});
  }
}

SafetensorsFile::~SafetensorsFile() = default;
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;

const std::filesystem::path& SafetensorsFile::path() const {
  return impl_->path;
}

const std::vector<TensorView>& SafetensorsFile::tensors() const {
  return impl_->tensors;
}

const std::map<std::string, std::string>& SafetensorsFile::metadata() const {
  return impl_->metadata;
}

void SafetensorsFile::drop_pages(const TensorView& tensor) const {
  impl_->map.drop_pages(tensor.data, static_cast<size_t>(tensor.size_bytes));
}

}  // namespace automodel::io
