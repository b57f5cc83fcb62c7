#include "core/data/csv_source.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/io/csv.h"
#include "core/io/utf8.h"

namespace automodel::data {
namespace {

std::vector<io::CsvField> read_record(const io::TextFile& file, size_t begin) {
  try {
    std::vector<io::CsvField> fields = io::parse_csv_record(file.text(), begin);
    for (size_t i = 0; i < fields.size(); ++i) {
      check(!io::find_invalid_utf8(fields[i].text),
            ErrorCode::kData,
            "column ",
            i + 1,
            ": not UTF-8; convert the file with: iconv -t UTF-8");
    }
    return fields;
  } catch (const Error& error) {
    fail(error.code(), file.place(begin), ": ", error.message());
  }
}

}  // namespace

CsvSource::CsvSource(const std::filesystem::path& path) : file_(path) {
  begins_ = io::index_csv(file_.text(), path.string());
  if (begins_.empty()) return;
  for (io::CsvField& field : read_record(file_, begins_.front())) {
    check(std::find(columns_.begin(), columns_.end(), field.text) == columns_.end(),
          ErrorCode::kData,
          file_.place(begins_.front()),
          ": column \"",
          field.text,
          "\" stands twice in the header row");
    columns_.push_back(std::move(field.text));
  }
  begins_.erase(begins_.begin());
}

nlohmann::ordered_json CsvSource::row(int64_t index) const {
  std::vector<io::CsvField> fields = read_record(file_, begins_.at(static_cast<size_t>(index)));
  if (fields.size() != columns_.size()) {
    fail(ErrorCode::kData,
         place(index),
         ": ",
         fields.size(),
         " cells; the header row names ",
         columns_.size(),
         " columns (",
         join(columns_, ", "),
         ")");
  }
  auto row = nlohmann::ordered_json::object();
  for (size_t i = 0; i < fields.size(); ++i) {
    const bool empty = fields[i].text.empty() && !fields[i].quoted;
    row[columns_[i]] = empty ? nlohmann::ordered_json() : nlohmann::ordered_json(std::move(fields[i].text));
  }
  return row;
}

std::string CsvSource::place(int64_t index) const {
  return file_.place(begins_.at(static_cast<size_t>(index)));
}

}  // namespace automodel::data
