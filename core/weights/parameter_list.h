#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/arch/decoder_config.h"
#include "core/arch/weight_names.h"
#include "core/weights/parameter_spec.h"

namespace automodel::weights {

/// Collects the parameters of one segment in order, each with its name and its place in files.
class ParameterList {
 public:
  /// `layer`: its number, -1 outside layers.
  ParameterList(const arch::WeightNames& names, int64_t layer) : names_(names), layer_(layer) {}

  bool has(const std::string& role) const { return names_.has(role); }

  /// role.weight [out, in] and role.bias [out], laid out as the names say (kPlain or kTransposed).
  void linear(const std::string& role,
              int64_t out,
              int64_t in,
              bool bias,
              ParameterSpec::Init weight_init = ParameterSpec::Init::kNormal,
              ParameterSpec::Init bias_init = ParameterSpec::Init::kZeros);

  /// role.weight [sum of parts, in] and its bias; in the file by group (kByGroup): a group's share of each
  /// part. Queries, keys and values of one projection are three parts, a group for each key head.
  void fused(
      const std::string& role, const std::vector<int64_t>& parts, int64_t groups, int64_t in, bool bias);

  /// role.weight [channels, 1, kernel] and role.bias [channels] of a depthwise convolution.
  void conv(const std::string& role, int64_t channels, int64_t kernel, bool bias);

  /// role.weight and role.bias of the shape, each where asked for; the weight begins at one, or at zero.
  void norm(const std::string& role,
            const std::vector<int64_t>& shape,
            bool weight,
            bool bias,
            bool begins_at_zero = false);

  /// The norm of a vector of `size`; nothing where the config says none.
  void norm(const std::string& role, int64_t size, const arch::NormConfig& norm);

  /// role.gate_up.weight [experts, 2 width, in], or role.up.weight [experts, width, in] without a gate,
  /// role.down.weight [experts, in, width] and their biases, of which one token passes the share `active`.
  void experts(const std::string& role, int64_t in, const arch::MoeConfig& moe);

  /// A float32 vector that does not learn, under the module's name itself.
  void buffer(const std::string& role, int64_t size);

  /// role.weight [rows, width].
  void embedding(const std::string& role, int64_t rows, int64_t width);

  /// A tensor under the module's name itself, without ".weight".
  void constant(const std::string& role, const std::vector<int64_t>& shape, ParameterSpec::Init init);

  std::vector<ParameterSpec> take() { return std::move(specs_); }

 private:
  const arch::WeightName& name_of(const std::string& role) const;
  std::string module_of(const std::string& role) const;
  void plain(const std::string& role,
             const std::string& name,
             const std::vector<int64_t>& shape,
             ParameterSpec::Kind kind,
             ParameterSpec::Init init);
  void stacked(const std::string& role, int64_t experts, int64_t out, int64_t in, bool bias);
  void listed(const std::string& role,
              int64_t experts,
              int64_t out,
              int64_t in,
              const std::vector<std::string>& parts);

  const arch::WeightNames& names_;
  int64_t layer_;
  std::vector<ParameterSpec> specs_;
};

/// How the weights that end a residual branch begin.
ParameterSpec::Init end_init(const arch::DecoderConfig& config);

}  // namespace automodel::weights
