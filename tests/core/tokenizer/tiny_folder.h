#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace automodel::tokenizer {

/// A tokenizer folder of a test: three letters, one merge, written on the fly and removed at the end.
class TinyFolder {
 public:
  TinyFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tiny_tokenizer_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::filesystem::filesystem_error(name, std::error_code());
    path_ = name;
  }

  ~TinyFolder() { std::filesystem::remove_all(path_); }

  TinyFolder(const TinyFolder&) = delete;
  TinyFolder& operator=(const TinyFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  void write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << content;
  }

  /// Byte-level vocabulary: a, b, ab, blank, and the two bytes of "\u00e9".
  void write_pair() const {
    write("vocab.json", R"({"a": 0, "b": 1, "ab": 2, "\u0120": 3, "\u00c3": 4, "\u00a9": 5})");
    write("merges.txt", "#version: 0.2\na b\n");
  }

  /// The same letters in a tokenizer.json that puts <s> first, with </s> as a special token.
  void write_json() const {
    write("tokenizer.json", R"({
      "version": "1.0", "truncation": null, "padding": null,
      "added_tokens": [
        {"id": 6, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
        {"id": 7, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
      "normalizer": null,
      "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
      "post_processor": {"type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [6], "tokens": ["<s>"]}}},
      "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
      "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
        "vocab": {"a": 0, "b": 1, "ab": 2, "\u0120": 3, "\u00c3": 4, "\u00a9": 5}, "merges": [["a", "b"]]}})");
  }

 private:
  std::filesystem::path path_;
};

}  // namespace automodel::tokenizer
