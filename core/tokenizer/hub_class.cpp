#include "core/tokenizer/hub_class.h"

#include <map>
#include <set>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/tokenizer/hub_folder.h"

namespace automodel::tokenizer {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/// Classes that build their own normalizer, pre-tokenizer and decoder, with their special tokens.
const std::map<std::string, ordered_json, std::less<>>& rebuilt_classes() {
  static const auto* classes = [] {
    const ordered_json end_of_text = {
        {"unk_token", "<|endoftext|>"}, {"bos_token", "<|endoftext|>"}, {"eos_token", "<|endoftext|>"}};
    ordered_json neox = end_of_text;
    neox["pad_token"] = "<|padding|>";
    const ordered_json qwen = {
        {"unk_token", "<|endoftext|>"}, {"eos_token", "<|endoftext|>"}, {"pad_token", "<|endoftext|>"}};
    return new std::map<std::string, ordered_json, std::less<>>{
        {"GPT2Tokenizer", end_of_text},
        {"CodeGenTokenizer", end_of_text},
        {"GPTNeoXTokenizer", neox},
        {"Qwen2Tokenizer", qwen},
        {"Qwen3_5Tokenizer", qwen},
        {"LlamaTokenizer", {{"unk_token", "<unk>"}, {"bos_token", "<s>"}, {"eos_token", "</s>"}}},
        {"CodeLlamaTokenizer", {{"unk_token", "<unk>"}, {"bos_token", "<s>"}, {"eos_token", "</s>"}}},
        {"GemmaTokenizer",
         {{"unk_token", "<unk>"},
          {"bos_token", "<bos>"},
          {"eos_token", "<eos>"},
          {"pad_token", "<pad>"},
          {"mask_token", "<mask>"}}},
        {"CohereTokenizer",
         {{"unk_token", "<UNK>"},
          {"bos_token", "<BOS_TOKEN>"},
          {"eos_token", "<|END_OF_TURN_TOKEN|>"},
          {"pad_token", "<PAD>"},
          {"cls_token", "<CLS>"},
          {"sep_token", "<SEP>"},
          {"mask_token", "<MASK_TOKEN>"}}}};
  }();
  return *classes;
}

/// The class registered for a model_type; "plain" for those that take tokenizer.json as it stands, empty when
/// transformers registers none ("llama", for one).
std::string_view registered_class(std::string_view model_type) {
  static const std::map<std::string_view, std::set<std::string_view>> kTypes = {
      {"Qwen2Tokenizer",
       {"qwen2",
        "qwen2_moe",
        "qwen2_vl",
        "qwen2_5_vl",
        "qwen2_audio",
        "qwen2_5_omni",
        "qwen3",
        "qwen3_moe",
        "qwen3_next",
        "qwen3_vl",
        "qwen3_vl_moe",
        "qwen3_omni_moe",
        "internvl",
        "ovis2"}},
      {"Qwen3_5Tokenizer", {"qwen3_5", "qwen3_5_moe", "qwen3_5_moe_text", "qwen3_5_text", "qwen4_exp"}},
      {"GPT2Tokenizer", {"codegen", "dbrx", "gpt2", "gpt_neo", "gptj", "jais2", "opt", "phi", "starcoder2"}},
      {"GPTNeoXTokenizer",
       {"falcon_mamba", "gpt_neox", "mamba", "mamba2", "mpt", "olmo", "olmoe", "rwkv", "xlstm"}},
      {"GemmaTokenizer",
       {"gemma",
        "gemma2",
        "gemma3",
        "gemma3_text",
        "gemma3n",
        "gemma3n_text",
        "recurrent_gemma",
        "shieldgemma2",
        "t5gemma"}},
      {"CohereTokenizer", {"cohere", "cohere2", "aya_vision"}},
      {"LlamaTokenizer", {"idefics", "idefics2"}},
      {"mistral", {"ministral", "ministral3", "mistral", "mistral3", "mixtral", "pixtral", "voxtral"}},
      {"plain",
       {"arctic",
        "ernie4_5",
        "ernie4_5_moe",
        "fuyu",
        "glm",
        "glm4",
        "glm4_moe",
        "glm4v",
        "gpt_bigcode",
        "granite",
        "granitemoe",
        "granitemoehybrid",
        "granitemoeshared",
        "hyperclovax",
        "internlm2",
        "internlm3",
        "jamba",
        "kimi_k25",
        "kimi_linear",
        "llava",
        "llava_next",
        "mimo_v2_flash",
        "minicpm3",
        "minimax_m2",
        "molmo",
        "nemotron",
        "olmo2",
        "olmo3",
        "olmo_hybrid",
        "persimmon",
        "phi3",
        "phi3_v",
        "phimoe",
        "smolvlm",
        "stablelm",
        "vipllava"}}};
  for (const auto& [name, types] : kTypes) {
    if (types.contains(model_type)) return name;
  }
  return "";
}

/// Model types whose folders name a wrong class: the registered one counts.
bool names_wrong_class(std::string_view model_type) {
  static const std::set<std::string_view> kTypes = {
      "qwen2",      "qwen3_5",  "qwen3_5_moe", "qwen4_exp", "qwen3_5_moe_text", "phi3",     "phi3_v",
      "phimoe",     "nemotron", "ernie4_5",    "internlm2", "internlm3",        "jamba",    "llava",
      "llava_next", "minicpm3", "minimax_m2",  "arctic",    "hyperclovax",      "vipllava", "molmo"};
  return kTypes.contains(model_type);
}

std::string text_of(const ordered_json& object, const char* key) {
  return object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : "";
}

bool holds_byte_level(const json& part) {
  if (part.is_object() && part.value("type", "") == "ByteLevel") return true;
  if (!part.is_structured()) return false;
  for (const json& child : part) {
    if (holds_byte_level(child)) return true;
  }
  return false;
}

/// A tokenizer.json that splits into bytes: LlamaTokenizer, which knows only "\u2581", cannot be its class.
bool is_byte_level(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "tokenizer.json";
  if (!std::filesystem::exists(file)) return false;
  const json tokenizer = read_tokenizer_json(file, false);
  for (const char* part : {"pre_tokenizer", "decoder"}) {
    if (tokenizer.contains(part) && holds_byte_level(tokenizer[part])) return true;
  }
  return false;
}

std::string known_or_plain(std::string name) {
  return rebuilt_classes().contains(name) ? name : "";
}

}  // namespace

std::string hub_tokenizer_class(const std::filesystem::path& folder,
                                const ordered_json& tokenizer_config,
                                const ordered_json& model_config) {
  std::string named = text_of(tokenizer_config, "tokenizer_class");
  if (named.empty()) named = text_of(model_config, "tokenizer_class");
  if (named.ends_with("Fast")) named.resize(named.size() - 4);
  const std::string model_type = text_of(model_config, "model_type");
  const std::string registered(registered_class(model_type));
  const bool is_wrong = names_wrong_class(model_type);

  if (named == "LlamaTokenizer" && registered != "mistral" && !is_wrong && is_byte_level(folder)) return "";
  if (named.empty()) return known_or_plain(registered);
  if (!registered.empty() && registered != named) {
    if (registered == "plain" || registered == "mistral") return "";
    return known_or_plain(is_wrong ? registered : named);
  }
  return known_or_plain(named);
}

ordered_json class_special_tokens(const std::string& tokenizer_class) {
  const auto found = rebuilt_classes().find(tokenizer_class);
  return found == rebuilt_classes().end() ? ordered_json::object() : found->second;
}

}  // namespace automodel::tokenizer
