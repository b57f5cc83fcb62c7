#include "core/tokenizer/load_backend.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/tokenizer/hub_class.h"

namespace automodel::tokenizer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

ffi::TokenizerHandle from_json(std::string_view text, const fs::path& file) {
  ffi::CallError error;
  ffi::TokenizerHandle backend(am_tokenizer_from_json(ffi::view(text), error));
  error.check_file(ErrorCode::kFormat, file.string());
  return backend;
}

ordered_json to_json(const AddedToken& token) {
  return {{"content", token.content},
          {"single_word", token.single_word},
          {"lstrip", token.lstrip},
          {"rstrip", token.rstrip},
          {"normalized", token.normalized},
          {"special", token.special}};
}

void add_tokens(am_tokenizer* backend, const std::vector<AddedToken>& tokens, const fs::path& place) {
  if (tokens.empty()) return;
  ordered_json list = ordered_json::array();
  for (const AddedToken& token : tokens) list.push_back(to_json(token));
  ffi::CallError error;
  am_tokenizer_add_tokens(backend, ffi::view(list.dump()), error);
  error.check_file(ErrorCode::kFormat, place.string() + ": added tokens");
}

std::vector<AddedToken> added_tokens_of(am_tokenizer* backend, const fs::path& place) {
  ffi::CallError error;
  const ffi::TextHandle text(am_tokenizer_added_tokens(backend, error));
  error.check(ErrorCode::kInternal, place.string());
  std::vector<AddedToken> tokens;
  for (const ordered_json& token : ordered_json::parse(ffi::text(am_text_view(text.get())))) {
    tokens.push_back(read_added_token(token, place.string()));
  }
  return tokens;
}

/// The tokens of added_tokens.json ({"token": id}) and those `listed` in a tokenizer.json, by id.
std::map<int64_t, AddedToken> legacy_added_tokens(const HubFolder& folder, const json& listed) {
  std::map<int64_t, AddedToken> tokens;
  if (const fs::path file = folder.path / "added_tokens.json"; fs::exists(file)) {
    std::set<std::string> special;
    for (const auto& [key, token] : folder.special_tokens) special.insert(token.content);
    for (const AddedToken& token : folder.extra_special_tokens) special.insert(token.content);
    const ordered_json added = read_ordered_json(file);
    for (const auto& [content, id] : added.items()) {
      check(id.is_number_integer(), ErrorCode::kFormat, file.string(), ": ", content, ": expected an id");
      AddedToken token{.content = content};
      token.special = special.contains(content);
      token.normalized = !token.special;
      tokens[id.get<int64_t>()] = token;
    }
  }
  for (const json& token : listed) {
    tokens[token.value("id", int64_t{0})] =
        read_added_token(token, (folder.path / "tokenizer.json").string() + ": added_tokens");
  }
  return tokens;
}

/// Added tokens in order of their ids, then special tokens that no list has named.
void add_folder_tokens(am_tokenizer* backend,
                       const HubFolder& folder,
                       const std::map<int64_t, AddedToken>& added) {
  std::set<std::string> known;
  for (const AddedToken& token : added_tokens_of(backend, folder.path)) known.insert(token.content);
  std::set<std::string> named;
  for (const auto& [key, token] : folder.special_tokens) named.insert(token.content);

  std::vector<AddedToken> tokens;
  for (auto [id, token] : added) {
    token.special = token.special || named.contains(token.content);
    known.insert(token.content);
    tokens.push_back(token);
  }
  const auto add_missing = [&](const AddedToken& token) {
    if (known.insert(token.content).second) tokens.push_back(token);
  };
  for (const auto& [key, token] : folder.special_tokens) add_missing(token);
  for (const AddedToken& token : folder.extra_special_tokens) add_missing(token);
  add_tokens(backend, tokens, folder.path);

  if (folder.tokenizer_class == "Qwen2Tokenizer") {
    // This class marks its special tokens once more, without their strip flags.
    std::vector<AddedToken> plain;
    for (const auto& [key, token] : folder.special_tokens) plain.push_back({.content = token.content});
    for (const AddedToken& token : folder.extra_special_tokens) plain.push_back({.content = token.content});
    add_tokens(backend, plain, folder.path);
  }
}

/// vocab.json and merges.txt in the form of a tokenizer.json.
json read_vocab_and_merges(const fs::path& folder) {
  const fs::path file = folder / "merges.txt";
  json merges = json::array();
  for (const std::string& line : split(read_file(file), '\n')) {
    const std::string_view merge =
        line.ends_with('\r') ? std::string_view(line).substr(0, line.size() - 1) : line;
    if (merge.empty() || merge.starts_with("#version")) continue;
    merges.push_back(merge);
  }
  return {{"model", {{"vocab", read_tokenizer_json(folder / "vocab.json", true)}, {"merges", merges}}}};
}

[[noreturn]] void refuse(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::ranges::sort(files);
  const auto refuse_as = [](const fs::path& file, const char* kind) {
    fail(
        ErrorCode::kUnsupported,
        file.string(),
        ": ",
        kind,
        " alone is not supported; expected tokenizer.json (or vocab.json with merges.txt) in the folder. transformers writes one: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)");
  };
  for (const fs::path& file : files) {
    const std::string name = file.filename().string();
    if (name == "tekken.json") refuse_as(file, "a Tekken (tiktoken) vocabulary");
    if (name.find("tiktoken") != std::string::npos) refuse_as(file, "a tiktoken vocabulary");
    if (name.find(".model") != std::string::npos) refuse_as(file, "a SentencePiece model");
    if (name == "vocab.txt") refuse_as(file, "a WordPiece vocabulary");
  }
  fail(ErrorCode::kFormat,
       folder.string(),
       ": no tokenizer; expected tokenizer.json, or vocab.json with merges.txt");
}

ffi::TokenizerHandle rebuilt(const HubFolder& folder, json source, const fs::path& file) {
  const json built = rebuild_tokenizer(
      folder.tokenizer_class, std::move(source), folder.config, folder.special_token("unk_token"));
  return from_json(built.dump(), file);
}

bool is_bpe(const json& source) {
  return source.contains("model") && source["model"].is_object() && source["model"].contains("merges") &&
         source["model"].contains("vocab") && source["model"]["vocab"].is_object();
}

}  // namespace

ffi::TokenizerHandle load_tokenizer_file(const fs::path& file) {
  return from_json(read_file(file), file);
}

void set_post_processor(am_tokenizer* backend, std::string_view first, std::string_view last) {
  ffi::CallError error;
  am_tokenizer_set_template(backend, ffi::view(first), ffi::view(last), error);
  error.check_file(ErrorCode::kFormat, "special tokens");
}

ffi::TokenizerHandle load_backend(const HubFolder& folder) {
  const fs::path file = folder.path / "tokenizer.json";
  ffi::TokenizerHandle backend;
  json listed = json::array();
  if (fs::exists(file)) {
    json source = folder.tokenizer_class.empty() ? json::object() : read_tokenizer_json(file, true);
    if (source.contains("added_tokens")) listed = source["added_tokens"];
    backend = is_bpe(source) ? rebuilt(folder, std::move(source), file) : load_tokenizer_file(file);
  } else if (fs::exists(folder.path / "vocab.json") && fs::exists(folder.path / "merges.txt")) {
    backend = rebuilt(folder, read_vocab_and_merges(folder.path), folder.path / "vocab.json");
  } else {
    refuse(folder.path);
  }
  add_folder_tokens(backend.get(),
                    folder,
                    folder.added_tokens ? *folder.added_tokens : legacy_added_tokens(folder, listed));
  if (!fs::exists(file)) {  // behind the added tokens: bos and eos may be among them
    const auto wants = [&](const char* key, const char* token) {
      return folder.config.value(key, false) ? folder.special_token(token) : std::string();
    };
    set_post_processor(
        backend.get(), wants("add_bos_token", "bos_token"), wants("add_eos_token", "eos_token"));
  }
  if (folder.tokenizer_class == "GPTNeoXTokenizer" && fs::exists(file))
    set_post_processor(backend.get(), "", "");
  // This class asks for bos itself, whatever the files say.
  if (folder.tokenizer_class == "CodeLlamaTokenizer")
    set_post_processor(backend.get(), folder.special_token("bos_token"), "");
  if (folder.config.value("split_special_tokens", false)) am_tokenizer_set_split_special(backend.get(), true);
  return backend;
}

}  // namespace automodel::tokenizer
