#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/data/source.h"
#include "core/io/text_file.h"

namespace automodel::data {

/// Rows of a CSV file whose first record names the columns. Cells are text; a cell with nothing in it is
/// null.
class CsvSource : public Source {
 public:
  explicit CsvSource(const std::filesystem::path& path);

  int64_t num_rows() const override { return static_cast<int64_t>(begins_.size()); }

  nlohmann::ordered_json row(int64_t index) const override;
  std::string place(int64_t index) const override;

 private:
  io::TextFile file_;
  std::vector<std::string> columns_;
  std::vector<size_t> begins_;
};

}  // namespace automodel::data
