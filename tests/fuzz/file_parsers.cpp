#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/data/csv_source.h"
#include "core/data/json_source.h"
#include "core/data/messages.h"
#include "core/data/nanogpt_shard.h"
#include "core/io/safetensors.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/fuzz/parsers.h"

namespace automodel::fuzz {
namespace {

/// A file in memory with a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
    const bool written = descriptor_ >= 0 &&
                         write(descriptor_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
    ensure(written, "cannot make a file in memory");
  }

  ~MemoryFile() { close(descriptor_); }

  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

void read_rows(const data::Source& source) {
  for (int64_t row = 0; row < source.num_rows(); ++row) {
    try {
      data::read_messages(source.row(row));
      data::read_tools(source.row(row));
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInternal) throw;
    }
    (void)source.place(row);
  }
}

}  // namespace

void parse_safetensors(std::string_view bytes) {
  const MemoryFile memory(bytes);
  const io::SafetensorsFile file(memory.path());
  int64_t sum = 0;
  for (const io::TensorView& tensor : file.tensors()) {
    for (int64_t i = 0; i < tensor.size_bytes; ++i) sum += std::to_integer<int64_t>(tensor.data[i]);
    file.drop_pages(tensor);
  }
  ensure(sum >= 0, "bytes are not negative");
}

void parse_tokenizer(std::string_view bytes) {
  const MemoryFile memory(bytes);
  const auto tokenizer = tokenizer::Tokenizer::load(memory.path());
  for (const char* text : {"", "Hello world", " a\u00e9\u4f60\U0001f600\n\t<s> 12'll"}) {
    const std::vector<int32_t> ids = tokenizer.encode(text);
    (void)tokenizer.decode(ids, true);
    (void)tokenizer.encode_with_offsets(text, false);
  }
  (void)tokenizer.decode({0, 1, 2, 3, 1 << 30}, false);
}

void parse_json_rows(std::string_view bytes) {
  const MemoryFile memory(bytes);
  read_rows(data::JsonSource(memory.path(), /*lines=*/true, /*skip_invalid=*/true));
  read_rows(data::JsonSource(memory.path(), /*lines=*/false, /*skip_invalid=*/false));
}

void parse_csv_rows(std::string_view bytes) {
  const MemoryFile memory(bytes);
  read_rows(data::CsvSource(memory.path()));
}

void parse_nanogpt(std::string_view bytes) {
  const MemoryFile memory(bytes);
  const data::NanogptShard shard(memory.path());
  const int64_t count = shard.num_tokens();
  for (int64_t i = 0; i < count; ++i) (void)shard.token(i);
  (void)shard.find(50256, 0, count);
}

}  // namespace automodel::fuzz
