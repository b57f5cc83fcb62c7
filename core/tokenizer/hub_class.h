#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

/// transformers has tokenizer classes that keep only vocabulary and merges of a tokenizer.json and build the
/// rest (normalizer, pre-tokenizer, decoder) anew. Their ids can differ from what the file itself would give,
/// and the reference trains on theirs.
namespace automodel::tokenizer {

/// The class that transformers' AutoTokenizer takes for a folder, without "Fast": one that `rebuilds` knows,
/// or empty for the plain backend, which uses tokenizer.json as it stands.
std::string hub_tokenizer_class(const std::filesystem::path& folder,
                                const nlohmann::ordered_json& tokenizer_config,
                                const nlohmann::ordered_json& model_config);

/// The special tokens a class has when nobody names them: {"eos_token": "</s>", ...}.
nlohmann::ordered_json class_special_tokens(const std::string& tokenizer_class);

/// The tokenizer.json that a class builds. `source` holds model.vocab and model.merges, and the
/// post_processor if any; `config` is tokenizer_config.json; `unk_token` may be empty.
nlohmann::json rebuild_tokenizer(const std::string& tokenizer_class,
                                 nlohmann::json source,
                                 const nlohmann::ordered_json& config,
                                 const std::string& unk_token);

}  // namespace automodel::tokenizer
