#pragma once

#include <string>

#include <nlohmann/json.hpp>

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
    using Json = nlohmann::json;
    Json vocabulary = {{"<pad>", 0}, {"<s>", 1}, {"</s>", 2}, {"\n", 10}};
    for (int code = 32; code < 127; ++code) vocabulary[std::string(1, static_cast<char>(code))] = code;
    Json added = Json::array();
    for (const char* token : {"<pad>", "<s>", "</s>"}) {
      added.push_back({{"id", added.size()},
                       {"content", token},
                       {"special", true},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false},
                       {"normalized", false}});
    }
    Json single = Json::array({Json{{"Sequence", {{"id", "A"}, {"type_id", 0}}}}});
    const auto special = [](const char* token) {
      return Json{{"SpecialToken", {{"id", token}, {"type_id", 0}}}};
    };
    if (options.adds_bos) single.insert(single.begin(), special("<s>"));
    if (options.adds_eos) single.push_back(special("</s>"));
    const Json pair = Json::array({Json{{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
                                   Json{{"Sequence", {{"id", "B"}, {"type_id", 1}}}}});
    const auto entry = [](const char* token, int id) {
      return Json{{"id", token}, {"ids", Json::array({id})}, {"tokens", Json::array({token})}};
    };
    const Json tokenizer = {{"version", "1.0"},
                            {"truncation", nullptr},
                            {"padding", nullptr},
                            {"added_tokens", added},
                            {"normalizer", nullptr},
                            {"pre_tokenizer",
                             {{"type", "Split"},
                              {"pattern", {{"Regex", "[\\s\\S]"}}},
                              {"behavior", "Isolated"},
                              {"invert", false}}},
                            {"post_processor",
                             {{"type", "TemplateProcessing"},
                              {"single", single},
                              {"pair", pair},
                              {"special_tokens", {{"<s>", entry("<s>", 1)}, {"</s>", entry("</s>", 2)}}}}},
                            {"decoder", nullptr},
                            {"model", {{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", "?"}}}};
    Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                   {"bos_token", "<s>"},
                   {"eos_token", "</s>"},
                   {"pad_token", options.pad_token},
                   {"model_max_length", 1000}};
    if (!options.chat_template.empty()) config["chat_template"] = options.chat_template;
    put("tokenizer/tokenizer.json", tokenizer.dump());
    put("tokenizer/tokenizer_config.json", config.dump());
    return tokenizer::Tokenizer::load(folder_ / "tokenizer");
  }

  template <class Ids>
  static std::string shown(const Ids& ids) {
    std::string text;
    for (const auto id : ids) text += id == -100 ? '_' : id <= 2 ? "~^$"[id] : static_cast<char>(id);
    return text;
  }
};

}  // namespace automodel::data
