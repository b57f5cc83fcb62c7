#pragma once

#include <string_view>
#include <vector>

namespace automodel::config {

/// A word of another trainer's configuration (Transformers' Trainer, TRL, PEFT, axolotl, LLaMA-Factory).
struct ForeignWord {
  std::string_view word;  ///< with underscores
  std::string_view here;  ///< the key that says the same in a recipe; empty: there is none
  std::string_view note;  ///< what to know beside it, or why there is no key; may be empty
};

const std::vector<ForeignWord>& foreign_words();

/// The row of a key, dashes read as underscores; null when it is no such word.
const ForeignWord* find_foreign_word(std::string_view key);

}  // namespace automodel::config
