#include "core/models/decoder.h"

#include <algorithm>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include "core/models/make_segments.h"
#include "core/models/plain_values.h"
#include "core/tensor/dtype.h"
#include "core/tensor/random.h"

namespace automodel::models {
namespace {

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

}  // namespace

tensor::Weight Decoder::find(const std::string& name) const {
  if (const auto place = places.find(name); place != places.end()) return place->second;
  for (const auto& unit : adapter_units) {
    const auto& parameters = unit->parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (parameters[i].name == name) return {unit.get(), i, 1};
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
  Decoder decoder{config, model_weights(config), {}, nullptr, {}, {}, {}};
  ensure(decoder.weights.size() == config.layers.size() + 2, "a decoder has an embedding, layers and a head");
  for (const SegmentWeights& segment : decoder.weights) decoder.units.push_back(make_unit(segment, options));
  decoder.buffers = make_buffers(decoder.weights, options);
  for (tensor::Unit* unit : decoder.unit_pointers()) {
    for (size_t i = 0; i < unit->parameters().size(); ++i)
      decoder.places.emplace(unit->parameters()[i].name, tensor::Weight{unit, i, 1});
  }
  decoder.segments = make_segments(decoder, lora_of);
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
    const at::Tensor source =
        plain_values(matched, decoder.config.quantization, weight.unit->home(weight.first).scalar_type());
    each_block(
        matched.place, weight.unit->home(weight.first), source, [](at::Tensor here, const at::Tensor& there) {
          here.copy_(there);
        });
    matched.file->drop_pages(*matched.tensor);
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
