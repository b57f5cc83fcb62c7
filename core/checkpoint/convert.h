#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace automodel::checkpoint {

/// A model to be written anew.
struct ConvertRequest {
  std::string source;          ///< folder or Hub id of a model, whatever it computes
  std::string output;          ///< folder to make; must not exist, or be empty
  std::string dtype = "auto";  ///< float32, bfloat16, float16; auto: each tensor's own
  int64_t max_shard_bytes = 5'000'000'000;
  std::string family_file;                      ///< of a family of the user's own; empty: the known ones
  std::vector<std::string> ignore_config_keys;  ///< of config.json, as in a recipe
};

/// Writes the model as plain numbers in a Hugging Face folder: every tensor under the name that it has in the
/// source, also one that its family has no use for, split into files of at most max_shard_bytes (a larger
/// tensor has one of its own). FP8 blocks and MXFP4 are undone, to the type that config.json names when dtype
/// is auto, and config.json says so; corrections of routers are float32 when the type changes, integers stay.
/// All other files are copied (tokenizer, generation_config.json, remote code), folders are named and left
/// out.
///
/// Needs memory for one tensor; the folder appears whole or not at all, and is read back before. Throws
/// Error(kFormat) when the source is not whole or a tensor is neither plain nor quantised as config.json
/// says, Error(kData) when the output is there already or a number does not fit float16.
void convert_model(const ConvertRequest& request);

}  // namespace automodel::checkpoint
