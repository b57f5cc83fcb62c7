#include "core/peft/adapters.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>

#include "core/engine/executor.h"
#include "core/optim/optimizer.h"
#include "core/peft/adapter_files.h"
#include "tests/core/families/names.h"

namespace automodel::peft {
namespace {

arch::DecoderConfig small_config(bool tied) {
  arch::DecoderConfig config;
  config.names = families::names_of("llama");
  config.architecture = "LlamaForCausalLM";
  config.vocab_size = 41;
  config.hidden_size = 16;
  config.head.tied = tied;
  config.ropes = {{}};
  arch::LayerConfig layer;
  layer.attention.num_heads = 2;
  layer.attention.num_kv_heads = 1;
  layer.attention.head_dim = 8;
  layer.attention.q_bias = true;
  layer.mlp.intermediate_size = 24;
  config.layers.assign(2, layer);
  return config;
}

struct Adapted {
  AdapterSpec spec;
  models::Decoder decoder;

  Adapted(const config::PeftConfig& peft, bool tied, tensor::FlatParameter::Options options = {})
      : spec(adapter_spec(peft, small_config(tied))) {
    auto units = make_units(spec, options);
    options.trainable = false;
    decoder = models::build_decoder(small_config(tied), options, lora_source(spec, units));
    decoder.adapter_units = std::move(units);
  }
};

config::PeftConfig everything() {
  config::PeftConfig peft;
  peft.match_all_linear = true;
  peft.dim = 3;
  return peft;
}

TEST(Adapters, AreTheirOwnUnitsAndAFrozenBaseHasNoGradientsAndNoState) {
  Adapted model(everything(), false);
  init_adapters(model.decoder, model.spec, true, 1, true, DType::kFloat32);
  EXPECT_EQ(model.decoder.adapter_units.size(), 3U);  // two layers, the head
  engine::Executor executor(model.decoder.segment_pointers(), model.decoder.unit_pointers(), {});
  nn::MicroBatch batch;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(2);
  batch.input_ids_BT = at::empty({2, 5}, at::kLong).random_(0, 41, generator);
  batch.labels_BT = at::empty({2, 5}, at::kLong).random_(0, 41, generator);
  executor.train({batch});
  for (const auto& unit : model.decoder.units) EXPECT_FALSE(unit->grads().defined()) << unit->name();
  for (const auto& unit : model.decoder.adapter_units)
    EXPECT_GT(unit->grads().abs().sum().item<float>(), 0) << unit->name();
  const optim::Optimizer optimizer({}, model.decoder.unit_pointers());
  EXPECT_EQ(optimizer.state().size(), 2 * model.decoder.adapter_units.size());
  EXPECT_EQ(model.spec.num_parameters(), 3 * (2 * (32 + 24 + 24 + 32 + 40 + 40 + 40) + 16 + 41));
}

/// What normal_ would have left in the generator: the next draws of passed-over and of drawn numbers agree.
TEST(Adapters, OfAWeightThatFilesHoldTransposedAreRefused) {
  arch::DecoderConfig config = small_config(true);
  config.names.modules.at("mlp.up").layout = arch::Layout::kTransposed;
  config::PeftConfig peft = everything();
  try {
    adapter_spec(peft, config);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_NE(error.message().find("model.layers.0.mlp.up_proj"), std::string::npos) << error.message();
  }
  peft.match_all_linear = false;
  peft.target_modules = {"*.down_proj"};
  EXPECT_EQ(adapter_spec(peft, config).linears.size(), 2U);
}

TEST(Adapters, PassingOverABaseDrawsWhatDrawingItDraws) {
  for (const bool tied : {false, true}) {
    Adapted drawn(everything(), tied), passed(everything(), tied);
    init_adapters(drawn.decoder, drawn.spec, true, 5, true, DType::kFloat32);
    init_adapters(passed.decoder, passed.spec, true, 5, false, DType::kFloat32);
    for (const LinearShape& linear : drawn.spec.linears) {
      const auto value = [&](Adapted& model) {
        const tensor::Weight a = model.decoder.find(lora_a_name(linear.module));
        return a.unit->main_weight(a.first);
      };
      EXPECT_TRUE(at::equal(value(drawn), value(passed))) << linear.module;
      EXPECT_GT(value(drawn).abs().min().item<float>(), 0) << linear.module;
    }
  }
}

TEST(Adapters, AFolderGivesBackWhatWasWritten) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("adapters_test_" + std::to_string(::getpid()));
  Adapted model(everything(), true), other(everything(), true);
  init_adapters(model.decoder, model.spec, false, 7, true, DType::kFloat32);
  write_adapter(folder, model.decoder, model.spec, everything(), "base/model", DType::kFloat32);
  const AdapterFolder stored = read_adapter(folder);
  EXPECT_EQ(stored.base_model, "base/model");
  EXPECT_TRUE(same_adapters(stored.spec, model.spec));
  const AdapterSpec placed = place_in(stored, small_config(true));
  EXPECT_EQ(placed.linears.size(), model.spec.linears.size());
  load_adapter(other.decoder, placed, stored);
  for (size_t i = 0; i < model.decoder.adapter_units.size(); ++i)
    EXPECT_TRUE(at::equal(model.decoder.adapter_units[i]->main_weights(),
                          other.decoder.adapter_units[i]->main_weights()));
  arch::DecoderConfig wider = small_config(true);
  wider.hidden_size = 32;
  EXPECT_THROW(place_in(stored, wider), Error);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace automodel::peft
