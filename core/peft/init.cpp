#include <cmath>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>

#include "core/models/unit_types.h"
#include "core/peft/adapters.h"
#include "core/tensor/dtype.h"

namespace automodel::peft {
namespace {

/// Takes from the generator what normal_ of `count` elements takes: one number each, and 16 more for the last
/// block of 16 when that is not full.
void pass_over(at::Generator& generator, int64_t count) {
  constexpr int64_t kBlock = 16;
  if (count < kBlock) {
    at::empty({count}, at::kFloat).normal_(0, 1, generator);
    return;
  }
  auto* numbers = at::check_generator<at::CPUGeneratorImpl>(generator);
  for (int64_t i = 0; i < count + (count % kBlock == 0 ? 0 : kBlock); ++i) numbers->random();
}

/// The reference initialises the model with adapters in it: every linear draws A, B, then its weight.
void replay_model(models::Decoder& decoder,
                  const AdapterSpec& spec,
                  at::Generator& generator,
                  bool base_too) {
  const auto before = [&](const weights::ParameterSpec& weight) {
    for (const LinearShape& linear : spec.linears) {
      if (linear.module + ".weight" != weight.name) continue;
      pass_over(generator, spec.rank * linear.in);
      pass_over(generator, spec.rank * linear.out);
    }
  };
  if (base_too) {
    models::init_weights(decoder, generator, before);
  } else {
    for (const weights::SegmentWeights& segment : decoder.weights) {
      for (const weights::ParameterSpec& weight : segment.weights) {
        if (weight.init != weights::ParameterSpec::Init::kNormal) continue;
        before(weight);
        pass_over(generator, weights::num_elements(weight.shape));
      }
    }
  }
  if (!decoder.config.head.tied) return;
  // A tied head is drawn as well.
  weights::ParameterSpec head = decoder.weights.front().weights.front();
  head.name = decoder.config.names.weight("head");
  before(head);
  pass_over(generator, weights::num_elements(head.shape));
}

}  // namespace

void init_adapters(models::Decoder& decoder,
                   const AdapterSpec& spec,
                   bool xavier,
                   uint64_t seed,
                   bool base_too,
                   DType drawn) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  if (base_too || models::device_of(decoder).is_cpu()) replay_model(decoder, spec, generator, base_too);
  for (const LinearShape& linear : spec.linears) {
    const tensor::Weight a = decoder.find(lora_a_name(linear.module));
    at::Tensor value = at::empty(a.unit->parameters()[a.first].shape, at::dtype(tensor::to_torch(drawn)));
    if (xavier) {
      value.normal_(0, std::sqrt(2.0 / static_cast<double>(linear.in + spec.rank)), generator);
    } else {
      const double bound = 1 / std::sqrt(static_cast<double>(linear.in));
      value.uniform_(-bound, bound, generator);
    }
    a.unit->write_main_weight(a.first, [&](const at::Tensor& weight) { weight.copy_(value); });
    const tensor::Weight b = decoder.find(lora_b_name(linear.module));
    b.unit->write_main_weight(b.first, [](const at::Tensor& weight) { weight.zero_(); });
  }
}

}  // namespace automodel::peft
