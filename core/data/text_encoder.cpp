#include "core/data/text_encoder.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/json.h"

namespace automodel::data {
namespace {

// transformers' sign for "no limit known"; it then does not cut.
constexpr double kNoLimit = 1e20;

/// model_max_length of the tokenizer's folder: what transformers cuts at when no length is given.
std::optional<int64_t> model_max_length(const tokenizer::Tokenizer& tokenizer) {
  for (const std::filesystem::path& file : tokenizer.files()) {
    if (file.filename() != "tokenizer_config.json") continue;
    const nlohmann::json config = io::read_json(file);
    const auto length = config.find("model_max_length");
    if (length == config.end() || !length->is_number() || length->get<double>() > kNoLimit)
      return std::nullopt;
    return length->get<int64_t>();
  }
  return std::nullopt;
}

std::optional<int64_t> cut_length(const config::DatasetConfig& dataset,
                                  const tokenizer::Tokenizer& tokenizer) {
  if (dataset.truncation == "do_not_truncate") return std::nullopt;
  check(dataset.truncation == "longest_first" || dataset.truncation == "only_first",
        ErrorCode::kConfig,
        "dataset.truncation: \"",
        dataset.truncation,
        "\"; expected do_not_truncate or longest_first");
  return dataset.seq_length ? dataset.seq_length : model_max_length(tokenizer);
}

std::optional<int64_t> fill_length(const config::DatasetConfig& dataset) {
  if (dataset.padding == "do_not_pad" || dataset.padding == "longest")
    return std::nullopt;  // the collator's work
  check(dataset.padding == "max_length",
        ErrorCode::kConfig,
        "dataset.padding: \"",
        dataset.padding,
        "\"; expected do_not_pad, longest or max_length");
  check(dataset.seq_length.has_value(),
        ErrorCode::kConfig,
        "dataset.padding: max_length needs dataset.seq_length");
  return dataset.seq_length;
}

}  // namespace

TextEncoder::TextEncoder(const config::DatasetConfig& dataset, const tokenizer::Tokenizer& tokenizer)
    : tokenizer_(&tokenizer),
      max_length_(cut_length(dataset, tokenizer)),
      padded_length_(fill_length(dataset)) {
  check(!dataset.seq_length || *dataset.seq_length > 1,
        ErrorCode::kConfig,
        "dataset.seq_length: ",
        dataset.seq_length.value_or(0),
        "; expected at least 2");
  pad_token_id_ = tokenizer.pad_token_id().value_or(0);
  // The reference writes `pad or eos`, where id 0 counts as none.
  if (pad_token_id_ == 0) pad_token_id_ = tokenizer.eos_token_id().value_or(0);
}

std::vector<int32_t> TextEncoder::encode(std::string_view text) const {
  std::vector<int32_t> ids = tokenizer_->encode(text, true);
  if (!max_length_ || static_cast<int64_t>(ids.size()) <= *max_length_) return ids;
  const std::vector<int32_t> bare = tokenizer_->encode(text, false);
  const auto inner = std::search(ids.begin(), ids.end(), bare.begin(), bare.end());
  ensure(inner != ids.end(), "special tokens stand inside the text");
  const auto num_special = static_cast<int64_t>(ids.size() - bare.size());
  const int64_t kept = std::max<int64_t>(*max_length_ - num_special, 0);
  ids.erase(inner + kept, inner + static_cast<int64_t>(bare.size()));
  return ids;
}

tokenizer::Encoding TextEncoder::encode_rendered(std::string_view text) const {
  tokenizer::Encoding encoding = tokenizer_->encode_with_offsets(text, false);
  if (max_length_ && static_cast<int64_t>(encoding.ids.size()) > *max_length_) {
    encoding.ids.resize(static_cast<size_t>(*max_length_));
    encoding.offsets.resize(static_cast<size_t>(*max_length_));
  }
  return encoding;
}

std::vector<int32_t> TextEncoder::encode_rendered_whole(std::string_view text) const {
  return tokenizer_->encode(text, false);
}

Sample TextEncoder::package(MarkedTokens tokens) const {
  auto& [ids, learnt] = tokens;
  ensure(ids.size() == learnt.size(), "a mark a token");
  if (padded_length_ && static_cast<int64_t>(ids.size()) < *padded_length_) {
    ids.resize(static_cast<size_t>(*padded_length_), pad_token_id_);
    learnt.resize(ids.size(), 0);
  }
  check(ids.size() >= 2, ErrorCode::kData, "the row gives ", ids.size(), " tokens; at least 2 are needed");

  size_t content = ids.size();
  while (content > 0 && ids[content - 1] == pad_token_id_) --content;
  if (tokenizer_->eos_token_id() == pad_token_id_) content = std::min(content + 1, ids.size());

  Sample sample;
  const size_t length = ids.size() - 1;
  sample.labels.resize(length);
  for (size_t i = 0; i < length; ++i) sample.labels[i] = learnt[i + 1] != 0 ? ids[i + 1] : kIgnoreIndex;
  sample.attention_mask.assign(length, 0);
  std::fill_n(sample.attention_mask.begin(), content > 0 ? content - 1 : 0, 1);
  sample.input_ids = std::move(ids);
  sample.input_ids.pop_back();
  if (padded_length_ && static_cast<int64_t>(length) < *padded_length_) {
    const auto full = static_cast<size_t>(*padded_length_);
    sample.input_ids.resize(full, pad_token_id_);
    sample.labels.resize(full, static_cast<int32_t>(kIgnoreIndex));
    sample.attention_mask.resize(full, 0);
  }
  return sample;
}

}  // namespace automodel::data
