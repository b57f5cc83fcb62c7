#include "core/data/token_ids.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/data/batch.h"

namespace automodel::data {
namespace {

constexpr const char* kWaysOut =
    "give the model more rows (resize_token_embeddings of transformers), or take such tokens out of the tokenizer";

/// The first few tokens behind the model's last row.
std::string some_tokens(const tokenizer::Tokenizer& tokenizer, int64_t vocab_size) {
  constexpr int64_t kShown = 3;
  std::vector<std::string> shown;
  for (int64_t id = vocab_size; id < std::min(vocab_size + kShown, tokenizer.vocab_size()); ++id) {
    const std::string text = tokenizer.decode({static_cast<int32_t>(id)}, /*skip_special_tokens=*/false);
    shown.push_back(detail::join(id, " \"", text, "\""));
  }
  return join(shown, ", ");
}

}  // namespace

void check_ids(std::span<const int32_t> ids, int64_t vocab_size) {
  if (vocab_size == 0) return;
  const auto bad = std::ranges::find_if(
      ids, [&](int32_t id) { return id != kIgnoreIndex && (id < 0 || id >= vocab_size); });
  check(bad == ids.end(),
        ErrorCode::kData,
        "token ",
        bad == ids.end() ? 0 : *bad,
        " at position ",
        bad - ids.begin(),
        ": the model's embedding has ",
        vocab_size,
        " rows; ",
        kWaysOut);
}

void check_vocabulary(const tokenizer::Tokenizer& tokenizer, int64_t vocab_size, bool pads) {
  if (vocab_size == 0) return;
  const int64_t pad = tokenizer.pad_token_id().value_or(0);
  check(
      pad < vocab_size || !pads,
      ErrorCode::kData,
      "the tokenizer's padding token \"",
      tokenizer.pad_token(),
      "\" is ",
      pad,
      ", the model's embedding has ",
      vocab_size,
      " rows, and rows of a micro-batch are padded with it: name another pad_token in tokenizer_config.json, or ",
      kWaysOut);
  const int64_t more = tokenizer.vocab_size() - vocab_size;
  if (more <= 0) return;
  log::warning("the tokenizer has ",
               tokenizer.vocab_size(),
               " tokens, the model's embedding ",
               vocab_size,
               " rows: a row with one of the others (",
               some_tokens(tokenizer, vocab_size),
               more > 3 ? ", ..." : "",
               ") ends the run; ",
               kWaysOut);
}

}  // namespace automodel::data
