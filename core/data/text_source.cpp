#include "core/data/text_source.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/io/utf8.h"

namespace automodel::data {

TextSource::TextSource(const std::filesystem::path& path, std::string column, const std::string& separator)
    : file_(path), column_(std::move(column)) {
  const std::string_view text = file_.text();
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = separator.empty() ? text.size() : std::min(text.find(separator, begin), text.size());
    if (!trim(text.substr(begin, end - begin)).empty()) documents_.emplace_back(begin, end);
    begin = end + std::max<size_t>(separator.size(), 1);
  }
}

nlohmann::ordered_json TextSource::row(int64_t index) const {
  const auto [begin, end] = documents_.at(static_cast<size_t>(index));
  const std::string_view text = file_.text().substr(begin, end - begin);
  if (const auto invalid = io::find_invalid_utf8(text))
    fail(ErrorCode::kData, file_.place(begin + *invalid), ": not UTF-8");
  return {{column_, text}};
}

std::string TextSource::place(int64_t index) const {
  return file_.place(documents_.at(static_cast<size_t>(index)).first);
}

bool is_text_file(const std::filesystem::path& path) {
  std::filesystem::path name = path.filename();
  if (name.extension() == ".gz") name.replace_extension();
  return name.extension() == ".txt";
}

}  // namespace automodel::data
