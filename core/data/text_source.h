#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/data/source.h"
#include "core/io/text_file.h"

namespace automodel::data {

/// Documents of a text file, plain or gzipped: the whole file, or what stands between separators. Documents
/// of nothing but white space are left out. A row is {column: text}.
class TextSource : public Source {
 public:
  /// `separator` empty: the file is one document. Throws what io::TextFile throws.
  TextSource(const std::filesystem::path& path, std::string column, const std::string& separator);

  int64_t num_rows() const override { return static_cast<int64_t>(documents_.size()); }

  /// Throws Error(kData) for text that is not UTF-8.
  nlohmann::ordered_json row(int64_t index) const override;

  std::string place(int64_t index) const override;

 private:
  io::TextFile file_;
  std::string column_;
  std::vector<std::pair<size_t, size_t>> documents_;  ///< [begin, end) in the file, bytes
};

/// Whether a file is one of text by its name: .txt, also with .gz.
bool is_text_file(const std::filesystem::path& path);

}  // namespace automodel::data
