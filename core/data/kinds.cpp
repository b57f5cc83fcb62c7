#include "core/data/kinds.h"

#include "core/base/error.h"
#include "core/data/chat.h"
#include "core/data/column_mapped.h"
#include "core/data/dataset_files.h"
#include "core/data/hellaswag.h"
#include "core/data/mock_loader.h"
#include "core/data/nanogpt_loader.h"
#include "core/data/order.h"
#include "core/data/plain_text.h"
#include "core/data/split.h"
#include "core/data/squad.h"

namespace automodel::data {
namespace {

namespace fs = std::filesystem;

template <class P>
std::unique_ptr<Processor> make(const config::DatasetConfig& dataset,
                                const tokenizer::Tokenizer& tokenizer,
                                const Source& source) {
  if constexpr (std::is_constructible_v<P, const config::DatasetConfig&, const tokenizer::Tokenizer&>) {
    return std::make_unique<P>(dataset, tokenizer);
  } else {
    return std::make_unique<P>(dataset, tokenizer, source);
  }
}

std::vector<fs::path> row_files(const config::DatasetConfig& dataset) {
  return find_dataset_files(dataset.paths, parse_split(dataset.split).name);
}

std::vector<fs::path> shards(const config::DatasetConfig& dataset) {
  return match_files(dataset.paths);
}

std::vector<fs::path> no_files(const config::DatasetConfig& /*dataset*/) {
  return {};
}

/// The place of a kind in DatasetConfig::kind.
template <class Set>
size_t index_of() {
  return decltype(config::DatasetConfig::kind)(Set()).index();
}

const std::vector<SetKind>& rows() {
  static const std::vector<SetKind> kRows = {
      {index_of<config::ColumnMappedSet>(), make<ColumnMappedProcessor>, row_files, order_of_rows},
      {index_of<config::SquadSet>(), make<SquadProcessor>, row_files, order_of_rows},
      {index_of<config::ChatSet>(), make<ChatProcessor>, row_files, order_of_rows},
      {index_of<config::HellaSwagSet>(), make<HellaSwagProcessor>, row_files, order_of_rows},
      {index_of<config::NanogptSet>(), open_nanogpt, shards, order_of_nanogpt},
      {index_of<config::MockSet>(), open_mock, no_files, order_of_mock},
      {index_of<config::PlainTextSet>(), open_plain_text, plain_text_files, order_of_rows},
  };
  return kRows;
}

}  // namespace

const SetKind& set_kind_of(const config::DatasetConfig& dataset) {
  for (const SetKind& row : rows()) {
    if (row.index == dataset.kind.index()) return row;
  }
  fail(ErrorCode::kInternal, "no row for dataset kind ", dataset.kind.index());
}

std::unique_ptr<Processor> make_processor(const config::DatasetConfig& dataset,
                                          const tokenizer::Tokenizer& tokenizer,
                                          const Source& source) {
  const auto* make_one = std::get_if<SetKind::MakeProcessor>(&set_kind_of(dataset).open);
  ensure(make_one != nullptr, config::kind_of(dataset).name, " has no processor of single rows");
  return (*make_one)(dataset, tokenizer, source);
}

std::unique_ptr<RowSet> open_rows(const config::DatasetConfig& dataset,
                                  const tokenizer::Tokenizer& tokenizer) {
  if (const auto* open = std::get_if<SetKind::OpenRows>(&set_kind_of(dataset).open))
    return (*open)(dataset, tokenizer);
  std::unique_ptr<Source> source = open_source(dataset);
  std::unique_ptr<Processor> processor = make_processor(dataset, tokenizer, *source);
  return std::make_unique<ProcessedRows>(std::move(source), std::move(processor));
}

}  // namespace automodel::data
