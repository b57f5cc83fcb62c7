#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/models/unit_types.h"
#include "tests/core/families/names.h"

namespace automodel::models {
namespace {

arch::DecoderConfig small_config() {
  arch::DecoderConfig config;
  config.names = families::names_of("llama");
  config.architecture = "LlamaForCausalLM";
  config.vocab_size = 41;
  config.hidden_size = 16;
  config.ropes = {{}};
  arch::LayerConfig layer;
  layer.attention.num_heads = 2;
  layer.attention.num_kv_heads = 1;
  layer.attention.head_dim = 8;
  layer.mlp.intermediate_size = 24;
  config.layers.assign(2, layer);
  return config;
}

/// A unit in place of another, of the same parameters with other options.
void replace(std::unique_ptr<tensor::FlatParameter>& unit, const tensor::FlatParameter::Options& options) {
  unit = std::make_unique<tensor::FlatParameter>(unit->name(), unit->parameters(), options);
}

std::unique_ptr<tensor::FlatParameter>& unit_named(Decoder& decoder, const std::string& name) {
  return *std::ranges::find_if(decoder.units, [&](const auto& unit) { return unit->name() == name; });
}

TEST(Decoder, VectorsLieApartFromMatricesWhereUnitsAreSplitByKind) {
  const Decoder decoder = build_decoder(small_config(), {}, {}, UnitSplit::kKind);
  std::vector<std::string> names;
  for (const auto& unit : decoder.units) {
    names.push_back(unit->name());
    for (const tensor::Parameter& parameter : unit->parameters())
      EXPECT_EQ(parameter.shape.size() == 1, unit->name().ends_with(".small")) << parameter.name;
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{
                "embed", "layers.0", "layers.0.small", "layers.1", "layers.1.small", "head", "head.small"}));
  EXPECT_EQ(build_decoder(small_config(), {}).units.size(), 4u) << "else one per segment";
}

TEST(Decoder, SaysWhereItLiesAndWhatItComputesIn) {
  const Decoder decoder = build_decoder(small_config(), {});
  EXPECT_EQ(device_of(decoder), at::Device(at::kCPU));
  EXPECT_EQ(compute_types(decoder), "float32");
  EXPECT_EQ(compute_type_of_layer(decoder, 1), at::kFloat);
}

TEST(Decoder, ItsFirstUnitDoesNotSpeakForTheOthers) {
  Decoder decoder = build_decoder(small_config(), {});
  tensor::FlatParameter::Options options;
  options.compute_dtype = at::kBFloat16;
  std::unique_ptr<tensor::FlatParameter>& matrices = unit_named(decoder, "layers.1");
  replace(matrices, options);
  EXPECT_EQ(compute_types(decoder), "float32, bfloat16");
  EXPECT_EQ(compute_type_of_layer(decoder, 0), at::kFloat);
  EXPECT_EQ(compute_type_of_layer(decoder, 1), at::kBFloat16);
  options.device = at::kMeta;
  replace(matrices, options);
  EXPECT_THROW(device_of(decoder), Error);
}

}  // namespace
}  // namespace automodel::models
