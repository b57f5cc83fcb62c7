#include "core/data/turn_weight.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/data/notices.h"
#include "core/io/python_json.h"

namespace automodel::data {
namespace {

using Json = nlohmann::ordered_json;

struct Word {
  std::string_view key;
  bool always_a_weight;  ///< the others may be something else, a recorded loss for instance
};

constexpr std::array<Word, 7> kWords = {{{"step_loss_mask", true},
                                         {"weight", true},
                                         {"train", true},
                                         {"training", false},
                                         {"trainable", false},
                                         {"loss", false},
                                         {"loss_mask", false}}};

const Word* find_word(std::string_view key) {
  const auto found = std::ranges::find(kWords, key, &Word::key);
  return found == kWords.end() ? nullptr : &*found;
}

/// 0 and false are no, 1 and true are yes.
std::optional<bool> yes_or_no(const Json& value) {
  if (value == false || value == 0) return false;
  if (value == true || value == 1) return true;
  return std::nullopt;
}

bool looks_like_a_weight(std::string_view key) {
  return std::ranges::any_of(std::array{"loss", "weight", "mask", "train"},
                             [&](const char* part) { return key.find(part) != std::string_view::npos; });
}

}  // namespace

bool is_learnt(const Json& message, const std::string& where) {
  bool learnt = true;
  for (const auto& [key, value] : message.items()) {
    if (value.is_null()) continue;
    const Word* word = find_word(key);
    const std::optional<bool> said = word != nullptr ? yes_or_no(value) : std::nullopt;
    if (said) {
      learnt = learnt && *said;
      continue;
    }
    check(word == nullptr || !word->always_a_weight,
          ErrorCode::kData,
          where,
          ".",
          key,
          " is ",
          io::write_python_json(value),
          "; expected 0 (this turn is not learnt) or 1: weights between are not supported");
    if (looks_like_a_weight(key))
      warn_once("dataset: \"" + key +
                "\" of the turns is not read; \"weight\": 0 takes a turn out of what is learnt");
  }
  return learnt;
}

void notice_weight_of_others(const Json& message) {
  for (const Word& word : kWords) {
    const auto found = message.find(word.key);
    if (!word.always_a_weight || found == message.end() || yes_or_no(*found) != true) continue;
    warn_once(
        "dataset: \"" + std::string(word.key) +
        "\" of a turn that is not the assistant's is not read: " + "only the assistant's turns are learnt");
  }
}

}  // namespace automodel::data
