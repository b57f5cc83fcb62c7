#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/data/row_set.h"

namespace automodel::data {

/// Plain text for pretraining (config::PlainTextSet): the tokens of all documents, one after the other, cut
/// into rows of seq_length tokens, as group_texts of transformers' run_clm.py cuts them; what is left at the
/// end is no row. The label of every token is the one that follows it, also where that begins the next row or
/// document; the very last token of all has none.
///
/// A document is tokenised with the special tokens that the tokenizer adds, and ends with EOS (append_eos).
/// All tokens stay in memory, 4 bytes each.
class PlainTextRows : public RowSet {
 public:
  /// Tokenises the set on all cores. Throws Error(kData) with the place of a bad document and for a set
  /// smaller than a row, Error(kConfig) for a tokenizer without EOS.
  PlainTextRows(const config::DatasetConfig& dataset, const tokenizer::Tokenizer& tokenizer);

  int64_t num_rows() const override { return num_tokens() / row_length_; }

  Sample sample(int64_t row, int64_t vocab_size) const override;

  /// The begin of the document in which the row begins.
  std::string place(int64_t row) const override;

  int64_t pad_token_id() const override { return pad_token_id_; }

  int64_t common_length() const override { return row_length_; }

  /// The tokens decide: they depend on the tokenizer and on every option.
  Order order() const override;

 private:
  int64_t num_tokens() const { return static_cast<int64_t>(tokens_.size()); }

  std::unique_ptr<Source> documents_;
  int64_t row_length_;
  int64_t pad_token_id_;
  std::vector<int32_t> tokens_;
  std::vector<std::pair<int64_t, int64_t>> begins_;  ///< first token of a document, its number in documents_
};

/// Opens a config::PlainTextSet.
std::unique_ptr<RowSet> open_plain_text(const config::DatasetConfig& dataset,
                                        const tokenizer::Tokenizer& tokenizer);

/// Its files: those of other sets of rows, and text files.
std::vector<std::filesystem::path> plain_text_files(const config::DatasetConfig& dataset);

}  // namespace automodel::data
