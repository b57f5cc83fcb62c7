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
void replace(std::unique_ptr<tensor::Unit>& unit, const tensor::Unit::Options& options) {
  unit = std::make_unique<tensor::Unit>(unit->name(), unit->parameters(), options);
}

TEST(Decoder, SaysWhereItLiesAndWhatItComputesIn) {
  const Decoder decoder = build_decoder(small_config(), {});
  EXPECT_EQ(device_of(decoder), at::Device(at::kCPU));
  EXPECT_EQ(compute_types(decoder), "float32");
  EXPECT_EQ(compute_type_of_layer(decoder, 1), at::kFloat);
}

TEST(Decoder, ItsFirstUnitDoesNotSpeakForTheOthers) {
  Decoder decoder = build_decoder(small_config(), {});
  tensor::Unit::Options options;
  options.compute_dtype = at::kBFloat16;
  replace(decoder.units[2], options);
  EXPECT_EQ(compute_types(decoder), "float32, bfloat16");
  EXPECT_EQ(compute_type_of_layer(decoder, 0), at::kFloat);
  EXPECT_EQ(compute_type_of_layer(decoder, 1), at::kBFloat16);
  options.device = at::kMeta;
  replace(decoder.units[2], options);
  EXPECT_THROW(device_of(decoder), Error);
}

}  // namespace
}  // namespace automodel::models
