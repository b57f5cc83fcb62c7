#include "core/data/order.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "core/data/kinds.h"
#include "core/store/facts.h"

namespace automodel::data {

std::string text_of(bool value) {
  return value ? "true" : "false";
}

std::string text_of(const std::optional<int64_t>& value) {
  return value ? std::to_string(*value) : "null";
}

std::string files_text(const std::vector<std::filesystem::path>& files) {
  constexpr int64_t kMostBlocks = 1024;  // of 1 MiB, over all files
  const int64_t blocks = std::max<int64_t>(1, kMostBlocks / static_cast<int64_t>(files.size()));
  const auto facts = store::fingerprint(files, [] { return false; }, blocks);
  return std::to_string(files.size()) + (files.size() == 1 ? " file, " : " files, ") +
         facts.at("bytes").dump() + " bytes, xxh128 " + facts.at("xxh128").get<std::string>();
}

Order order_of_rows(const config::DatasetConfig& dataset, const Loader::Options& options) {
  Order order = {{"the data files", files_text(set_kind_of(dataset).files(dataset))},
                 {"dataset.split", dataset.split.empty() ? "null" : dataset.split},
                 {"dataset.limit_dataset_samples", text_of(dataset.limit_dataset_samples)},
                 {"dataset.shuffle_seed", text_of(dataset.shuffle_seed)},
                 {"dataloader.shuffle", text_of(options.shuffle)}};
  if (options.shuffle) order.emplace_back("seed", std::to_string(options.seed));
  if (options.pack_size > 0) {
    order.emplace_back("packed_sequence.packed_sequence_size", std::to_string(options.pack_size));
    order.emplace_back("packed_sequence.max_packs", std::to_string(options.num_max_packs));
  }
  return order;
}

Order order_of(const config::DatasetConfig& dataset, const Loader::Options& options) {
  return set_kind_of(dataset).order(dataset, options);
}

}  // namespace automodel::data
