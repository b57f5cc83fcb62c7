#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The sections dataset and validation_dataset: one struct per kind of set, and what all kinds share. The row
/// of a kind (its `_target_` names, its options, what is known of it) stands in dataset.cpp; how it is
/// opened, in core/data/kinds.cpp.
namespace automodel::config {

/// Rows with a question and an answer column.
struct ColumnMappedSet {
  std::map<std::string, std::string> column_mapping;  ///< context, question, answer -> column of the file
  bool answer_only_loss_mask = true;
  bool use_hf_chat_template = false;
};

/// Questions about a context, in SQuAD's format.
struct SquadSet {};

/// Conversations.
struct ChatSet {
  bool mask_reasoning_content = false;
  bool mask_history = false;
  std::string tool_arguments = "as_is";  ///< as_is, or json_text, the reference's form
};

/// Beginnings with four endings.
struct HellaSwagSet {
  bool pad_to_max_length = true;  ///< every row to the longest of the set
};

/// nanoGPT's shards of token ids.
struct NanogptSet {
  int64_t seq_len = 0;  ///< tokens of a row
  std::optional<int64_t> bos_token;
  bool shuffle_files = false;
  bool align_to_bos = false;
};

/// Random tokens: micro-batches of batch_size rows of seq_len tokens below vocab_size.
struct MockSet {
  int64_t vocab_size = 1024;
  int64_t seq_len = 1024;
  int64_t num_samples = 1000000;  ///< micro-batches
  int64_t batch_size = 1;
  int64_t seed = 0;
};

/// Documents of plain text, joined and cut into rows of seq_length tokens.
struct PlainTextSet {
  std::string text_column = "text";  ///< of rows of json or csv files
  std::string document_separator;    ///< of text files; empty: a file is a document
  bool append_eos = true;            ///< each document ends with EOS
};

/// One training or validation set.
struct DatasetConfig {
  std::string name = "default";  ///< of a validation set: the part after "validation_dataset_", or "default"
  std::vector<std::string> paths;  ///< path_or_dataset_id, dataset_name or file_pattern
  // Which rows of the files are taken.
  std::string split;  ///< with a slice: train[:100], train[10%:20%]
  std::optional<int64_t> limit_dataset_samples;
  std::optional<int64_t> shuffle_seed;
  bool skip_invalid_samples = false;
  // How texts become rows of tokens.
  std::optional<int64_t> seq_length;
  std::string padding = "do_not_pad";  ///< do_not_pad, longest, max_length (true: longest; false: do_not_pad)
  std::string truncation = "do_not_truncate";  ///< do_not_truncate, longest_first (true: longest_first)
  std::string chat_template;                   ///< Jinja text, or a file; empty: the tokenizer's

  std::variant<ColumnMappedSet, SquadSet, ChatSet, HellaSwagSet, NanogptSet, MockSet, PlainTextSet> kind;
};

/// What is known of a kind of set, whatever its options and files.
struct DatasetKind {
  std::string name;             ///< of its class: "ChatDataset"
  bool has_rows = true;         ///< that can be read in any order; false: a stream
  bool needs_tokenizer = true;  ///< false: rows are ids already
  bool has_own_lengths = true;  ///< rows differ in length, so that packs may join them
};

/// The row of the set's kind.
const DatasetKind& kind_of(const DatasetConfig& dataset);

}  // namespace automodel::config
