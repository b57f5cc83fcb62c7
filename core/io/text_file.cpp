#include "core/io/text_file.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/io/gzip.h"

namespace automodel::io {
namespace {

std::string_view bytes_of(const MemoryMap& map) {
  return {reinterpret_cast<const char*>(map.data()), map.size()};
}

MemoryMap map_text(const std::filesystem::path& path) {
  MemoryMap map(path);
  const std::string_view bytes = bytes_of(map);
  if (is_gzip(bytes)) return gunzip(bytes, path.string());
  check(path.extension() != ".gz",
        ErrorCode::kData,
        path.string(),
        ": not a gzip file; rename it without .gz or compress it again");
  return map;
}

}  // namespace

TextFile::TextFile(const std::filesystem::path& path) : path_(path), map_(map_text(path)) {
  text_ = bytes_of(map_);
  check(!text_.starts_with("\xff\xfe") && !text_.starts_with("\xfe\xff"),
        ErrorCode::kData,
        path.string(),
        ": UTF-16 text; expected UTF-8; convert it with: iconv -f UTF-16 -t UTF-8");
  if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
}

std::string TextFile::place(size_t offset) const {
  const std::string_view before = text_.substr(0, offset);
  return detail::join(path_.string(), ":", 1 + std::count(before.begin(), before.end(), '\n'));
}

}  // namespace automodel::io
