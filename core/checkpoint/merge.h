#pragma once

#include <string>
#include <vector>

namespace automodel::checkpoint {

/// What to merge into what.
struct MergeRequest {
  std::string base;            ///< folder or Hub id of the model that the adapter was trained on
  std::string adapter;         ///< folder of the adapter, or of the checkpoint that holds it
  std::string output;          ///< folder to make; must not exist, or be empty
  std::string dtype = "auto";  ///< type of the written weights: float32, bfloat16, float16; auto: the base's
  bool with_tokenizer = true;  ///< copy the tokenizer's files
  std::string family_file;     ///< of a family of the user's own; empty: the known ones
  std::vector<std::string> ignore_config_keys;  ///< of config.json, as in a recipe
};

/// Writes the base with W + scale * B A in place of every adapted W: a Hugging Face folder with the base's
/// files, names and other contents, and the chat template that the adapter was trained with. Sums are formed
/// in float32 and rounded once. A tied head that has an adapter of its own becomes a tensor of its own.
///
/// Needs memory for one tensor in float32 beside its product; the folder appears whole or not at all, and is
/// read back before. Throws Error(kFormat) when the two do not belong together, Error(kData) when the output
/// is there already.
void merge_adapter(const MergeRequest& request);

}  // namespace automodel::checkpoint
