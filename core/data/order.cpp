#include "core/data/order.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "core/data/dataset_files.h"
#include "core/data/nanogpt_stream.h"
#include "core/data/split.h"
#include "core/store/facts.h"

namespace automodel::data {
namespace {

using Kind = config::DatasetConfig::Kind;

std::string text(bool value) {
  return value ? "true" : "false";
}

std::string text(const std::optional<int64_t>& value) {
  return value ? std::to_string(*value) : "null";
}

/// "2 files, 81234 bytes, xxh128 0123...".
std::string files_text(const std::vector<std::filesystem::path>& files) {
  constexpr int64_t kMostBlocks = 1024;  // of 1 MiB, over all files
  const int64_t blocks = std::max<int64_t>(1, kMostBlocks / static_cast<int64_t>(files.size()));
  const auto facts = store::fingerprint(files, [] { return false; }, blocks);
  return std::to_string(files.size()) + (files.size() == 1 ? " file, " : " files, ") +
         facts.at("bytes").dump() + " bytes, xxh128 " + facts.at("xxh128").get<std::string>();
}

Order nanogpt_order(const config::DatasetConfig& dataset, const Loader::Options& options) {
  Order order = {{"dataset.file_pattern", files_text(match_files(dataset.paths))},
                 {"dataset.seq_len", std::to_string(dataset.nanogpt_seq_len)},
                 {"dataset.align_to_bos", text(dataset.align_to_bos)},
                 {"dataset.shuffle_files", text(dataset.shuffle_files)}};
  if (dataset.align_to_bos) order.emplace_back("dataset.bos_token", text(dataset.bos_token));
  if (dataset.shuffle_files) order.emplace_back("seed", std::to_string(options.seed));
  return order;
}

Order mock_order(const config::MockConfig& mock) {
  return {{"dataset.vocab_size", std::to_string(mock.vocab_size)},
          {"dataset.seq_len", std::to_string(mock.seq_len)},
          {"dataset.seed", std::to_string(mock.seed)}};
}

}  // namespace

Order order_of(const config::DatasetConfig& dataset, const Loader::Options& options) {
  if (dataset.kind == Kind::kMock) return mock_order(dataset.mock);
  if (dataset.kind == Kind::kNanogpt) return nanogpt_order(dataset, options);
  Order order = {
      {"the data files", files_text(find_dataset_files(dataset.paths, parse_split(dataset.split).name))},
      {"dataset.split", dataset.split.empty() ? "null" : dataset.split},
      {"dataset.limit_dataset_samples", text(dataset.limit_dataset_samples)},
      {"dataset.shuffle_seed", text(dataset.shuffle_seed)},
      {"dataloader.shuffle", text(options.shuffle)}};
  if (options.shuffle) order.emplace_back("seed", std::to_string(options.seed));
  if (options.pack_size > 0) {
    order.emplace_back("packed_sequence.packed_sequence_size", std::to_string(options.pack_size));
    order.emplace_back("packed_sequence.max_packs", std::to_string(options.num_max_packs));
  }
  return order;
}

}  // namespace automodel::data
