#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace automodel::tokenizer {

/// The result of rendering a chat template.
struct Rendered {
  std::string text;  ///< UTF-8
  /// What stood between {% generation %} and {% endgeneration %}: [begin, end) in Unicode code points of
  /// `text`.
  std::vector<std::pair<int64_t, int64_t>> assistant_spans;
  /// For each of them the index in `messages` of the one whose round of a loop wrote it; -1: none.
  std::vector<int64_t> span_messages;
};

/// A compiled Jinja chat template with transformers' settings. Immutable: any thread may call `render`.
class ChatTemplate {
 public:
  /// `source` is Jinja text. Throws Error(kFormat) naming line and cause when it does not compile.
  explicit ChatTemplate(std::string_view source);
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  /// `variables` is a JSON object: messages, tools, documents, add_generation_prompt, bos_token, ...
  /// Keys keep their order. Throws Error(kData) with the template's own message for raise_exception, and for
  /// any other failure (undefined attribute, instruction limit).
  Rendered render(const nlohmann::ordered_json& variables) const;

  /// Whether the source holds a {% generation %} block.
  bool has_generation_block() const;

  /// Whether the source holds this word anywhere.
  bool names(std::string_view word) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Token ids with the place each came from.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<std::pair<int64_t, int64_t>> offsets;  ///< [begin, end) in Unicode code points, one an id
};

/// A Hugging Face tokenizer folder as transformers' AutoTokenizer loads it. Immutable: any thread may call.
class Tokenizer {
 public:
  /// `path`: a folder with tokenizer.json or vocab.json + merges.txt (and tokenizer_config.json,
  /// special_tokens_map.json, chat_template.jinja when present), or one tokenizer.json file.
  /// Throws Error(kFormat) for a malformed file and Error(kUnsupported), naming the kind, for a folder that
  /// holds only a SentencePiece or tiktoken model.
  static Tokenizer load(const std::filesystem::path& path);

  /// Loads as above; nothing where the folder has no files that `load` reads: ids need no tokenizer.
  static std::optional<Tokenizer> load_if_present(const std::filesystem::path& path);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  /// `text` as UTF-8, with the post-processor's special tokens when asked.
  std::vector<int32_t> encode(std::string_view text, bool add_special_tokens = true) const;

  /// `encode` of each text, in parallel.
  std::vector<std::vector<int32_t>> encode_batch(const std::vector<std::string_view>& texts,
                                                 bool add_special_tokens = true) const;

  /// As `encode`, with offsets.
  Encoding encode_with_offsets(std::string_view text, bool add_special_tokens = true) const;

  std::string decode(const std::vector<int32_t>& ids, bool skip_special_tokens) const;

  /// Overrides of tokenizer.add_bos_token / add_eos_token; nullopt leaves what the folder says.
  void set_add_special(std::optional<bool> add_bos_token, std::optional<bool> add_eos_token);

  std::optional<int32_t> bos_token_id() const;
  std::optional<int32_t> eos_token_id() const;

  /// The pad token; the eos token when none is set, as in the reference; nullopt when there is neither.
  std::optional<int32_t> pad_token_id() const;

  /// Ids of the folder's special tokens, those that have a name and the extra ones: transformers'
  /// all_special_ids. Ascending.
  std::vector<int32_t> special_ids() const;

  std::string bos_token() const;  ///< empty when none
  std::string eos_token() const;
  std::string pad_token() const;

  /// transformers' attribute add_bos_token, which can be false where a post-processor adds the token: true
  /// when set_add_special asked for it, when tokenizer_config.json does and there is no tokenizer.json, and
  /// for CodeLlamaTokenizer.
  bool add_bos_token() const;

  /// Number of ids, added tokens included.
  int64_t vocab_size() const;

  std::optional<int32_t> token_to_id(std::string_view token) const;

  /// The folder's default chat template, or null.
  const ChatTemplate* chat_template() const;

  /// Replaces the chat template (dataset.chat_template).
  void set_chat_template(std::string_view jinja_source);

  /// As transformers' apply_chat_template: with the special tokens (bos_token, eos_token, ...) under
  /// `variables`; with `own`, when given, in place of the folder's template.
  Rendered render_chat(const nlohmann::ordered_json& variables, const ChatTemplate* own = nullptr) const;

  /// The files a saved checkpoint copies: tokenizer.json, tokenizer_config.json, ... that exist in the
  /// folder.
  const std::vector<std::filesystem::path>& files() const;

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace automodel::tokenizer
