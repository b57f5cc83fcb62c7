#include "core/data/loader.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/data/kinds.h"
#include "core/data/row_loader.h"
#include "core/data/token_ids.h"

namespace automodel::data {

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
  if (const auto* open_stream = std::get_if<SetKind::OpenStream>(&set_kind_of(dataset).open))
    return (*open_stream)(dataset, checked);
  ensure(tokenizer != nullptr, "a dataset of text was opened without a tokenizer");
  const bool pads = options.local_batch_size > 1 || options.pad_seq_len_divisible > 1;
  check_vocabulary(*tokenizer, options.vocab_size, pads);
  std::unique_ptr<RowSet> rows = open_rows(dataset, *tokenizer);
  checked.limits = limits_of(dataset, *rows, options.limits);
  return std::make_unique<RowLoader>(std::move(rows), dataset.skip_invalid_samples, checked);
}

}  // namespace automodel::data
