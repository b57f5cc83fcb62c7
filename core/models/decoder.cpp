#include "core/models/decoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/log.h>
#include <ATen/ops/rand.h>

#include "core/models/make_segments.h"
#include "core/models/plain_values.h"
#include "core/tensor/dtype.h"
#include "core/tensor/random.h"
#include "core/weights/parameters.h"

namespace automodel::models {
namespace {

/// Parameters that are gathered and sharded alike.
enum class UnitKind {
  kDense,
  kExperts,  ///< stacked by expert: shared by other ranks than the rest
  kSmall,    ///< vectors: cheaper to keep everywhere than to gather
};

constexpr std::array<std::pair<UnitKind, const char*>, 3> kUnitKinds = {
    std::pair{UnitKind::kDense, ""}, {UnitKind::kExperts, ".experts"}, {UnitKind::kSmall, ".small"}};

UnitKind kind_of(const weights::ParameterSpec& weight) {
  if (weight.role.starts_with("moe.experts.")) return UnitKind::kExperts;
  return weight.shape.size() <= 1 ? UnitKind::kSmall : UnitKind::kDense;
}

/// The parameters of a segment, together or by kind; kinds without any are left out. Matrices come first, so
/// that those which are applied as one lie side by side.
void make_units(const weights::SegmentWeights& segment,
                const tensor::FlatParameter::Options& options,
                UnitSplit split,
                std::vector<std::unique_ptr<tensor::FlatParameter>>& units) {
  for (const auto& [kind, suffix] : kUnitKinds) {
    if (split == UnitSplit::kSegment && kind != UnitKind::kDense) continue;
    std::vector<tensor::Parameter> parameters;
    for (const weights::ParameterSpec& weight : segment.weights) {
      if (weight.kind != weights::ParameterSpec::Kind::kBuffer &&
          (split == UnitSplit::kSegment || kind_of(weight) == kind))
        parameters.push_back({weight.name, weight.shape});
    }
    if (parameters.empty()) continue;
    std::stable_partition(parameters.begin(), parameters.end(), [](const tensor::Parameter& parameter) {
      return parameter.shape.size() == 2;
    });
    units.push_back(
        std::make_unique<tensor::FlatParameter>(segment.segment + suffix, std::move(parameters), options));
  }
}

/// The buffers of all segments; null where there are none.
std::unique_ptr<tensor::FlatParameter> make_buffers(const std::vector<weights::SegmentWeights>& segments,
                                                    const tensor::FlatParameter::Options& options) {
  std::vector<tensor::Parameter> parameters;
  for (const weights::SegmentWeights& segment : segments) {
    for (const weights::ParameterSpec& weight : segment.weights) {
      if (weight.kind == weights::ParameterSpec::Kind::kBuffer)
        parameters.push_back({weight.name, weight.shape});
    }
  }
  if (parameters.empty()) return nullptr;
  tensor::FlatParameter::Options fixed;
  fixed.device = options.device;
  fixed.trainable = false;
  fixed.placement = options.placement;
  fixed.poison_released = options.poison_released;
  return std::make_unique<tensor::FlatParameter>("buffers", std::move(parameters), fixed);
}

/// Calls copy(block of the parameter, block of the file's tensor) for every part that they share.
template <class Copy>
void each_block(const weights::FileTensor& file,
                const at::Tensor& parameter,
                const at::Tensor& stored,
                Copy copy) {
  if (file.blocks.empty()) return copy(parameter, stored);
  for (const weights::Block& block : file.blocks) {
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

std::vector<tensor::FlatParameter*> Decoder::unit_pointers() const {
  std::vector<tensor::FlatParameter*> pointers;
  for (const auto& unit : units) pointers.push_back(unit.get());
  if (buffers) pointers.push_back(buffers.get());
  for (const auto& unit : adapter_units) pointers.push_back(unit.get());
  return pointers;
}

Decoder build_decoder(const arch::DecoderConfig& config,
                      const tensor::FlatParameter::Options& options,
                      const LoraSource& lora_of,
                      UnitSplit split) {
  Decoder decoder{config, weights::model_weights(config), {}, nullptr, {}, {}, {}};
  ensure(decoder.weights.size() == config.layers.size() + 2, "a decoder has an embedding, layers and a head");
  for (const weights::SegmentWeights& segment : decoder.weights)
    make_units(segment, options, split, decoder.units);
  decoder.buffers = make_buffers(decoder.weights, options);
  rebuild_segments(decoder, lora_of);
  return decoder;
}

void rebuild_segments(Decoder& decoder, const LoraSource& lora_of) {
  decoder.places.clear();
  const auto place = [&](tensor::FlatParameter* unit) {
    for (size_t i = 0; i < unit->parameters().size(); ++i)
      decoder.places.emplace(unit->parameters()[i].name, tensor::Weight{unit, i, 1});
  };
  for (const auto& unit : decoder.units) place(unit.get());
  if (decoder.buffers) place(decoder.buffers.get());
  decoder.segments = make_segments(decoder, lora_of);
}

at::Tensor as_in_file(const weights::FileTensor& file, const at::Tensor& parameter) {
  if (file.blocks.empty()) return parameter;
  at::Tensor stored = at::empty(file.shape, parameter.options());
  each_block(file, parameter, stored, [](const at::Tensor& here, at::Tensor there) { there.copy_(here); });
  return stored;
}

void load_weights(Decoder& decoder, const io::WeightFiles& files) {
  for (const weights::MatchedWeight& matched : weights::match_weights(decoder.config, files)) {
    const tensor::Weight weight = decoder.find(matched.parameter);
    const at::Tensor source =
        plain_values(matched, decoder.config.quantization, weight.unit->options().main_dtype);
    weight.unit->write_main_weight(weight.first, [&](const at::Tensor& parameter) {
      each_block(matched.place, parameter, source, [](at::Tensor here, const at::Tensor& there) {
        here.copy_(there);
      });
    });
    matched.file->drop_pages(*matched.tensor);
  }
}

void init_weights(Decoder& decoder, uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  init_weights(decoder, generator, {});
}

namespace {

/// The inverse of softplus at time steps whose logarithms are uniform.
at::Tensor first_time_steps(int64_t count, const arch::FirstSteps& steps, at::Generator& generator) {
  const double low = std::log(steps.min);
  const at::Tensor step = at::rand({count}, generator, at::kFloat)
                              .mul_(std::log(steps.max) - low)
                              .add_(low)
                              .exp_()
                              .clamp_min_(steps.floor);
  return step + at::log(-at::expm1(-step));
}

/// Draws the parameters of one segment.
class Draw {
 public:
  Draw(Decoder& decoder, const weights::SegmentWeights& segment, at::Generator& generator)
      : decoder_(decoder), segment_(segment), generator_(generator) {}

  void fill(const weights::ParameterSpec& spec) {
    write(spec, [&](at::Tensor value) { first_draw(spec, std::move(value)); });
  }

  /// The second draw of what a module scales by the depth when all of its parts are drawn.
  void scale(const weights::ParameterSpec& spec) {
    const auto layers = static_cast<double>(decoder_.config.layers.size());
    write(spec, [&](at::Tensor value) {
      if (spec.init == weights::ParameterSpec::Init::kNormalByDepth)
        return normal(spec, value, decoder_.config.initializer_range / std::sqrt(2 * layers));
      const double bound = 1 / std::sqrt(static_cast<double>(spec.shape.at(1)));
      const at::Tensor uniform = at::empty(value.sizes(), value.options().device(at::kCPU));
      value.copy_(uniform.uniform_(-bound, bound, generator_).div_(std::sqrt(layers)));
    });
  }

 private:
  void write(const weights::ParameterSpec& spec, const std::function<void(at::Tensor)>& write_value) const {
    const tensor::Weight weight = decoder_.find(spec.name);
    weight.unit->write_main_weight(weight.first, write_value);
  }

  void first_draw(const weights::ParameterSpec& spec, at::Tensor value) {
    using Init = weights::ParameterSpec::Init;
    switch (spec.init) {
      case Init::kNormal:
      case Init::kNormalByDepth:
      case Init::kUniformByDepth:
        return normal(spec, value, decoder_.config.initializer_range);
      case Init::kZeros:
        value.zero_();
        return;
      case Init::kOnes:
        value.fill_(1);
        return;
      case Init::kLogIndex:
        value.copy_(at::arange(1, value.numel() + 1, at::kDouble).log_());
        return;
      case Init::kLogUniform:
        value.copy_(at::empty(value.sizes(), at::kFloat).uniform_(0.01, 16, generator_).log_());
        return;
      case Init::kTimeStep: {
        const auto& steps = decoder_.config.layers.at(segment_.layer.value()).mamba2.first_steps;
        value.copy_(first_time_steps(value.numel(), steps.value(), generator_));
        return;
      }
    }
  }

  /// Drawn as the file has it: transposed or by group where that is how transformers' module is.
  void normal(const weights::ParameterSpec& spec, const at::Tensor& value, double std) const {
    const bool as_it_stands = spec.files.size() != 1 || spec.files.front().blocks.empty();
    if (as_it_stands) return tensor::fill_normal(value, std, generator_);
    const at::Tensor drawn = at::empty(spec.files.front().shape, value.options());
    tensor::fill_normal(drawn, std, generator_);
    each_block(spec.files.front(), value, drawn, [](at::Tensor here, const at::Tensor& there) {
      here.copy_(there);
    });
  }

  Decoder& decoder_;
  const weights::SegmentWeights& segment_;
  at::Generator& generator_;
};

bool is_random(weights::ParameterSpec::Init init) {
  using Init = weights::ParameterSpec::Init;
  return init != Init::kZeros && init != Init::kOnes && init != Init::kLogIndex;
}

bool is_scaled(weights::ParameterSpec::Init init) {
  return init == weights::ParameterSpec::Init::kNormalByDepth ||
         init == weights::ParameterSpec::Init::kUniformByDepth;
}

/// "attention" of "attention.q.weight".
std::string_view module_of(const weights::ParameterSpec& spec) {
  return std::string_view(spec.role).substr(0, spec.role.find('.'));
}

}  // namespace

void init_weights(Decoder& decoder,
                  at::Generator& generator,
                  const std::function<void(const weights::ParameterSpec&)>& before) {
  for (const weights::SegmentWeights& segment : decoder.weights) {
    Draw draw(decoder, segment, generator);
    const std::vector<weights::ParameterSpec>& specs = segment.weights;
    const weights::ParameterSpec* scaled = nullptr;
    for (size_t k = 0; k < specs.size(); ++k) {
      if (before && is_random(specs[k].init)) before(specs[k]);
      draw.fill(specs[k]);
      if (is_scaled(specs[k].init)) scaled = &specs[k];
      const bool module_ends = k + 1 == specs.size() || module_of(specs[k + 1]) != module_of(specs[k]);
      if (scaled && module_ends) draw.scale(*std::exchange(scaled, nullptr));
    }
  }
  if (const auto padding = decoder.config.embedding.pad_token_id) {
    const tensor::Weight table = decoder.find(decoder.weights.front().weights.front().name);
    table.unit->write_main_weight(table.first, [&](const at::Tensor& value) { value[*padding].zero_(); });
  }
}

}  // namespace automodel::models
