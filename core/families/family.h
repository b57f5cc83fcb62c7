#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/arch/decoder_config.h"

namespace automodel::families {

/// What becomes of keys of a config.json that its family does not read; see judge_unknown_keys.
struct KeyRules {
  bool strict = false;               ///< every one is an error
  bool quiet = false;                ///< no warnings: the file is a copy of one that was read before
  std::vector<std::string> ignored;  ///< keys whose error is taken back
};

/// Reads a Hugging Face config.json through the family that claims its architecture.
/// `config_json` is the JSON text, `origin` its name in messages, `overrides_json` a JSON object merged over
/// it ("" for none), `family_file` a user's family file ("" for the built-in ones and those of
/// AUTOMODEL_MODELS), `request` the head to have in place of the one that the class names, `rules` what
/// becomes of keys that the family does not read. A class that a family does not list is of it when it
/// differs in the ending alone: ForSequenceClassification, Model. Throws Error(kUnsupported) for an unknown
/// architecture (naming the known and the nearest) and for a value that the family file refuses;
/// Error(kFormat) for a missing key, a wrong type and an unknown key that could change the mathematics.
arch::DecoderConfig read_decoder_config(const std::string& config_json,
                                        const std::string& origin,
                                        const std::string& overrides_json = "",
                                        const std::string& family_file = "",
                                        const arch::TaskRequest& request = {},
                                        const KeyRules& rules = {});

/// The architectures that can be read, with the family of each.
struct FamilyEntry {
  std::string family;
  std::vector<std::string> architectures;
  std::string origin;  ///< "built in" or the file it was read from
};

std::vector<FamilyEntry> list_families();

/// The family file with everything that it inherits written out, as YAML.
std::string resolved_family(const std::string& family);

/// Where a model lives: a folder (or a config.json) as given, or the snapshot of a Hub id in the Hugging Face
/// cache (HF_HUB_CACHE, HF_HOME/hub, ~/.cache/huggingface/hub). Throws Error(kData) saying where it looked.
std::filesystem::path find_model(const std::string& path_or_id);

/// What LATEST in a folder of training checkpoints points at, a link or a text file (LATEST.txt) with the
/// name; the folder itself where there is none.
std::filesystem::path latest_checkpoint(const std::filesystem::path& folder);

/// As find_model, and where that is a training checkpoint or a folder of them, the model that it exported (of
/// LATEST): a folder with config.json, or a file as given. Throws Error(kData) saying what is there instead.
std::filesystem::path find_model_folder(const std::string& path_or_id);

}  // namespace automodel::families
