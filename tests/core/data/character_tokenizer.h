#pragma once

#include <string>

#include "core/tokenizer/tokenizer.h"
#include "tests/core/data/scratch.h"

namespace automodel::data {

/// What a test's tokenizer is made of.
struct CharacterTokenizer {
  bool adds_bos = false;
  bool adds_eos = false;
  std::string pad_token = "<pad>";
  std::string chat_template = "";
};

/// Tests of processors: a tokenizer whose ids are the characters' ASCII codes, so that samples read as text.
/// <pad> is 0, <s> 1, </s> 2; shown as ~ ^ $.
class WithTokenizer : public Scratch {
 protected:
  tokenizer::Tokenizer make_tokenizer(const CharacterTokenizer& options = {}) const {
    std::string vocabulary = R"("<pad>": 0, "<s>": 1, "</s>": 2, "\n": 10)";
    for (int code = 32; code < 127; ++code) {
      vocabulary += ", " + quoted(std::string(1, static_cast<char>(code))) + ": " + std::to_string(code);
    }
    const auto added = [](const char* token, int id) {
      return R"({"id": )" + std::to_string(id) + R"(, "content": )" + quoted(token) +
             R"(, "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false})";
    };
    const auto special = [](const char* token) {
      return R"({"SpecialToken": {"type_id": 0, "id": )" + quoted(token) + "}}";
    };
    const std::string text = R"({"Sequence": {"id": "A", "type_id": 0}})";
    put("tokenizer/tokenizer.json",
        R"({"version": "1.0", "truncation": null, "padding": null, "normalizer": null, "decoder": null,)"
        R"( "added_tokens": [)" +
            added("<pad>", 0) + ", " + added("<s>", 1) + ", " + added("</s>", 2) +
            R"(], "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "[\\s\\S]"}, "behavior": "Isolated",)"
            R"( "invert": false}, "post_processor": {"type": "TemplateProcessing", "single": [)" +
            (options.adds_bos ? special("<s>") + ", " : "") + text +
            (options.adds_eos ? ", " + special("</s>") : "") +
            R"(], "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],)"
            R"( "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]},)"
            R"( "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}},)"
            R"( "model": {"type": "WordLevel", "unk_token": "?", "vocab": {)" +
            vocabulary + "}}}");
    put("tokenizer/tokenizer_config.json",
        R"({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>",)"
        R"( "model_max_length": 1000, "pad_token": )" +
            quoted(options.pad_token) +
            (options.chat_template.empty() ? "" : R"(, "chat_template": )" + quoted(options.chat_template)) +
            "}");
    return tokenizer::Tokenizer::load(folder_ / "tokenizer");
  }

  template <class Ids>
  static std::string shown(const Ids& ids) {
    std::string text;
    for (const auto id : ids) text += id == -100 ? '_' : id <= 2 ? "~^$"[id] : static_cast<char>(id);
    return text;
  }

 private:
  /// As a JSON string.
  static std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    return out + '"';
  }
};

}  // namespace automodel::data
