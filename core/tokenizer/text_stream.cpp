#include "core/tokenizer/text_stream.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace automodel::tokenizer {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// `text` without replacement characters at its end: they may stand for a character that is not complete.
std::string_view without_open_end(std::string_view text) {
  while (text.ends_with(kReplacement)) text.remove_suffix(kReplacement.size());
  return text;
}

/// Length of the longest end of `text` that some stop text begins with.
size_t possible_stop(std::string_view text, const std::vector<std::string>& stops) {
  size_t longest = 0;
  for (const std::string& stop : stops) {
    for (size_t length = std::min(text.size(), stop.size() - 1); length > longest; --length) {
      if (text.ends_with(std::string_view(stop).substr(0, length))) longest = length;
    }
  }
  return longest;
}

}  // namespace

TextStream::TextStream(const Tokenizer& tokenizer, std::vector<std::string> stops)
    : tokenizer_(tokenizer), stops_(std::move(stops)) {
  for (const std::string& stop : stops_) {
    check(!stop.empty(), ErrorCode::kInvalidArgument, "a stop text is empty");
  }
}

std::string TextStream::push(int32_t id) {
  if (stopped_) return {};
  window_.push_back(id);
  return release(decode_new(false), false);
}

std::string TextStream::finish() {
  if (stopped_) return {};
  return release(decode_new(true), true);
}

std::string TextStream::decode_new(bool last) {
  const std::string text = tokenizer_.decode(window_, true);
  const std::string_view certain = last ? std::string_view(text) : without_open_end(text);
  // A byte that makes earlier ones invalid can shorten the text for a while: nothing to add then.
  std::string added;
  if (certain.size() > out_.size()) added = certain.substr(out_.size());
  out_ += added;
  if (certain.size() == text.size() && !added.empty()) {
    // The next window begins with the ids that came after the last whole text.
    window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(num_settled_));
    num_settled_ = window_.size();
    out_ = tokenizer_.decode(window_, true);
  }
  return added;
}

std::string TextStream::release(const std::string& decoded, bool last) {
  held_ += decoded;
  size_t end = std::string::npos;
  for (const std::string& stop : stops_) end = std::min(end, held_.find(stop));
  stopped_ = end != std::string::npos;
  if (!stopped_) end = held_.size() - (last ? 0 : possible_stop(held_, stops_));
  std::string out = held_.substr(0, end);
  held_.erase(0, end);
  return out;
}

}  // namespace automodel::tokenizer
