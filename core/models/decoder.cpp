#include "core/models/decoder.h"

#include <algorithm>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/from_blob.h>

#include "core/models/match_weights.h"
#include "core/nn/decoder_segments.h"
#include "core/tensor/dtype.h"
#include "core/tensor/random.h"

namespace automodel::models {
namespace {

constexpr const char* kHeadModule = "lm_head";

/// Finds the handles of one segment's parameters by the end of their names.
class SegmentParameters {
 public:
  SegmentParameters(tensor::Unit& unit, const LoraSource& lora_of) : unit_(unit), lora_of_(lora_of) {}

  /// A null handle when there is no such parameter.
  tensor::Weight find(const std::string& suffix) const {
    const auto& parameters = unit_.parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      const std::string& name = parameters[i].name;
      if (name == suffix || name.ends_with("." + suffix)) return {&unit_, i, 1};
    }
    return {};
  }

  tensor::Weight get(const std::string& suffix) const {
    const tensor::Weight weight = find(suffix);
    ensure(static_cast<bool>(weight), unit_.name(), " has no parameter ", suffix);
    return weight;
  }

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
    return layer;
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
  const LoraSource& lora_of_;
};

std::unique_ptr<tensor::Unit> make_unit(const SegmentWeights& segment, const tensor::Unit::Options& options) {
  std::vector<tensor::Parameter> parameters;
  for (const WeightSpec& weight : segment.weights) parameters.push_back({weight.name, weight.shape});
  std::stable_partition(parameters.begin(), parameters.end(), [](const tensor::Parameter& parameter) {
    return parameter.shape.size() == 2;
  });
  return std::make_unique<tensor::Unit>(segment.segment, std::move(parameters), options);
}

nn::Attention make_attention(const LayerConfig& layer,
                             const SegmentParameters& find,
                             double eps,
                             const std::vector<std::shared_ptr<const nn::RopeTable>>& ropes) {
  nn::Attention attention;
  attention.config = layer.attention;
  attention.input_norm = {find.get("input_layernorm.weight"), eps};
  attention.qkv = find.linear({"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"});
  attention.output = find.linear({"self_attn.o_proj"});
  if (layer.attention.qk_norm == QkNorm::kPerHead) {
    attention.q_norm = {find.get("self_attn.q_norm.weight"), eps};
    attention.k_norm = {find.get("self_attn.k_norm.weight"), eps};
  }
  attention.rope = ropes.at(static_cast<size_t>(layer.attention.rope));
  return attention;
}

nn::Mlp make_mlp(const LayerConfig& layer, const SegmentParameters& find, double eps) {
  nn::Mlp mlp;
  mlp.config = layer.mlp;
  mlp.input_norm = {find.get("post_attention_layernorm.weight"), eps};
  mlp.gate_up = find.linear({"mlp.gate_proj", "mlp.up_proj"});
  mlp.down = find.linear({"mlp.down_proj"});
  return mlp;
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
  for (const auto& unit : adapter_units) pointers.push_back(unit.get());
  return pointers;
}

Decoder build_decoder(const DecoderConfig& config,
                      const tensor::Unit::Options& options,
                      const LoraSource& lora_of) {
  Decoder decoder{config, model_weights(config), {}, {}, {}};
  ensure(decoder.weights.size() == config.layers.size() + 2, "a decoder has an embedding, layers and a head");
  for (const SegmentWeights& segment : decoder.weights) decoder.units.push_back(make_unit(segment, options));

  std::vector<std::shared_ptr<const nn::RopeTable>> ropes;
  for (const RopeConfig& rope : config.ropes) {
    ropes.push_back(rope.rotary_dim > 0 ? std::make_shared<nn::RopeTable>(rope, options.device) : nullptr);
  }
  const tensor::Weight table = SegmentParameters(*decoder.units.front(), lora_of).get("embed_tokens.weight");
  decoder.segments.push_back(std::make_unique<nn::EmbedSegment>(
      decoder.weights.front().segment, table, config.hidden_size, config.pad_token_id.value_or(-1)));
  for (size_t i = 0; i < config.layers.size(); ++i) {
    const SegmentParameters find(*decoder.units[i + 1], lora_of);
    decoder.segments.push_back(
        std::make_unique<nn::DecoderBlock>(decoder.weights[i + 1].segment,
                                           make_attention(config.layers[i], find, config.rms_norm_eps, ropes),
                                           make_mlp(config.layers[i], find, config.rms_norm_eps),
                                           config.hidden_size));
  }
  const SegmentParameters find(*decoder.units.back(), lora_of);
  const ops::Norm norm{find.get("norm.weight"), config.rms_norm_eps};
  ops::Linear projection;
  projection.weight = config.tie_word_embeddings ? table : find.get("lm_head.weight");
  projection.out_features = {config.vocab_size};
  if (lora_of) projection.lora = lora_of({kHeadModule}, projection.out_features);
  decoder.segments.push_back(
      std::make_unique<nn::HeadSegment>(decoder.weights.back().segment, norm, std::move(projection)));
  return decoder;
}

void load_weights(Decoder& decoder, const io::WeightFiles& files) {
  for (const MatchedWeight& matched : match_weights(decoder.config, files)) {
    const tensor::Weight weight = decoder.find(matched.spec.name);
    const io::TensorView& stored = *matched.tensor;
    // from_blob wants a mutable pointer; the copy only reads.
    const at::Tensor source = at::from_blob(
        const_cast<std::byte*>(stored.data), stored.shape, at::dtype(tensor::to_torch(stored.dtype)));
    weight.unit->home(weight.first).copy_(source);
    matched.file->drop_pages(stored);
  }
  for (const auto& unit : decoder.units) unit->home_changed();
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
      }
    }
  }
  if (decoder.config.pad_token_id) {
    const tensor::Weight table = decoder.find("model.embed_tokens.weight");
    table.unit->home(table.first)[*decoder.config.pad_token_id].zero_();
  }
  for (const auto& unit : decoder.units) unit->home_changed();
}

}  // namespace automodel::models
