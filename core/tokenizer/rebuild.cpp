#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/tokenizer/hub_class.h"

namespace automodel::tokenizer {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/// How Qwen2 cuts text before merging.
constexpr const char* kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// Qwen3.5 keeps combining marks with their letters.
constexpr const char* kQwen35Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

json byte_level(bool add_prefix_space, bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", add_prefix_space},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}

json sequence(const char* key, std::initializer_list<json> parts) {
  json list = json::array();
  for (const json& part : parts) list.push_back(part);
  return {{"type", "Sequence"}, {key, list}};
}

json replace(const char* from, const char* to) {
  return {{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
}

bool flag(const ordered_json& config, const char* key, bool missing) {
  return config.contains(key) && config[key].is_boolean() ? config[key].get<bool>() : missing;
}

/// Merges as pairs; older files write them as "left right".
json pairs(const json& merges) {
  json result = json::array();
  for (const json& merge : merges) {
    if (!merge.is_string()) {
      result.push_back(merge);
      continue;
    }
    const std::string text = merge.get<std::string>();
    const size_t space = text.find(' ');
    check(space != std::string::npos && text.find(' ', space + 1) == std::string::npos,
          ErrorCode::kFormat,
          "the merge \"",
          text,
          "\" is not two pieces with one blank between");
    result.push_back({text.substr(0, space), text.substr(space + 1)});
  }
  return result;
}

void use_byte_level(json& built, const std::string& name, bool add_prefix_space) {
  built["decoder"] = byte_level(true, true);
  if (name == "Qwen2Tokenizer" || name == "Qwen3_5Tokenizer") {
    const json split = {{"type", "Split"},
                        {"pattern", {{"Regex", name == "Qwen2Tokenizer" ? kQwen2Pattern : kQwen35Pattern}}},
                        {"behavior", "Isolated"},
                        {"invert", false}};
    built["pre_tokenizer"] = sequence("pretokenizers", {split, byte_level(add_prefix_space, false)});
  } else if (name == "CohereTokenizer") {
    const json digits = {{"type", "Digits"}, {"individual_digits", true}};
    built["pre_tokenizer"] = sequence("pretokenizers", {digits, byte_level(add_prefix_space, true)});
  } else {
    built["pre_tokenizer"] = byte_level(add_prefix_space, true);
  }
  if (name != "GPT2Tokenizer" && name != "CodeGenTokenizer") built["normalizer"] = {{"type", "NFC"}};
}

void use_metaspace(json& built, const std::string& name, const ordered_json& config) {
  const bool add_prefix_space = flag(config, "add_prefix_space", true);
  const bool is_code = name == "CodeLlamaTokenizer";
  const bool is_legacy = !is_code && flag(config, "legacy", false);
  const char* scheme = !add_prefix_space ? "never" : is_legacy ? "always" : "first";
  built["pre_tokenizer"] = {
      {"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", scheme}, {"split", false}};
  built["decoder"] =
      sequence("decoders", {replace("\u2581", " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}});
  if (add_prefix_space || is_code) {
    built["decoder"]["decoders"].push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
}

void use_gemma(json& built) {
  built["normalizer"] = replace(" ", "\u2581");
  built["pre_tokenizer"] = {{"type", "Split"},
                            {"pattern", {{"String", " "}}},
                            {"behavior", "MergedWithPrevious"},
                            {"invert", false}};
  built["decoder"] =
      sequence("decoders", {replace("\u2581", " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}});
}

}  // namespace

json rebuild_tokenizer(const std::string& tokenizer_class,
                       json source,
                       const ordered_json& config,
                       const std::string& unk_token) {
  const bool is_llama = tokenizer_class == "LlamaTokenizer" || tokenizer_class == "CodeLlamaTokenizer";
  const bool is_gemma = tokenizer_class == "GemmaTokenizer";
  const bool has_pieces = is_llama || is_gemma;
  json model = {{"type", "BPE"},
                {"dropout", nullptr},
                {"unk_token", nullptr},
                {"continuing_subword_prefix", nullptr},
                {"end_of_word_suffix", nullptr},
                {"fuse_unk", has_pieces},
                {"byte_fallback", has_pieces},
                {"ignore_merges", false}};
  model["vocab"] = std::move(source["model"]["vocab"]);
  model["merges"] = pairs(source["model"]["merges"]);
  if ((is_gemma || tokenizer_class == "CodeLlamaTokenizer") && !unk_token.empty())
    model["unk_token"] = unk_token;

  json built = {{"version", "1.0"},
                {"truncation", nullptr},
                {"padding", nullptr},
                {"added_tokens", json::array()},
                {"normalizer", nullptr},
                {"pre_tokenizer", nullptr},
                {"post_processor", source.contains("post_processor") ? source["post_processor"] : json()},
                {"decoder", nullptr}};
  built["model"] = std::move(model);
  if (is_llama) {
    use_metaspace(built, tokenizer_class, config);
  } else if (is_gemma) {
    use_gemma(built);
  } else {
    use_byte_level(built, tokenizer_class, flag(config, "add_prefix_space", false));
  }
  return built;
}

}  // namespace automodel::tokenizer
