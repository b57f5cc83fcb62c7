#include "core/tokenizer/tokenizer.h"

#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "core/base/log.h"
#include "core/tokenizer/chat_folder.h"
#include "core/tokenizer/ffi_handle.h"
#include "core/tokenizer/hub_folder.h"
#include "core/tokenizer/load_backend.h"

namespace automodel::tokenizer {
namespace {

namespace fs = std::filesystem;

/// Files that belong to a tokenizer, in the order they are listed.
constexpr const char* kTokenizerFiles[] = {"tokenizer.json",
                                           "tokenizer_config.json",
                                           "special_tokens_map.json",
                                           "added_tokens.json",
                                           "vocab.json",
                                           "merges.txt",
                                           "tokenizer.model",
                                           "chat_template.jinja"};

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const char* name : kTokenizerFiles) {
    if (fs::exists(folder / name)) files.push_back(folder / name);
  }
  return files;
}

/// What a folder says for the attribute: transformers passes tokenizer_config.json's add_bos_token over where
/// a tokenizer.json, whose post-processor decides what is added, is at hand.
bool wants_bos(const HubFolder& folder) {
  if (folder.special_token("bos_token").empty()) return false;
  if (folder.tokenizer_class == "CodeLlamaTokenizer") return true;
  const auto wanted = folder.config.find("add_bos_token");
  return !fs::exists(folder.path / "tokenizer.json") && wanted != folder.config.end() && *wanted == true;
}

std::vector<int32_t> ids_of(const am_encoding* encoding, size_t index) {
  const uint32_t* ids = am_encoding_ids(encoding, index);
  return {ids, ids + am_encoding_length(encoding, index)};
}

}  // namespace

struct Tokenizer::Impl {
  ffi::TokenizerHandle backend;
  HubFolder folder;
  ChatFolder chat;
  std::vector<fs::path> files;
  bool adds_bos = false;
  bool adds_eos = false;
  bool add_bos_token = false;  ///< the attribute

  ffi::EncodingHandle encode(const std::vector<am_view>& texts,
                             bool add_special_tokens,
                             bool with_offsets) const {
    ffi::CallError error;
    ffi::EncodingHandle encoding(am_tokenizer_encode(
        backend.get(), texts.data(), texts.size(), add_special_tokens, with_offsets, error));
    error.check_file(ErrorCode::kData, "tokenizer");
    return encoding;
  }

  std::optional<int32_t> id_of(std::string_view token) const {
    if (token.empty()) return std::nullopt;
    const int64_t id = am_tokenizer_token_to_id(backend.get(), ffi::view(token));
    if (id < 0) return std::nullopt;
    return static_cast<int32_t>(id);
  }

  /// Asks the post-processor itself what it puts around a text.
  void look_at_post_processor() {
    const std::vector<int32_t> plain = ids_of(encode({ffi::view("a")}, false, false).get(), 0);
    const std::vector<int32_t> full = ids_of(encode({ffi::view("a")}, true, false).get(), 0);
    const auto bos = id_of(folder.special_token("bos_token"));
    const auto eos = id_of(folder.special_token("eos_token"));
    const bool has_more = full.size() > plain.size();
    adds_bos = has_more && bos && full.front() == *bos && (plain.empty() || plain.front() != *bos);
    adds_eos = has_more && eos && full.back() == *eos && (plain.empty() || plain.back() != *eos);
  }
};

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Tokenizer Tokenizer::load(const fs::path& path) {
  auto impl = std::make_unique<Impl>();
  if (fs::is_regular_file(path)) {
    impl->backend = load_tokenizer_file(path);
    impl->files = {path};
  } else {
    impl->folder = read_hub_folder(path);
    impl->backend = load_backend(impl->folder);
    impl->chat = ChatFolder(impl->folder);
    impl->files = files_of(path);
    impl->add_bos_token = wants_bos(impl->folder);
  }
  try {
    impl->look_at_post_processor();
  } catch (const Error& error) {
    // The library does not check all that it reads: a panic on the first text is the file's fault.
    fail(ErrorCode::kFormat, path.string(), ": no text can be encoded with it: ", error.message());
  }
  return Tokenizer(std::move(impl));
}

std::optional<Tokenizer> Tokenizer::load_if_present(const fs::path& path) {
  const bool is_pair = fs::exists(path / "vocab.json") && fs::exists(path / "merges.txt");
  const bool is_present = fs::is_regular_file(path) || fs::exists(path / "tokenizer.json") || is_pair;
  return is_present ? std::optional(load(path)) : std::nullopt;
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, bool add_special_tokens) const {
  return ids_of(impl_->encode({ffi::view(text)}, add_special_tokens, false).get(), 0);
}

std::vector<std::vector<int32_t>> Tokenizer::encode_batch(const std::vector<std::string_view>& texts,
                                                          bool add_special_tokens) const {
  std::vector<am_view> views;
  views.reserve(texts.size());
  for (std::string_view text : texts) views.push_back(ffi::view(text));
  const ffi::EncodingHandle encoding = impl_->encode(views, add_special_tokens, false);
  std::vector<std::vector<int32_t>> ids;
  ids.reserve(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) ids.push_back(ids_of(encoding.get(), i));
  return ids;
}

Encoding Tokenizer::encode_with_offsets(std::string_view text, bool add_special_tokens) const {
  const ffi::EncodingHandle encoding = impl_->encode({ffi::view(text)}, add_special_tokens, true);
  Encoding result;
  result.ids = ids_of(encoding.get(), 0);
  const uint64_t* offsets = am_encoding_offsets(encoding.get(), 0);
  for (size_t i = 0; i < result.ids.size(); ++i) {
    result.offsets.emplace_back(offsets[2 * i], offsets[2 * i + 1]);
  }
  return result;
}

std::string Tokenizer::decode(const std::vector<int32_t>& ids, bool skip_special_tokens) const {
  const std::vector<uint32_t> unsigned_ids(ids.begin(), ids.end());
  ffi::CallError error;
  const ffi::TextHandle text(am_tokenizer_decode(
      impl_->backend.get(), unsigned_ids.data(), unsigned_ids.size(), skip_special_tokens, error));
  error.check_file(ErrorCode::kData, "tokenizer");
  return std::string(ffi::text(am_text_view(text.get())));
}

void Tokenizer::set_add_special(std::optional<bool> add_bos_token, std::optional<bool> add_eos_token) {
  if (!add_bos_token && !add_eos_token) return;
  const auto wanted = [](std::optional<bool> asked, bool now, const char* name, const std::string& token) {
    if (!asked.value_or(now)) return std::string();
    if (token.empty()) {
      // transformers passes over it silently.
      log::warning("tokenizer.add_", name, " is true, but the tokenizer has no ", name, ": nothing is added");
    }
    return token;
  };
  set_post_processor(impl_->backend.get(),
                     wanted(add_bos_token, impl_->adds_bos, "bos_token", bos_token()),
                     wanted(add_eos_token, impl_->adds_eos, "eos_token", eos_token()));
  if (add_bos_token) impl_->add_bos_token = *add_bos_token && !bos_token().empty();
  impl_->look_at_post_processor();
}

std::optional<int32_t> Tokenizer::bos_token_id() const {
  return impl_->id_of(bos_token());
}

std::optional<int32_t> Tokenizer::eos_token_id() const {
  return impl_->id_of(eos_token());
}

std::optional<int32_t> Tokenizer::pad_token_id() const {
  return impl_->id_of(pad_token());
}

std::vector<int32_t> Tokenizer::special_ids() const {
  std::set<int32_t> ids;
  const auto add = [&](const AddedToken& token) {
    if (const std::optional<int32_t> id = impl_->id_of(token.content)) ids.insert(*id);
  };
  for (const auto& [name, token] : impl_->folder.special_tokens) add(token);
  for (const AddedToken& token : impl_->folder.extra_special_tokens) add(token);
  return {ids.begin(), ids.end()};
}

std::string Tokenizer::bos_token() const {
  return impl_->folder.special_token("bos_token");
}

std::string Tokenizer::eos_token() const {
  return impl_->folder.special_token("eos_token");
}

std::string Tokenizer::pad_token() const {
  const std::string token = impl_->folder.special_token("pad_token");
  return token.empty() ? eos_token() : token;
}

bool Tokenizer::add_bos_token() const {
  return impl_->add_bos_token;
}

int64_t Tokenizer::vocab_size() const {
  return static_cast<int64_t>(am_tokenizer_vocab_size(impl_->backend.get()));
}

std::optional<int32_t> Tokenizer::token_to_id(std::string_view token) const {
  return impl_->id_of(token);
}

const ChatTemplate* Tokenizer::chat_template() const {
  return impl_->chat.find("default");
}

void Tokenizer::set_chat_template(std::string_view jinja_source) {
  impl_->chat.replace(jinja_source);
}

Rendered Tokenizer::render_chat(const nlohmann::ordered_json& variables, const ChatTemplate* own) const {
  return impl_->chat.render(variables, own);
}

const std::vector<fs::path>& Tokenizer::files() const {
  return impl_->files;
}

}  // namespace automodel::tokenizer
