#include "core/data/plain_text.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/base/plural.h"
#include "core/base/strings.h"
#include "core/data/dataset_files.h"
#include "core/data/row_json.h"
#include "core/data/row_kinds.h"
#include "core/data/split.h"
#include "core/data/text_source.h"
#include "core/data/token_ids.h"

namespace automodel::data {
namespace {

std::unique_ptr<Source> open_documents(const config::DatasetConfig& dataset) {
  const auto& set = std::get<config::PlainTextSet>(dataset.kind);
  return join_files(
      dataset, plain_text_files(dataset), [&](const std::filesystem::path& file) -> std::unique_ptr<Source> {
        if (!is_text_file(file)) return open_file_source(file, dataset.skip_invalid_samples);
        return std::make_unique<TextSource>(file, set.text_column, set.document_separator);
      });
}

std::string text_of(const Source& documents, int64_t index, const std::string& column) {
  const nlohmann::ordered_json row = documents.row(index);
  const auto text = row.find(column);
  if (text == row.end())
    fail(ErrorCode::kData,
         documents.place(index),
         ": \"",
         column,
         "\" is missing; dataset.text_column names the column of the text; ",
         describe_row(row));
  check(text->is_string(),
        ErrorCode::kData,
        documents.place(index),
        ": \"",
        column,
        "\" is ",
        kind_of(*text),
        "; expected text");
  return text->get<std::string>();
}

/// What ends a document; nullopt: nothing.
std::optional<int32_t> end_token(const config::PlainTextSet& set, const tokenizer::Tokenizer& tokenizer) {
  if (!set.append_eos) return std::nullopt;
  check(tokenizer.eos_token_id().has_value(),
        ErrorCode::kConfig,
        "the tokenizer has no EOS token to end documents with; dataset.append_eos: false does without");
  return tokenizer.eos_token_id();
}

}  // namespace

PlainTextRows::PlainTextRows(const config::DatasetConfig& dataset, const tokenizer::Tokenizer& tokenizer)
    : documents_(open_documents(dataset)),
      row_length_(dataset.seq_length.value_or(0)),
      pad_token_id_(tokenizer.pad_token_id().value_or(0)) {
  check(row_length_ > 0, ErrorCode::kConfig, "dataset.seq_length: expected the number of tokens of a row");
  const auto& set = std::get<config::PlainTextSet>(dataset.kind);
  const std::optional<int32_t> end = end_token(set, tokenizer);
  constexpr size_t kBytesAtOnce = size_t{16} << 20;  // of text, tokenised in parallel
  std::vector<std::string> texts;
  std::vector<int64_t> numbers;  // of these documents
  size_t num_bytes = 0;
  const int64_t num_documents = documents_->num_rows();
  for (int64_t i = 0; i < num_documents; ++i) {
    std::string text = text_of(*documents_, i, set.text_column);
    if (!trim(text).empty()) {
      num_bytes += text.size();
      texts.push_back(std::move(text));
      numbers.push_back(i);
    }
    if (num_bytes < kBytesAtOnce && i + 1 < num_documents) continue;
    const std::vector<std::vector<int32_t>> ids = tokenizer.encode_batch({texts.begin(), texts.end()});
    for (size_t k = 0; k < ids.size(); ++k) {
      begins_.emplace_back(num_tokens(), numbers[k]);
      tokens_.insert(tokens_.end(), ids[k].begin(), ids[k].end());
      if (end && (ids[k].empty() || ids[k].back() != *end)) tokens_.push_back(*end);
    }
    texts.clear();
    numbers.clear();
    num_bytes = 0;
    log::set_status(detail::join("tokenising: ", i + 1, " of ", num_documents, " documents"));
  }
  log::set_status("");
  const std::string found =
      counted(std::ssize(begins_), "document") + " with " + counted(num_tokens(), "token");
  check(num_rows() > 0,
        ErrorCode::kData,
        join(dataset.paths, ", "),
        ": ",
        found,
        ", which do not fill a row of dataset.seq_length ",
        row_length_);
  log::info("Joined ",
            found,
            ": ",
            counted(num_rows(), "row"),
            " of ",
            row_length_,
            "; tokens left out at the end: ",
            num_tokens() % row_length_);
}

Sample PlainTextRows::sample(int64_t row, int64_t vocab_size) const {
  const auto first = tokens_.begin() + row * row_length_;
  Sample sample;
  sample.row = row;
  sample.input_ids.assign(first, first + row_length_);
  sample.labels.assign(first + 1, std::min(first + row_length_ + 1, tokens_.end()));
  sample.labels.resize(sample.input_ids.size(), static_cast<int32_t>(kIgnoreIndex));
  try {
    check_ids(sample.input_ids, vocab_size);
    check_ids(sample.labels, vocab_size);
  } catch (const Error& error) {
    fail(error.code(), place(row), ": ", error.message());
  }
  return sample;
}

std::string PlainTextRows::place(int64_t row) const {
  const auto next =
      std::ranges::upper_bound(begins_, row * row_length_, {}, &decltype(begins_)::value_type::first);
  return documents_->place(std::prev(next)->second);
}

Order PlainTextRows::order() const {
  Hash hash;
  hash.add(tokens_.data(), tokens_.size() * sizeof(tokens_.front()));
  return {{"dataset.seq_length", std::to_string(row_length_)},
          {"rows", std::to_string(num_rows())},
          {"tokens", std::to_string(num_tokens()) + ", xxh128 " + hash.hex()}};
}

std::unique_ptr<RowSet> open_plain_text(const config::DatasetConfig& dataset,
                                        const tokenizer::Tokenizer& tokenizer) {
  return std::make_unique<PlainTextRows>(dataset, tokenizer);
}

std::vector<std::filesystem::path> plain_text_files(const config::DatasetConfig& dataset) {
  return find_dataset_files(dataset.paths, parse_split(dataset.split).name, {".txt"});
}

}  // namespace automodel::data
