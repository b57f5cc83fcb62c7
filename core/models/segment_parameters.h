#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/models/decoder.h"
#include "core/ops/linear.h"
#include "core/ops/norm.h"

namespace automodel::models {

/// Finds the handles of one segment's parameters by their roles (roles.h).
class SegmentParameters {
 public:
  SegmentParameters(const Decoder& decoder, const weights::SegmentWeights& segment, const LoraSource& lora_of)
      : decoder_(decoder), segment_(segment), lora_of_(lora_of) {}

  /// A null handle when there is no such parameter.
  tensor::Weight find(const std::string& role) const;

  /// Throws Error(kInternal) when there is no such parameter.
  tensor::Weight get(const std::string& role) const;

  bool has(const std::string& module) const { return static_cast<bool>(find(module + ".weight")); }

  /// Several linears applied as one; their weights are neighbours in the unit.
  ops::Linear linear(const std::vector<std::string>& modules) const;

  /// One projection where the family has it fused, else its parts.
  ops::Linear fused_or(const std::string& fused, const std::vector<std::string>& parts) const {
    return linear(has(fused) ? std::vector{fused} : parts);
  }

  ops::Norm norm(const std::string& role, const arch::NormConfig& config) const;

  /// A number for the dropout of a role's branch, another for every layer, role and branch.
  uint64_t dropout_site(const std::string& role, size_t branch) const;

  /// Those of the segment's parameters, that of its buffers and that of the adapters that linear() met.
  std::vector<tensor::FlatParameter*> units() const;

 private:
  const Decoder& decoder_;
  const weights::SegmentWeights& segment_;
  const LoraSource& lora_of_;
  mutable tensor::FlatParameter* adapter_unit_ = nullptr;
};

}  // namespace automodel::models
