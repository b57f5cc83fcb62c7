#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace automodel::arch {

/// How a file arranges a weight whose rows this program wants in order.
enum class Layout {
  kPlain,
  kTransposed,   ///< [in, out]: GPT-2's Conv1D
  kInterleaved,  ///< [in, out], columns of gate and up alternating: GPT-OSS
  kRow,          ///< a vector as a matrix of one row: Ernie 4.5
  kByGroup,      ///< rows of a fused query-key-value by key head: its queries, its key, its value (GPT-NeoX,
                 ///< InternLM 2)
};

/// Where checkpoints keep the module of one role.
struct WeightName {
  /// ".weight" and ".bias" follow; a leading dot: inside `layer`; {expert}: a tensor for each expert;
  /// {head}: one for each head.
  std::string module;
  Layout layout = Layout::kPlain;
  bool bare = false;  ///< the weight has the module's name itself, the bias "_bias" after it (GPT-OSS)
};

/// Names of a family's weights: the `weights` section of its file.
struct WeightNames {
  std::map<std::string, WeightName> modules;  ///< by role (roles.h)
  std::string layer;                          ///< "model.layers.{layer}"
  std::string prefix;  ///< base model's: a checkpoint of the base model alone has names without it
  std::vector<std::string>
      ignored;  ///< tensors that nobody reads; '*' stands for any text without a dot, '**' for any end

  /// Ends of names, and how older files end them: ".LayerNorm.weight" was ".LayerNorm.gamma" in BERT's first
  /// files.
  std::map<std::string, std::string> older;

  bool has(const std::string& role) const { return modules.contains(role); }

  /// Name of the weight of a module outside the layers; "" when the family has none.
  std::string weight(const std::string& role) const {
    const auto found = modules.find(role);
    return found == modules.end() ? "" : found->second.module + ".weight";
  }
};

}  // namespace automodel::arch
