#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace automodel::families {

/// What a model folder says about generating: generation_config.json, or config.json where there is none, as
/// in transformers. Absent keys and nulls stay unset.
struct GenerationConfig {
  std::string origin;  ///< the file it was read from
  std::vector<int64_t> eos_token_ids;
  std::optional<int64_t> max_new_tokens;
  std::optional<double> temperature;  ///< of sampling, as top_k and top_p
  std::optional<int64_t> top_k;
  std::optional<double> top_p;
  std::optional<double> repetition_penalty;

  /// Settings that are not implemented here and would change the text: "no_repeat_ngram_size: 3".
  std::vector<std::string> not_implemented;
  std::vector<std::string> not_implemented_sampling;  ///< only when sampling
};

/// Reads a folder's files. Throws Error(kFormat) naming file and key for a value of the wrong type.
GenerationConfig read_generation_config(const std::filesystem::path& folder);

/// Only the end-of-sequence ids, for `--no-generation-config`.
GenerationConfig read_eos_only(const std::filesystem::path& folder);

}  // namespace automodel::families
