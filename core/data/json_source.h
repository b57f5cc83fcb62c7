#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "core/data/source.h"
#include "core/io/text_file.h"

namespace automodel::data {

/// Rows of a JSON lines file, or of a JSON file (an array of objects, or objects one after the other).
class JsonSource : public Source {
 public:
  /// `lines`: one row a line. `skip_invalid`: parse every row now and leave out those that are not objects.
  JsonSource(const std::filesystem::path& path, bool lines, bool skip_invalid);

  int64_t num_rows() const override { return static_cast<int64_t>(begins_.size()); }

  nlohmann::ordered_json row(int64_t index) const override;
  std::string place(int64_t index) const override;

  int64_t num_skipped() const override { return num_skipped_; }

 private:
  std::string_view text_at(size_t begin) const;

  io::TextFile file_;
  bool lines_;
  std::vector<size_t> begins_;
  int64_t num_skipped_ = 0;
};

}  // namespace automodel::data
