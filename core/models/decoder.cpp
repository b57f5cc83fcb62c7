#include "core/models/decoder.h"

#include <algorithm>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include "core/models/match_weights.h"
#include "core/nn/decoder_segments.h"
#include "core/nn/moe.h"
#include "core/ops/dropout.h"
#include "core/tensor/dequantize.h"
#include "core/tensor/dtype.h"
#include "core/tensor/random.h"

namespace automodel::models {
namespace {

/// Finds the handles of one segment's parameters by their roles.
class SegmentParameters {
 public:
  SegmentParameters(tensor::Unit& unit,
                    tensor::Unit* buffers,
                    const SegmentWeights& segment,
                    const LoraSource& lora_of)
      : unit_(unit), buffers_(buffers), segment_(segment), lora_of_(lora_of) {}

  /// A null handle when there is no such parameter.
  tensor::Weight find(const std::string& role) const {
    for (const WeightSpec& spec : segment_.weights) {
      if (spec.role != role) continue;
      tensor::Unit& unit = spec.kind == WeightSpec::Kind::kBuffer ? *buffers_ : unit_;
      const auto& parameters = unit.parameters();
      const auto at = std::ranges::find(parameters, spec.name, &tensor::Parameter::name);
      ensure(at != parameters.end(), unit.name(), " has no parameter ", spec.name);
      return {&unit, static_cast<size_t>(at - parameters.begin()), 1};
    }
    return {};
  }

  tensor::Weight get(const std::string& role) const {
    const tensor::Weight weight = find(role);
    ensure(static_cast<bool>(weight), unit_.name(), " has no ", role);
    return weight;
  }

  bool has(const std::string& module) const { return static_cast<bool>(find(module + ".weight")); }

  /// Several linears applied as one; their weights are neighbours in the unit.
  ops::Linear linear(const std::vector<std::string>& modules) const {
    ops::Linear layer;
    layer.weight = get(modules[0] + ".weight");
    layer.weight.count = modules.size();
    bool any_bias = false;
    for (size_t i = 0; i < modules.size(); ++i) {
      const tensor::Weight weight = get(modules[i] + ".weight");
      ensure(weight.first == layer.weight.first + i,
             unit_.name(),
             ": ",
             modules[i],
             " is not next to ",
             modules[0]);
      layer.out_features.push_back(unit_.parameters()[weight.first].shape[0]);
      layer.bias.push_back(find(modules[i] + ".bias"));
      any_bias |= static_cast<bool>(layer.bias.back());
    }
    if (!any_bias) layer.bias.clear();
    if (lora_of_) layer.lora = lora_of_(full_names(layer.weight), layer.out_features);
    if (layer.lora) adapter_unit_ = ops::units_of(layer).back();
    return layer;
  }

  /// One projection where the family has it fused, else its parts.
  ops::Linear fused_or(const std::string& fused, const std::vector<std::string>& parts) const {
    return linear(has(fused) ? std::vector{fused} : parts);
  }

  ops::Norm norm(const std::string& role, const NormConfig& config) const {
    return {.weight = config.weight ? get(role + ".weight") : tensor::Weight(),
            .eps = config.eps,
            .kind = config.kind,
            .bias = config.bias ? get(role + ".bias") : tensor::Weight(),
            .weight_offset = config.weight_offset};
  }

  /// A number for the dropout of a role's branch, another for every layer, role and branch.
  uint64_t dropout_site(const std::string& role, size_t branch) const {
    return ops::dropout_site(detail::join(unit_.name(), " ", role, " ", branch));
  }

  /// The unit itself, that of its buffers and that of the adapters that linear() met.
  std::vector<tensor::Unit*> units() const {
    std::vector<tensor::Unit*> units = {&unit_};
    const auto is_buffer = [](const WeightSpec& spec) { return spec.kind == WeightSpec::Kind::kBuffer; };
    if (std::ranges::any_of(segment_.weights, is_buffer)) units.push_back(buffers_);
    if (adapter_unit_) units.push_back(adapter_unit_);
    return units;
  }

 private:
  /// Module names of the handle's parameters, without ".weight".
  std::vector<std::string> full_names(const tensor::Weight& weight) const {
    std::vector<std::string> names;
    for (size_t i = weight.first; i < weight.first + weight.count; ++i) {
      const std::string& name = unit_.parameters()[i].name;
      names.push_back(name.substr(0, name.rfind('.')));
    }
    return names;
  }

  tensor::Unit& unit_;
  tensor::Unit* buffers_;
  const SegmentWeights& segment_;
  const LoraSource& lora_of_;
  mutable tensor::Unit* adapter_unit_ = nullptr;
};

std::unique_ptr<tensor::Unit> make_unit(const SegmentWeights& segment, const tensor::Unit::Options& options) {
  std::vector<tensor::Parameter> parameters;
  for (const WeightSpec& weight : segment.weights) {
    if (weight.kind != WeightSpec::Kind::kBuffer) parameters.push_back({weight.name, weight.shape});
  }
  std::stable_partition(parameters.begin(), parameters.end(), [](const tensor::Parameter& parameter) {
    return parameter.shape.size() == 2;
  });
  return std::make_unique<tensor::Unit>(segment.segment, std::move(parameters), options);
}

/// The buffers of all segments; null where there are none.
std::unique_ptr<tensor::Unit> make_buffers(const std::vector<SegmentWeights>& segments,
                                           const tensor::Unit::Options& options) {
  std::vector<tensor::Parameter> parameters;
  for (const SegmentWeights& segment : segments) {
    for (const WeightSpec& weight : segment.weights) {
      if (weight.kind == WeightSpec::Kind::kBuffer) parameters.push_back({weight.name, weight.shape});
    }
  }
  if (parameters.empty()) return nullptr;
  tensor::Unit::Options fixed;
  fixed.device = options.device;
  fixed.trainable = false;
  return std::make_unique<tensor::Unit>("buffers", std::move(parameters), fixed);
}

using RopeTables = std::vector<std::shared_ptr<const nn::RopeTable>>;

nn::Attention make_attention(const LayerConfig& layer,
                             const SegmentParameters& find,
                             const RopeTables& ropes) {
  nn::Attention attention;
  attention.config = layer.attention;
  attention.config.dropout_site = find.dropout_site("attention", 0);
  attention.input_norm = ops::Norm::none();
  attention.qkv = find.fused_or("attention.qkv", {"attention.q", "attention.k", "attention.v"});
  attention.output = find.linear({"attention.o"});
  if (layer.attention.qk_norm != QkNorm::kNone) {
    attention.q_norm = find.norm("attention.q_norm", layer.attention.head_norm);
    attention.k_norm = find.norm("attention.k_norm", layer.attention.head_norm);
  }
  if (layer.attention.sinks) attention.sinks = find.get("attention.sinks");
  if (layer.attention.rope >= 0) attention.rope = ropes.at(static_cast<size_t>(layer.attention.rope));
  return attention;
}

nn::LatentAttention make_latent_attention(const LayerConfig& layer,
                                          const SegmentParameters& find,
                                          const RopeTables& ropes) {
  const LatentAttentionConfig& config = layer.latent;
  nn::LatentAttention attention;
  attention.config = config;
  attention.config.dropout_site = find.dropout_site("attention", 0);
  attention.input_norm = ops::Norm::none();
  if (config.q_rank > 0) {
    attention.q_down = find.linear({"latent.q_down"});
    attention.q_norm = find.norm("latent.q_norm", config.latent_norm);
  }
  attention.q_up = find.linear({config.q_rank > 0 ? "latent.q_up" : "latent.q"});
  attention.kv_down = find.linear({"latent.kv_down"});
  attention.kv_norm = find.norm("latent.kv_norm", config.latent_norm);
  attention.kv_up = find.linear({"latent.kv_up"});
  attention.output = find.linear({"latent.o"});
  attention.rope = ropes.at(static_cast<size_t>(config.rope));
  return attention;
}

/// A depthwise convolution with SiLU.
ops::CausalConv make_conv(const SegmentParameters& find, const std::string& role) {
  return {find.get(role + ".weight"), find.find(role + ".bias"), /*silu=*/true};
}

nn::Mamba2 make_mamba2(const LayerConfig& layer, const SegmentParameters& find) {
  const Mamba2Config& config = layer.mamba2;
  nn::Mamba2 mamba2;
  mamba2.config = config;
  mamba2.input_norm = ops::Norm::none();
  mamba2.in_proj = find.linear({"mamba2.in"});
  mamba2.conv = make_conv(find, "mamba2.conv");
  mamba2.space = {.a_log = find.get("mamba2.A_log"),
                  .dt_bias = find.get("mamba2.dt_bias"),
                  .d = find.get("mamba2.D"),
                  .num_heads = config.num_heads,
                  .head_dim = config.head_dim,
                  .num_groups = config.num_groups,
                  .state_size = config.state_size,
                  .dt_min = config.dt_min,
                  .dt_max = config.dt_max};
  mamba2.norm = {.weight = find.find("mamba2.norm.weight"),
                 .eps = config.norm_eps,
                 .group = config.inner_size() / config.norm_groups,
                 .order = config.gate};
  mamba2.out_proj = find.linear({"mamba2.out"});
  return mamba2;
}

nn::DeltaNet make_delta_net(const LayerConfig& layer, const SegmentParameters& find) {
  const DeltaNetConfig& config = layer.delta_net;
  nn::DeltaNet delta_net;
  delta_net.config = config;
  delta_net.input_norm = ops::Norm::none();
  delta_net.in_proj = find.has("delta_net.qkvz")
                          ? find.linear({"delta_net.qkvz", "delta_net.ba"})
                          : find.linear({"delta_net.qkv", "delta_net.z", "delta_net.b", "delta_net.a"});
  delta_net.conv = make_conv(find, "delta_net.conv");
  delta_net.rule = {.a_log = find.get("delta_net.A_log"),
                    .dt_bias = find.get("delta_net.dt_bias"),
                    .num_key_heads = config.num_key_heads,
                    .num_value_heads = config.num_value_heads,
                    .key_head_dim = config.key_head_dim,
                    .value_head_dim = config.value_head_dim};
  delta_net.norm = {.weight = find.get("delta_net.norm.weight"),
                    .eps = config.norm_eps,
                    .group = config.value_head_dim,
                    .order = kernels::GateOrder::kNormFirst};
  delta_net.out_proj = find.linear({"delta_net.out"});
  return delta_net;
}

nn::Mlp make_mlp(const LayerConfig& layer, const SegmentParameters& find) {
  nn::Mlp mlp;
  mlp.config = layer.mlp;
  mlp.input_norm = ops::Norm::none();
  mlp.up = layer.mlp.gated ? find.fused_or("mlp.gate_up", {"mlp.gate", "mlp.up"}) : find.linear({"mlp.up"});
  mlp.down = find.linear({"mlp.down"});
  return mlp;
}

nn::Moe make_moe(const LayerConfig& layer, const SegmentParameters& find) {
  nn::Moe moe;
  moe.config = layer.moe;
  moe.input_norm = ops::Norm::none();
  moe.router = find.linear({"moe.router"});
  if (layer.moe.router.correction) moe.correction = find.get("moe.correction");
  moe.experts = {.gate_up = find.get("moe.experts.gate_up.weight"),
                 .down = find.get("moe.experts.down.weight"),
                 .gate_up_bias = find.find("moe.experts.gate_up.bias"),
                 .down_bias = find.find("moe.experts.down.bias"),
                 .gate = layer.moe.gate,
                 .weigh_input = layer.moe.weigh_input};
  if (layer.moe.shared_intermediate_size == 0) return moe;
  moe.shared_gate_up = find.fused_or("moe.shared.gate_up", {"moe.shared.gate", "moe.shared.up"});
  moe.shared_down = find.linear({"moe.shared.down"});
  if (layer.moe.shared_gate) moe.shared_gate = find.linear({"moe.shared_gate"});
  return moe;
}

nn::Mixer make_mixer(MixerKind kind,
                     const LayerConfig& layer,
                     const SegmentParameters& find,
                     const RopeTables& ropes) {
  switch (kind) {
    case MixerKind::kAttention:
      return make_attention(layer, find, ropes);
    case MixerKind::kLatentAttention:
      return make_latent_attention(layer, find, ropes);
    case MixerKind::kMamba2:
      return make_mamba2(layer, find);
    case MixerKind::kDeltaNet:
      return make_delta_net(layer, find);
  }
  fail(ErrorCode::kInternal, "mixer kind ", static_cast<int>(kind));
}

nn::Mixer make_feed_forward(const LayerConfig& layer, const SegmentParameters& find) {
  switch (layer.feed_forward) {
    case FeedForwardKind::kMlp:
      return make_mlp(layer, find);
    case FeedForwardKind::kMoe:
      return make_moe(layer, find);
    case FeedForwardKind::kNone:
      break;
  }
  fail(ErrorCode::kInternal, "feed-forward kind ", static_cast<int>(layer.feed_forward));
}

Multipliers multipliers_of(const nn::Mixer& mixer, const LayerConfig& layer) {
  if (std::holds_alternative<nn::Attention>(mixer)) return layer.attention_multipliers;
  if (std::holds_alternative<nn::Mamba2>(mixer)) return layer.mamba2_multipliers;
  if (std::holds_alternative<nn::Mlp>(mixer)) return layer.mlp_multipliers;
  return {};
}

/// Adds mixers that read the residual stream together to a step, with the norms that `role` names.
void join(nn::Step& step,
          std::vector<nn::Mixer> mixers,
          const LayerConfig& layer,
          const SegmentParameters& find,
          const std::string& role) {
  const BlockConfig& block = layer.block;
  const bool normed_already = block.parallel && block.shared_norm && !step.branches.empty();
  const bool before = block.residual == Residual::kPreNorm || block.residual == Residual::kSandwich;
  const bool after = block.residual == Residual::kSandwich || block.residual == Residual::kPostNorm;
  const ops::Norm input_norm = before && !normed_already ? find.norm(role, block.norm) : ops::Norm::none();
  const bool scaled = std::ranges::any_of(
      mixers, [&](const nn::Mixer& mixer) { return multipliers_of(mixer, layer).in != 1; });
  const bool together = scaled || mixers.size() > 1 || (block.parallel && block.shared_norm);
  if (together && input_norm) step.input_norm = input_norm;
  for (nn::Mixer& mixer : mixers) {
    if (!together) std::visit([&](auto& m) { m.input_norm = input_norm; }, mixer);
    const Multipliers multipliers = multipliers_of(mixer, layer);
    step.branches.push_back({.mixer = std::move(mixer),
                             .output_norm = after ? find.norm(role + "_out", block.norm) : ops::Norm::none(),
                             .in_multiplier = multipliers.in,
                             .out_multiplier = multipliers.out,
                             .dropout = block.dropout,
                             .dropout_site = find.dropout_site(role, step.branches.size())});
  }
  if (block.residual == Residual::kNormOfSum) step.sum_norm = find.norm(role + "_out", block.norm);
  step.multiplier = block.multiplier;
}

/// The mixers, then the MLP; in a parallel block both at once.
std::vector<nn::Step> make_steps(const LayerConfig& layer,
                                 const SegmentParameters& find,
                                 const RopeTables& ropes) {
  std::vector<nn::Mixer> mixers;
  for (const MixerKind kind : layer.mixers) mixers.push_back(make_mixer(kind, layer, find, ropes));
  std::vector<nn::Step> steps;
  if (!mixers.empty()) join(steps.emplace_back(), std::move(mixers), layer, find, "norm.mixer");
  if (layer.feed_forward == FeedForwardKind::kNone) return steps;
  const bool alone = steps.empty();
  if (alone || !layer.block.parallel) steps.emplace_back();
  std::vector<nn::Mixer> feed_forward;
  feed_forward.push_back(make_feed_forward(layer, find));
  join(steps.back(), std::move(feed_forward), layer, find, alone ? "norm.mixer" : "norm.mlp");
  return steps;
}

nn::Embedding make_embedding(const DecoderConfig& config, const SegmentParameters& find) {
  const EmbeddingConfig& embedding = config.embedding;
  return {.table = find.get("embed.weight"),
          .positions = find.find("positions.weight"),
          .position_offset = embedding.position_offset,
          .padding_id = embedding.pad_token_id.value_or(-1),
          .scale = embedding.scale,
          .dropout = embedding.dropout};
}

nn::Head make_head(const DecoderConfig& config,
                   const SegmentParameters& find,
                   const tensor::Weight& table,
                   const LoraSource& lora_of) {
  nn::Head head{.norm = find.norm("norm.final", config.norm),
                .projection = {},
                .logit_scale = config.head.logit_scale,
                .logit_softcap = config.head.logit_softcap,
                .normalised = config.head.normalised};
  for (const LayerConfig& layer : config.layers) {
    if (layer.feed_forward == FeedForwardKind::kMoe) head.aux_loss_coef = layer.moe.aux_loss_coef;
  }
  if (!config.head.tied) {
    head.projection = find.linear({"head"});
    return head;
  }
  head.projection.weight = table;
  head.projection.out_features = {config.vocab_size};
  if (config.head.bias) head.projection.bias = {find.get("head.bias")};
  if (lora_of)
    head.projection.lora = lora_of({config.names.modules.at("head").module}, head.projection.out_features);
  return head;
}

/// Calls copy(block of the parameter, block of the file's tensor) for every part that they share.
template <class Copy>
void each_block(const FileTensor& file, const at::Tensor& parameter, const at::Tensor& stored, Copy copy) {
  if (file.blocks.empty()) return copy(parameter, stored);
  for (const Block& block : file.blocks) {
    copy(
        parameter.as_strided(block.sizes, block.strides_here, parameter.storage_offset() + block.offset_here),
        stored.as_strided(block.sizes, block.strides_there, stored.storage_offset() + block.offset_there));
  }
}

/// A tensor of a file, without a copy; only to be read.
at::Tensor view_of(const io::TensorView& stored) {
  // from_blob wants a mutable pointer.
  return at::from_blob(
      const_cast<std::byte*>(stored.data), stored.shape, at::dtype(tensor::to_torch(stored.dtype)));
}

}  // namespace

tensor::Weight Decoder::find(const std::string& name) const {
  for (tensor::Unit* unit : unit_pointers()) {
    const auto& parameters = unit->parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (parameters[i].name == name) return {unit, i, 1};
    }
  }
  fail(ErrorCode::kInternal, "the model has no parameter ", name);
}

std::vector<const nn::Segment*> Decoder::segment_pointers() const {
  std::vector<const nn::Segment*> pointers;
  for (const auto& segment : segments) pointers.push_back(segment.get());
  return pointers;
}

std::vector<tensor::Unit*> Decoder::unit_pointers() const {
  std::vector<tensor::Unit*> pointers;
  for (const auto& unit : units) pointers.push_back(unit.get());
  if (buffers) pointers.push_back(buffers.get());
  for (const auto& unit : adapter_units) pointers.push_back(unit.get());
  return pointers;
}

Decoder build_decoder(const DecoderConfig& config,
                      const tensor::Unit::Options& options,
                      const LoraSource& lora_of) {
  Decoder decoder{config, model_weights(config), {}, nullptr, {}, {}};
  ensure(decoder.weights.size() == config.layers.size() + 2, "a decoder has an embedding, layers and a head");
  for (const SegmentWeights& segment : decoder.weights) decoder.units.push_back(make_unit(segment, options));
  decoder.buffers = make_buffers(decoder.weights, options);
  tensor::Unit* const buffers = decoder.buffers.get();

  RopeTables ropes;
  for (const RopeConfig& rope : config.ropes) {
    ropes.push_back(rope.rotary_dim > 0 ? std::make_shared<nn::RopeTable>(rope, options.device) : nullptr);
  }
  const SegmentParameters embed(*decoder.units.front(), buffers, decoder.weights.front(), lora_of);
  const nn::Embedding embedding = make_embedding(config, embed);
  decoder.segments.push_back(std::make_unique<nn::EmbedSegment>(decoder.weights.front().segment, embedding));
  bool router_before = false;
  for (size_t i = 0; i < config.layers.size(); ++i) {
    const SegmentWeights& weights = decoder.weights[i + 1];
    const SegmentParameters find(*decoder.units[i + 1], buffers, weights, lora_of);
    std::vector<nn::Step> steps = make_steps(config.layers[i], find, ropes);
    decoder.segments.push_back(std::make_unique<nn::DecoderBlock>(
        weights.segment, std::move(steps), find.units(), config.hidden_size, router_before));
    router_before = router_before || config.layers[i].feed_forward == FeedForwardKind::kMoe;
  }
  const SegmentParameters head(*decoder.units.back(), buffers, decoder.weights.back(), lora_of);
  decoder.segments.push_back(std::make_unique<nn::HeadSegment>(
      decoder.weights.back().segment, make_head(config, head, embedding.table, lora_of)));
  return decoder;
}

at::Tensor as_in_file(const FileTensor& file, const at::Tensor& parameter) {
  if (file.blocks.empty()) return parameter;
  at::Tensor stored = at::empty(file.shape, parameter.options());
  each_block(file, parameter, stored, [](const at::Tensor& here, at::Tensor there) { there.copy_(here); });
  return stored;
}

void load_weights(Decoder& decoder, const io::WeightFiles& files) {
  for (const MatchedWeight& matched : match_weights(decoder.config, files)) {
    const tensor::Weight weight = decoder.find(matched.parameter);
    const io::TensorView& stored = *matched.tensor;
    at::Tensor source = view_of(stored);
    if (matched.scales) {
      const QuantizationConfig& blocks = decoder.config.quantization;
      const at::ScalarType type = weight.unit->home(weight.first).scalar_type();
      source = blocks.kind == QuantizationConfig::Kind::kMxfp4
                   ? tensor::from_mxfp4(source, view_of(*matched.scales), type)
                   : tensor::from_fp8_blocks(
                         source, view_of(*matched.scales), blocks.block_rows, blocks.block_columns, type);
    }
    each_block(
        matched.place, weight.unit->home(weight.first), source, [](at::Tensor here, const at::Tensor& there) {
          here.copy_(there);
        });
    matched.file->drop_pages(stored);
  }
  for (tensor::Unit* unit : decoder.unit_pointers()) unit->home_changed();
}

void init_weights(Decoder& decoder, uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  init_weights(decoder, generator, {});
}

void init_weights(Decoder& decoder,
                  at::Generator& generator,
                  const std::function<void(const WeightSpec&)>& before) {
  const double std = decoder.config.initializer_range;
  for (const SegmentWeights& segment : decoder.weights) {
    for (const WeightSpec& spec : segment.weights) {
      const tensor::Weight weight = decoder.find(spec.name);
      at::Tensor value = weight.unit->home(weight.first);
      switch (spec.init) {
        case WeightSpec::Init::kNormal:
          if (before) before(spec);
          tensor::fill_normal(value, std, generator);
          break;
        case WeightSpec::Init::kZeros:
          value.zero_();
          break;
        case WeightSpec::Init::kOnes:
          value.fill_(1);
          break;
        case WeightSpec::Init::kLogIndex:
          value.copy_(at::arange(1, value.numel() + 1, at::kFloat).log_());
          break;
        case WeightSpec::Init::kLogUniform:
          if (before) before(spec);
          value.copy_(at::empty(value.sizes(), at::kFloat).uniform_(0.01, 16, generator).log_());
          break;
      }
    }
  }
  if (const auto padding = decoder.config.embedding.pad_token_id) {
    const tensor::Weight table = decoder.find(decoder.weights.front().weights.front().name);
    table.unit->home(table.first)[*padding].zero_();
  }
  for (tensor::Unit* unit : decoder.unit_pointers()) unit->home_changed();
}

}  // namespace automodel::models
