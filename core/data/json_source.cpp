#include "core/data/json_source.h"

#include <cstring>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/data/row_json.h"
#include "core/io/json_values.h"

namespace automodel::data {
namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view line_at(std::string_view text, size_t begin) {
  const void* end = std::memchr(text.data() + begin, '\n', text.size() - begin);
  return end == nullptr
             ? text.substr(begin)
             : text.substr(begin, static_cast<size_t>(static_cast<const char*>(end) - text.data()) - begin);
}

std::vector<size_t> index_lines(std::string_view text) {
  std::vector<size_t> begins;
  for (size_t at = 0; at < text.size();) {
    const std::string_view line = line_at(text, at);
    if (line.find_first_not_of(kBlank) != std::string_view::npos) begins.push_back(at);
    at += line.size() + 1;
  }
  return begins;
}

}  // namespace

JsonSource::JsonSource(const std::filesystem::path& path, bool lines, bool skip_invalid)
    : file_(path), lines_(lines) {
  begins_ = lines ? index_lines(file_.text()) : io::index_json_values(file_.text(), path.string());
  if (!skip_invalid) return;
  const auto invalid = [this](size_t begin) { return !is_row(text_at(begin)); };
  num_skipped_ = static_cast<int64_t>(std::erase_if(begins_, invalid));
  if (num_skipped_ > 0) {
    log::warning(
        path.string(), ": left out ", num_skipped_, " rows that are not JSON objects (skip_invalid_samples)");
  }
}

std::string_view JsonSource::text_at(size_t begin) const {
  return lines_ ? line_at(file_.text(), begin) : io::json_value_at(file_.text(), begin);
}

nlohmann::ordered_json JsonSource::row(int64_t index) const {
  try {
    return parse_row(text_at(begins_.at(static_cast<size_t>(index))));
  } catch (const Error& error) {
    fail(error.code(), place(index), ": ", error.message());
  }
}

std::string JsonSource::place(int64_t index) const {
  return file_.place(begins_.at(static_cast<size_t>(index)));
}

}  // namespace automodel::data
