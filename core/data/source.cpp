#include "core/data/source.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/data/csv_source.h"
#include "core/data/dataset_files.h"
#include "core/data/json_source.h"
#include "core/data/python_random.h"
#include "core/data/split.h"

namespace automodel::data {
namespace {

/// Several sources one after the other.
class ConcatenatedSource : public Source {
 public:
  explicit ConcatenatedSource(std::vector<std::unique_ptr<Source>> parts) : parts_(std::move(parts)) {
    for (const auto& part : parts_) {
      ends_.push_back(num_rows() + part->num_rows());
      num_skipped_ += part->num_skipped();
    }
  }

  int64_t num_rows() const override { return ends_.empty() ? 0 : ends_.back(); }

  nlohmann::ordered_json row(int64_t index) const override {
    const auto [part, local] = locate(index);
    return part->row(local);
  }

  std::string place(int64_t index) const override {
    const auto [part, local] = locate(index);
    return part->place(local);
  }

  int64_t num_skipped() const override { return num_skipped_; }

 private:
  std::pair<const Source*, int64_t> locate(int64_t index) const {
    const auto end = std::upper_bound(ends_.begin(), ends_.end(), index);
    ensure(index >= 0 && end != ends_.end(), "row ", index, " of ", num_rows());
    const auto part = static_cast<size_t>(end - ends_.begin());
    return {parts_[part].get(), part == 0 ? index : index - ends_[part - 1]};
  }

  std::vector<std::unique_ptr<Source>> parts_;
  std::vector<int64_t> ends_;
  int64_t num_skipped_ = 0;
};

/// Rows [first, last) of a source, in the order that `order` gives them, or their own when it is empty.
class SelectedSource : public Source {
 public:
  SelectedSource(std::unique_ptr<Source> whole, std::vector<int64_t> order, int64_t first, int64_t last)
      : whole_(std::move(whole)), order_(std::move(order)), first_(first), last_(last) {}

  int64_t num_rows() const override { return last_ - first_; }

  nlohmann::ordered_json row(int64_t index) const override { return whole_->row(locate(index)); }

  std::string place(int64_t index) const override { return whole_->place(locate(index)); }

  int64_t num_skipped() const override { return whole_->num_skipped(); }

 private:
  int64_t locate(int64_t index) const {
    ensure(index >= 0 && index < num_rows(), "row ", index, " of ", num_rows());
    return order_.empty() ? first_ + index : order_[static_cast<size_t>(first_ + index)];
  }

  std::unique_ptr<Source> whole_;
  std::vector<int64_t> order_;
  int64_t first_;
  int64_t last_;
};

/// [first, last) after split and limit_dataset_samples.
std::pair<int64_t, int64_t> selected_rows(const config::DatasetConfig& dataset,
                                          const Split& split,
                                          int64_t num_rows) {
  auto [first, last] = split.rows(num_rows);
  if (!dataset.limit_dataset_samples) return {first, last};
  if (split.sliced && std::holds_alternative<config::SquadSet>(dataset.kind)) {
    log::warning(
        "dataset.split: ", dataset.split, " already names its rows; limit_dataset_samples is not used");
    return {first, last};
  }
  const int64_t limit = *dataset.limit_dataset_samples;
  check(limit > 0, ErrorCode::kConfig, "dataset.limit_dataset_samples: ", limit, "; expected at least 1");
  if (limit > last - first) {
    log::warning("dataset: the first ", limit, " rows asked for, the set has ", last - first);
  }
  return {first, std::min(last, first + limit)};
}

/// Of a file that is named directly the split's name says nothing; a slip in it would stay unseen.
void warn_of_split_name(const config::DatasetConfig& dataset, const std::string& name) {
  static const std::vector<std::string> kNames = {
      "train", "training", "validation", "valid", "dev", "val", "test", "testing", "eval", "evaluation"};
  const std::string nearest = nearest_name(name, kNames);
  const bool names_file =
      std::any_of(dataset.paths.begin(), dataset.paths.end(), [](const std::string& path) {
        return std::filesystem::is_regular_file(path);
      });
  if (!names_file || nearest.empty() || nearest == name) return;
  log::warning("dataset.split: \"",
               name,
               "\" is not looked at, because the dataset names a file; did you mean \"",
               nearest,
               "\"?");
}

}  // namespace

std::unique_ptr<Source> open_file_source(const std::filesystem::path& path, bool skip_invalid) {
  std::filesystem::path name = path.filename();
  if (name.extension() == ".gz") name.replace_extension();
  const std::string kind = name.extension().string();
  if (kind == ".jsonl" || kind == ".ndjson") return std::make_unique<JsonSource>(path, true, skip_invalid);
  if (kind == ".json") return std::make_unique<JsonSource>(path, false, skip_invalid);
  if (kind == ".csv") return std::make_unique<CsvSource>(path);
  const bool is_text = kind == ".txt" || kind == ".md" || kind == ".text";
  fail(
      ErrorCode::kData,
      path.string(),
      ": unknown kind of file; expected a name ending in .jsonl, .ndjson, .json or .csv, or one of these with .gz",
      is_text ? "; plain text is for pretraining: automodel.PlainTextDataset reads .txt files" : "");
}

std::unique_ptr<Source> join_files(const config::DatasetConfig& dataset,
                                   const std::vector<std::filesystem::path>& files,
                                   const OpenFile& open) {
  const Split split = parse_split(dataset.split);
  warn_of_split_name(dataset, split.name);
  std::vector<std::unique_ptr<Source>> parts;
  for (const std::filesystem::path& file : files) parts.push_back(open(file));
  std::unique_ptr<Source> whole = std::make_unique<ConcatenatedSource>(std::move(parts));
  const int64_t num_rows = whole->num_rows();
  check(num_rows > 0, ErrorCode::kData, join(dataset.paths, ", "), ": no rows");
  std::vector<int64_t> order;
  if (dataset.shuffle_seed) order = python_shuffle(num_rows, *dataset.shuffle_seed);
  const auto [first, last] = selected_rows(dataset, split, num_rows);
  check(first < last,
        ErrorCode::kData,
        "dataset.split: ",
        dataset.split,
        " leaves no row of the ",
        num_rows,
        " in ",
        join(dataset.paths, ", "));
  if (order.empty() && first == 0 && last == num_rows) return whole;
  return std::make_unique<SelectedSource>(std::move(whole), std::move(order), first, last);
}

std::unique_ptr<Source> open_source(const config::DatasetConfig& dataset) {
  const auto open = [&](const std::filesystem::path& file) {
    return open_file_source(file, dataset.skip_invalid_samples);
  };
  return join_files(dataset, find_dataset_files(dataset.paths, parse_split(dataset.split).name), open);
}

}  // namespace automodel::data
