#include "core/weights/parameter_list.h"

#include <functional>
#include <numeric>

#include "core/base/error.h"

namespace automodel::weights {
namespace {

using Kind = ParameterSpec::Kind;
using Init = ParameterSpec::Init;

Block transposed(int64_t out, int64_t in) {
  return {{out, in}, 0, 0, {in, 1}, {1, out}};
}

/// Parts of a projection that lie one after another here and by group in the file. `in`: 1 for a bias.
std::vector<Block> by_group(const std::vector<int64_t>& parts, int64_t groups, int64_t in) {
  const int64_t group = std::accumulate(parts.begin(), parts.end(), int64_t{0}) / groups * in;
  std::vector<Block> blocks;
  int64_t here = 0, there = 0;
  for (const int64_t part : parts) {
    const int64_t elements = part / groups * in;  // of one group
    blocks.push_back({{groups, elements}, here, there, {elements, 1}, {group, 1}});
    here += part * in;
    there += elements;
  }
  return blocks;
}

/// Stacked matrices [experts, out, in] whose file has [experts, in, out], columns as they are or those of
/// gate and up alternating.
std::vector<Block> stacked_columns(int64_t experts, int64_t out, int64_t in, bool interleaved) {
  if (!interleaved) return {{{experts, out, in}, 0, 0, {out * in, in, 1}, {in * out, 1, out}}};
  const int64_t half = out / 2;
  const auto part = [&](int64_t which) {
    return Block{{experts, half, in}, which * half * in, which, {out * in, in, 1}, {in * out, 2, out}};
  };
  return {part(0), part(1)};
}

/// The biases of the same.
std::vector<Block> stacked_biases(int64_t experts, int64_t out, bool interleaved) {
  if (!interleaved) return {};
  const int64_t half = out / 2;
  return {{{experts, half}, 0, 0, {out, 1}, {out, 2}}, {{experts, half}, half, 1, {out, 1}, {out, 2}}};
}

/// `text` with `mark` replaced.
std::string with_number(std::string text, std::string_view mark, int64_t number) {
  const size_t at = text.find(mark);
  return at == std::string::npos ? text : text.replace(at, mark.size(), std::to_string(number));
}

constexpr std::string_view kExpert = "{expert}";
constexpr std::string_view kHead = "{head}";

/// A matrix whose rows are tensors of their own, one a head.
std::vector<FileTensor> rows_of(const std::string& module,
                                const std::string& suffix,
                                int64_t rows,
                                int64_t width) {
  std::vector<FileTensor> files;
  for (int64_t i = 0; i < rows; ++i)
    files.push_back({with_number(module, kHead, i) + suffix, {width}, {{{width}, i * width, 0, {1}, {1}}}});
  return files;
}

}  // namespace

int64_t num_elements(const std::vector<int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

const arch::WeightName& ParameterList::name_of(const std::string& role) const {
  const auto found = names_.modules.find(role);
  check(found != names_.modules.end(),
        ErrorCode::kConfig,
        "the family file's `weights` gives \"",
        role,
        "\" no name, and this config.json asks for it");
  return found->second;
}

std::string ParameterList::module_of(const std::string& role) const {
  constexpr std::string_view kNumber = "{layer}";
  const std::string& module = name_of(role).module;
  if (!module.starts_with(".")) return module;
  std::string name = names_.layer + module;
  const size_t at = name.find(kNumber);
  ensure(at != std::string::npos && layer_ >= 0, role, ": ", name, " lies in no layer");
  return name.replace(at, kNumber.size(), std::to_string(layer_));
}

void ParameterList::linear(
    const std::string& role, int64_t out, int64_t in, bool bias, Init weight_init, Init bias_init) {
  const arch::WeightName& name = name_of(role);
  const std::string module = module_of(role);
  FileTensor file{module + ".weight", {out, in}, {}};
  if (name.layout == arch::Layout::kTransposed) file = {file.name, {in, out}, {transposed(out, in)}};
  specs_.push_back({role + ".weight", file.name, {out, in}, Kind::kLinear, weight_init, {file}});
  if (!bias) return;
  plain(role + ".bias", module + ".bias", {out}, Kind::kOther, bias_init);
}

void ParameterList::fused(
    const std::string& role, const std::vector<int64_t>& parts, int64_t groups, int64_t in, bool bias) {
  const size_t first = specs_.size();
  linear(role, std::accumulate(parts.begin(), parts.end(), int64_t{0}), in, bias);
  if (name_of(role).layout != arch::Layout::kByGroup) return;
  specs_[first].files[0].blocks = by_group(parts, groups, in);
  if (bias) specs_[first + 1].files[0].blocks = by_group(parts, groups, 1);
}

void ParameterList::plain(const std::string& role,
                          const std::string& name,
                          const std::vector<int64_t>& shape,
                          Kind kind,
                          Init init) {
  specs_.push_back({role, name, shape, kind, init, {{name, shape, {}}}});
}

void ParameterList::conv(const std::string& role, int64_t channels, int64_t kernel, bool bias) {
  const std::string module = module_of(role);
  plain(role + ".weight", module + ".weight", {channels, 1, kernel}, Kind::kOther, Init::kNormal);
  if (bias) plain(role + ".bias", module + ".bias", {channels}, Kind::kOther, Init::kZeros);
}

void ParameterList::norm(
    const std::string& role, const std::vector<int64_t>& shape, bool weight, bool bias, bool begins_at_zero) {
  if (!weight && !bias) return;
  const std::string module = module_of(role);
  const auto add = [&](const char* suffix, Init init) {
    const std::string name = module + suffix;
    const bool by_head = module.find(kHead) != std::string::npos && shape.size() == 2;
    const std::vector<FileTensor> files =
        by_head ? rows_of(module, suffix, shape[0], shape[1]) : std::vector<FileTensor>{{name, shape, {}}};
    const std::string whole = by_head ? module.substr(0, module.find(kHead)) + (suffix + 1) : name;
    specs_.push_back({role + suffix, whole, shape, Kind::kOther, init, files});
  };
  if (weight) add(".weight", begins_at_zero ? Init::kZeros : Init::kOnes);
  if (bias) add(".bias", Init::kZeros);
}

void ParameterList::stacked(const std::string& role, int64_t experts, int64_t out, int64_t in, bool bias) {
  const arch::WeightName& name = name_of(role);
  const std::string module = module_of(role);
  const bool interleaved = name.layout == arch::Layout::kInterleaved;
  FileTensor file{module + (name.bare ? "" : ".weight"), {experts, out, in}, {}};
  if (name.layout != arch::Layout::kPlain)
    file = {file.name, {experts, in, out}, stacked_columns(experts, out, in, interleaved)};
  specs_.push_back({role + ".weight", file.name, {experts, out, in}, Kind::kExperts, Init::kNormal, {file}});
  if (!bias) return;
  file = {
      module + (name.bare ? "_bias" : ".bias"), {experts, out}, stacked_biases(experts, out, interleaved)};
  specs_.push_back({role + ".bias", file.name, {experts, out}, Kind::kOther, Init::kZeros, {file}});
}

void ParameterList::listed(const std::string& role,
                           int64_t experts,
                           int64_t out,
                           int64_t in,
                           const std::vector<std::string>& parts) {
  const auto rows = out / static_cast<int64_t>(parts.size());
  const std::string first = module_of(parts[0]);
  ParameterSpec spec{role + ".weight",
                     first.substr(0, first.find(kExpert)) + role.substr(role.rfind('.') + 1) + "_proj",
                     {experts, out, in},
                     Kind::kExperts,
                     Init::kNormal,
                     {}};
  for (int64_t e = 0; e < experts; ++e) {
    for (size_t p = 0; p < parts.size(); ++p) {
      const int64_t offset = (e * out + static_cast<int64_t>(p) * rows) * in;
      spec.files.push_back({with_number(module_of(parts[p]), kExpert, e) + ".weight",
                            {rows, in},
                            {{{rows, in}, offset, 0, {in, 1}, {in, 1}}}});
    }
  }
  specs_.push_back(std::move(spec));
}

void ParameterList::experts(const std::string& role, int64_t in, const arch::MoeConfig& moe) {
  const size_t first = specs_.size();
  const int64_t experts = moe.router.num_experts, width = moe.intermediate_size;
  const bool gated = moe.gate.gated;
  const std::string up = role + (gated ? ".gate_up" : ".up"), down = role + ".down";
  const bool one_each = name_of(down).module.find(kExpert) != std::string::npos;
  check(!one_each || !moe.bias,
        ErrorCode::kConfig,
        role,
        ": biases of experts that files hold one by one are not read");
  if (one_each) {
    const std::vector<std::string> parts =
        gated ? std::vector{role + ".gate", role + ".up"} : std::vector{up};
    listed(up, experts, moe.gate.parts() * width, in, parts);
    listed(down, experts, in, width, {down});
  } else {
    stacked(up, experts, moe.gate.parts() * width, in, moe.bias);
    stacked(down, experts, in, width, moe.bias);
  }
  const double active = static_cast<double>(moe.router.top_k) / static_cast<double>(experts);
  for (size_t i = first; i < specs_.size(); ++i) specs_[i].active = active;
}

void ParameterList::buffer(const std::string& role, int64_t size) {
  const std::string name = module_of(role);
  FileTensor file{name, {size}, {}};
  if (name_of(role).layout == arch::Layout::kRow) file = {name, {1, size}, {{{size}, 0, 0, {1}, {1}}}};
  specs_.push_back({role, name, {size}, Kind::kBuffer, Init::kZeros, {file}});
}

void ParameterList::embedding(const std::string& role, int64_t rows, int64_t width) {
  plain(role + ".weight", module_of(role) + ".weight", {rows, width}, Kind::kEmbedding, Init::kNormal);
}

void ParameterList::constant(const std::string& role, const std::vector<int64_t>& shape, Init init) {
  plain(role, module_of(role), shape, Kind::kOther, init);
}

void ParameterList::norm(const std::string& role, int64_t size, const arch::NormConfig& config) {
  if (config.kind == kernels::NormKind::kNone) return;
  norm(role, {size}, config.weight, config.bias, config.begins_at_zero());
}

ParameterSpec::Init end_init(const arch::DecoderConfig& config) {
  return config.residual_init_by_depth ? Init::kNormalByDepth : Init::kNormal;
}

}  // namespace automodel::weights
