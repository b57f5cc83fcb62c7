#include "core/data/loader.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/data/chat.h"
#include "core/data/column_mapped.h"
#include "core/data/hellaswag.h"
#include "core/data/mock_loader.h"
#include "core/data/nanogpt_loader.h"
#include "core/data/processor.h"
#include "core/data/row_loader.h"
#include "core/data/source.h"
#include "core/data/squad.h"
#include "core/data/token_ids.h"

namespace automodel::data {

using Kind = config::DatasetConfig::Kind;

std::unique_ptr<Processor> make_processor(const config::DatasetConfig& dataset,
                                          const tokenizer::Tokenizer& tokenizer,
                                          const Source& source) {
  switch (dataset.kind) {
    case Kind::kColumnMapped:
      return std::make_unique<ColumnMappedProcessor>(dataset, tokenizer);
    case Kind::kSquad:
      return std::make_unique<SquadProcessor>(dataset, tokenizer);
    case Kind::kChat:
      return std::make_unique<ChatProcessor>(dataset, tokenizer);
    case Kind::kHellaSwag:
      return std::make_unique<HellaSwagProcessor>(dataset, tokenizer, source);
    case Kind::kNanogpt:
    case Kind::kMock:
      break;
  }
  fail(ErrorCode::kInternal, "this kind of dataset has no rows to process");
}

Sample process_row(const Source& source, const Processor& processor, int64_t row, int64_t vocab_size) {
  const nlohmann::ordered_json fields = source.row(row);
  try {
    Sample sample = processor.process(fields, row);
    sample.row = row;
    check_ids(sample.input_ids, vocab_size);
    check_ids(sample.labels, vocab_size);
    return sample;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kData) throw;
    fail(ErrorCode::kData, source.place(row), ": ", error.message());
  }
}

namespace {

/// Of sets whose samples have one length.
void warn_of_positions(const Loader::Options& options, int64_t seq_len) {
  const RowLimits& limits = options.limits;
  if (limits.max_positions == 0 || seq_len <= limits.max_positions) return;
  log::warning(limits.section,
               ".seq_len ",
               seq_len,
               " is longer than the ",
               limits.max_positions,
               " positions that the model was made for (max_position_embeddings)",
               limits.positions_end ? "; it has no others: the run ends in its first step" : "");
}

}  // namespace

std::vector<Batch> next_batches(Loader& loader, int64_t count) {
  std::vector<Batch> batches;
  while (static_cast<int64_t>(batches.size()) < count) {
    std::optional<Batch> batch = loader.next();
    if (!batch) break;
    batches.push_back(std::move(*batch));
  }
  return batches;
}

std::unique_ptr<Loader> open_loader(const config::DatasetConfig& dataset,
                                    const tokenizer::Tokenizer* tokenizer,
                                    const Loader::Options& options) {
  ensure(options.local_batch_size > 0, "local_batch_size ", options.local_batch_size);
  Loader::Options checked = options;
  checked.num_workers = std::max<int64_t>(options.num_workers, 1);
  if (dataset.kind == Kind::kNanogpt) {
    warn_of_positions(options, dataset.nanogpt_seq_len);
    check(!dataset.align_to_bos || dataset.bos_token,
          ErrorCode::kConfig,
          "dataset.align_to_bos: true needs dataset.bos_token");
    const NanogptStream::Options stream = {
        .seq_len = dataset.nanogpt_seq_len,
        .bos_token = dataset.align_to_bos ? dataset.bos_token : std::nullopt,
        .shuffle_files = dataset.shuffle_files,
        .seed = options.seed,
        .dp_rank = options.dp_rank,
        .dp_size = options.dp_size,
        .vocab_size = options.vocab_size};
    return std::make_unique<NanogptLoader>(match_files(dataset.paths), stream, checked);
  }
  if (dataset.kind == Kind::kMock) {
    check(options.vocab_size == 0 || dataset.mock.vocab_size <= options.vocab_size,
          ErrorCode::kConfig,
          "dataset.vocab_size: ",
          dataset.mock.vocab_size,
          " is more than the ",
          options.vocab_size,
          " rows of the model's embedding");
    warn_of_positions(options, dataset.mock.seq_len);
    return std::make_unique<MockLoader>(dataset, checked);
  }
  ensure(tokenizer != nullptr, "a dataset of text was opened without a tokenizer");
  const bool pads = options.local_batch_size > 1 || options.pad_seq_len_divisible > 1;
  check_vocabulary(*tokenizer, options.vocab_size, pads);
  std::unique_ptr<Source> source = open_source(dataset);
  auto processor = make_processor(dataset, *tokenizer, *source);
  if (dataset.truncation == "do_not_truncate") checked.limits.seq_length = dataset.seq_length;
  return std::make_unique<RowLoader>(
      std::move(source), std::move(processor), dataset.skip_invalid_samples, checked);
}

}  // namespace automodel::data
