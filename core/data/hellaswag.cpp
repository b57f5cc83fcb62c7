#include "core/data/hellaswag.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/data/python_text.h"
#include "core/data/row_json.h"
#include "core/data/row_kinds.h"

namespace automodel::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kBlockRows = 1000;  // of a batched map in Hugging Face's datasets
constexpr int64_t kMultiple = 8;

const Json& value_of(const Json& row, const char* column) {
  const auto value = row.find(column);
  if (value == row.end()) {
    fail(ErrorCode::kData,
         "\"",
         column,
         "\" is missing; HellaSwag rows have ctx, endings, label; ",
         describe_row(row));
  }
  return *value;
}

std::string text_of(const Json& value, std::string_view name) {
  check(value.is_string(), ErrorCode::kData, "\"", name, "\" is ", kind_of(value), "; expected text");
  return value.get<std::string>();
}

/// As Python's int() reads it.
int64_t number_of(const Json& label) {
  if (label.is_number_integer()) return label.get<int64_t>();
  const std::string text = text_of(label, "label");
  const std::string_view digits = python_strip(text);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  check(error == std::errc() && end == digits.data() + digits.size(),
        ErrorCode::kData,
        "\"label\" is \"",
        text,
        "\"; expected the number of the right ending (rows of the test split have none)");
  return number;
}

/// The beginning and its right ending.
std::pair<std::string, std::string> texts_of(const Json& row) {
  const Json& endings = value_of(row, "endings");
  check(endings.is_array(),
        ErrorCode::kData,
        "\"endings\" is ",
        kind_of(endings),
        "; expected a list of texts");
  const int64_t label = number_of(value_of(row, "label"));
  check(label >= 0 && label < static_cast<int64_t>(endings.size()),
        ErrorCode::kData,
        "\"label\" is ",
        label,
        "; there are ",
        endings.size(),
        " endings, the first is 0");
  return {text_of(value_of(row, "ctx"), "ctx"), text_of(endings[static_cast<size_t>(label)], "endings")};
}

}  // namespace

HellaSwagProcessor::HellaSwagProcessor(const config::DatasetConfig& dataset,
                                       const tokenizer::Tokenizer& tokenizer,
                                       const Source& source)
    : tokenizer_(&tokenizer), special_ids_(tokenizer.special_ids()) {
  const bool pads = std::get<config::HellaSwagSet>(dataset.kind).pad_to_max_length;
  const int64_t num_rows = source.num_rows();
  int64_t longest = 0;
  for (int64_t first = 0; first < num_rows; first += kBlockRows) {
    const int64_t block = pads ? kBlockRows : 1;
    longest = std::max(longest, look_at_block(source, first, std::min(first + block, num_rows)));
  }
  if (pads) padded_length_ = (longest + kMultiple - 1) / kMultiple * kMultiple;
}

int64_t HellaSwagProcessor::look_at_block(const Source& source, int64_t first, int64_t last) {
  std::vector<std::string> texts;
  for (int64_t i = first; i < last; ++i) {
    try {
      auto [beginning, ending] = texts_of(source.row(i));
      texts.push_back(std::move(beginning));
      texts.push_back(std::move(ending));
    } catch (const Error& error) {
      fail(error.code(), source.place(i), ": ", error.message());
    }
  }
  std::vector<Pair> pairs = tokenize(texts);
  blocks_.push_back(strip_of(pairs.front()));
  size_t longest = 0;
  for (Pair& pair : pairs) {
    apply(blocks_.back(), pair);
    longest = std::max(longest, pair.beginning.size() + pair.ending.size());
  }
  return static_cast<int64_t>(longest);
}

std::vector<HellaSwagProcessor::Pair> HellaSwagProcessor::tokenize(
    const std::vector<std::string>& texts) const {
  std::vector<std::vector<int32_t>> ids =
      tokenizer_->encode_batch(std::vector<std::string_view>(texts.begin(), texts.end()));
  std::vector<Pair> pairs;
  for (size_t i = 0; i + 1 < ids.size(); i += 2) pairs.push_back({std::move(ids[i]), std::move(ids[i + 1])});
  return pairs;
}

HellaSwagProcessor::Strip HellaSwagProcessor::strip_of(const Pair& first) const {
  const auto is_special = [&](int32_t id) { return std::ranges::binary_search(special_ids_, id); };
  return {.last_of_beginning = !first.beginning.empty() && is_special(first.beginning.back()),
          .first_of_ending = !first.ending.empty() && is_special(first.ending.front())};
}

void HellaSwagProcessor::apply(const Strip& strip, Pair& pair) {
  if (strip.last_of_beginning && !pair.beginning.empty()) pair.beginning.pop_back();
  if (strip.first_of_ending && !pair.ending.empty()) pair.ending.erase(pair.ending.begin());
}

Sample HellaSwagProcessor::process(const Json& row, int64_t index) const {
  auto [beginning, ending] = texts_of(row);
  Pair pair = std::move(tokenize({std::move(beginning), std::move(ending)}).front());
  apply(blocks_.at(static_cast<size_t>(index / kBlockRows)), pair);
  check(!pair.beginning.empty(), ErrorCode::kData, "\"ctx\" gives no token; the ending needs one before it");

  Sample sample;
  sample.labels.assign(pair.beginning.size() - 1, static_cast<int32_t>(kIgnoreIndex));
  sample.labels.insert(sample.labels.end(), pair.ending.begin(), pair.ending.end());
  sample.labels.push_back(static_cast<int32_t>(kIgnoreIndex));
  sample.input_ids = std::move(pair.beginning);
  sample.input_ids.insert(sample.input_ids.end(), pair.ending.begin(), pair.ending.end());
  sample.attention_mask.assign(sample.input_ids.size(), 1);
  if (const auto length = static_cast<size_t>(padded_length_); length > sample.input_ids.size()) {
    sample.input_ids.resize(length, tokenizer_->pad_token_id().value_or(0));
    sample.labels.resize(length, static_cast<int32_t>(kIgnoreIndex));
    sample.attention_mask.resize(length, 0);
  }
  return sample;
}

}  // namespace automodel::data
