#include "core/config/recipe/load.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace automodel::config {
namespace {

constexpr const char* kModelAndData =
    "model:\n"
    "  _target_: nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained\n"
    "  pretrained_model_name_or_path: some/model\n"
    "dataset:\n"
    "  _target_: nemo_automodel.components.datasets.llm.chat_dataset.ChatDataset\n"
    "  path_or_dataset_id: rows.jsonl\n";

class Load : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) {
    std::ofstream(path_) << text;
    return path_;
  }

  Recipe load(const std::string& more, const std::vector<Override>& overrides = {}) {
    return load_recipe(write(kModelAndData + more), overrides);
  }

  /// The error of a recipe that is refused.
  std::string refusal(const std::string& more, ErrorCode expected = ErrorCode::kConfig) {
    try {
      load(more);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), expected) << error.what();
      return error.message();
    }
    ADD_FAILURE() << "accepted: " << more;
    return "";
  }

  void TearDown() override { std::filesystem::remove(path_); }

 private:
  std::filesystem::path path_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".yaml");
};

TEST_F(Load, SilentRecipeHasTheReferencesDefaults) {
  const Recipe recipe = load("");
  EXPECT_EQ(recipe.seed, 42);
  EXPECT_EQ(recipe.step_scheduler.global_batch_size, 32);
  EXPECT_EQ(recipe.step_scheduler.num_epochs, 10);
  EXPECT_EQ(recipe.step_scheduler.ckpt_every_steps, 100);
  EXPECT_EQ(recipe.step_scheduler.preemption_signals, std::vector<int>{15});
  EXPECT_TRUE(recipe.checkpoint.enabled);
  EXPECT_EQ(recipe.checkpoint.checkpoint_dir, "checkpoints/");
  EXPECT_EQ(recipe.checkpoint.save_consolidated, "final");
  EXPECT_EQ(recipe.max_grad_norm, 1.0);
  EXPECT_FALSE(recipe.lr_scheduler.has_value());
  EXPECT_EQ(recipe.dataset.split, "train");
  EXPECT_EQ(recipe.model.torch_dtype, "auto");
  EXPECT_EQ(recipe.distributed.recompute, RecomputeLevel::kCheap);
  EXPECT_FALSE(recipe.dataloader.shuffle.has_value());
  EXPECT_TRUE(recipe.validation_datasets.empty());
}

TEST_F(Load, SeedOfRngSectionDoesNotCount) {
  EXPECT_EQ(load("rng: {seed: 1111}\n").seed, 42);
}

TEST_F(Load, EpochsAreTenWhenAbsentAndOpenWhenNull) {
  EXPECT_EQ(load("step_scheduler: {num_epochs: none, max_steps: 5}\n").step_scheduler.num_epochs,
            std::nullopt);
  EXPECT_EQ(load("step_scheduler: {max_steps: 5}\n").step_scheduler.num_epochs, 10);
}

TEST_F(Load, WeightDecayDefaultsFollowTheClass) {
  EXPECT_EQ(load("optimizer: {_target_: torch.optim.AdamW}\n").optimizer.weight_decay, 0.01);
  EXPECT_EQ(load("optimizer: {_target_: torch.optim.Adam}\n").optimizer.weight_decay, 0.0);
  EXPECT_EQ(load("optimizer: {_target_: torch.optim.SGD, momentum: 0.9}\n").optimizer.momentum, 0.9);
  const OptimizerConfig adam =
      load("optimizer: {_target_: torch.optim.Adam, lr: 1e-5, betas: [0.8, 0.9]}\n").optimizer;
  EXPECT_EQ(adam.kind, OptimizerConfig::Kind::kAdam);
  EXPECT_EQ(adam.lr, 1e-5);
  EXPECT_EQ(adam.beta1, 0.8);
  EXPECT_EQ(adam.beta2, 0.9);
}

TEST_F(Load, StochasticRoundingIsRefusedBesideMasterWeights) {
  EXPECT_TRUE(load("optimizer: {bf16_stochastic_round: true}\n").optimizer.bf16_stochastic_round);
  EXPECT_NE(
      refusal("optimizer: {bf16_stochastic_round: true, master_weights: true}\n").find("nothing to round"),
      std::string::npos);
}

TEST_F(Load, SectionWithOnlyAStyleIsAScheduleWithDefaults) {
  const LrSchedulerConfig schedule = *load("lr_scheduler: {lr_decay_style: linear}\n").lr_scheduler;
  EXPECT_EQ(schedule.lr_decay_style, "linear");
  EXPECT_EQ(schedule.lr_warmup_steps, std::nullopt);
  EXPECT_EQ(schedule.min_lr, std::nullopt);
}

TEST_F(Load, SignalsByNumberNameListAndNull) {
  const auto signals = [&](const std::string& value) {
    return load("step_scheduler: {preemption_signal: " + value + "}\n").step_scheduler.preemption_signals;
  };
  EXPECT_EQ(signals("SIGUSR1"), std::vector<int>{10});
  EXPECT_EQ(signals("12"), std::vector<int>{12});
  EXPECT_EQ(signals("[SIGTERM, 10]"), (std::vector<int>{15, 10}));
  EXPECT_EQ(signals("null"), std::vector<int>{});
  EXPECT_NE(refusal("step_scheduler: {preemption_signal: SIGKILL}\n").find("SIGKILL"), std::string::npos);
}

TEST_F(Load, ConsolidatedInItsForms) {
  const auto form = [&](const std::string& value) {
    return load("checkpoint: {save_consolidated: " + value + "}\n").checkpoint.save_consolidated;
  };
  EXPECT_EQ(form("true"), "every");
  EXPECT_EQ(form("false"), "false");
  EXPECT_EQ(form("final"), "final");
  EXPECT_EQ(form("every"), "every");
  EXPECT_NE(refusal("checkpoint: {save_consolidated: last}\n").find("expected one of final, every"),
            std::string::npos);
}

TEST_F(Load, NamedValidationSetsKeepTheirNamesAndOrder) {
  const std::string set =
      ": {_target_: nemo_automodel.components.datasets.llm.chat_dataset.ChatDataset, path_or_dataset_id: "
      "v.jsonl}\n";
  const Recipe recipe =
      load("validation_dataset_math" + set + "validation_dataset" + set + "validation_dataset_code" + set);
  ASSERT_EQ(recipe.validation_datasets.size(), 3u);
  EXPECT_EQ(recipe.validation_datasets[0].name, "math");
  EXPECT_EQ(recipe.validation_datasets[1].name, "default");
  EXPECT_EQ(recipe.validation_datasets[2].name, "code");
  EXPECT_TRUE(load("validation_dataset: none\n").validation_datasets.empty());
}

TEST_F(Load, ModelFieldsBecomeConfigOverrides) {
  const Recipe recipe = load(
      "", {{"model.num_hidden_layers", "2"}, {"model.rope_scaling", "{'type': 'linear', 'factor': 2.0}"}});
  EXPECT_EQ(recipe.model.config_overrides,
            R"({"num_hidden_layers":2,"rope_scaling":{"type":"linear","factor":2.0}})");
}

TEST_F(Load, ConfigByNameAndWritten) {
  const std::string head =
      "model:\n  _target_: nemo_automodel.NeMoAutoModelForCausalLM.from_config\n  config:\n";
  const std::string data = std::string(kModelAndData).substr(std::string(kModelAndData).find("dataset:"));
  const Recipe named = load_recipe(write(head +
                                         "    _target_: transformers.AutoConfig.from_pretrained\n    "
                                         "pretrained_model_name_or_path: tiny\n    vocab_size: 8\n" +
                                         data),
                                   {});
  EXPECT_EQ(named.model.source, ModelSource::kConfig);
  EXPECT_EQ(named.model.path, "tiny");
  EXPECT_EQ(named.model.torch_dtype, "bfloat16");
  EXPECT_EQ(named.model.config_overrides, R"({"vocab_size":8})");
  const Recipe written =
      load_recipe(write(head + "    _target_: transformers.LlamaConfig\n    hidden_size: 64\n" + data), {});
  EXPECT_EQ(written.model.inline_config, R"({"architectures":["LlamaForCausalLM"],"hidden_size":64})");
  EXPECT_TRUE(written.model.path.empty());
}

TEST_F(Load, DatasetsTokenizerWins) {
  const std::string more =
      "  tokenizer: {pretrained_model_name_or_path: other, add_bos_token: true}\ntokenizer: "
      "{pretrained_model_name_or_path: top}\n";
  const Recipe recipe = load(more);
  EXPECT_EQ(recipe.tokenizer.path, "other");
  EXPECT_EQ(recipe.tokenizer.add_bos_token, true);
}

TEST_F(Load, PaddingAndTruncationAcceptBooleans) {
  const DatasetConfig set = load("  padding: true\n  truncation: false\n  seq_length: 16\n").dataset;
  EXPECT_EQ(set.padding, "longest");
  EXPECT_EQ(set.truncation, "do_not_truncate");
  EXPECT_EQ(set.seq_length, 16);
}

TEST_F(Load, ClippingIsOffWithNull) {
  EXPECT_EQ(load("clip_grad_norm: {max_norm: null}\n").max_grad_norm, std::nullopt);
}

TEST_F(Load, ActivationCheckpointingLevels) {
  const auto level = [&](const std::string& value) {
    return load("distributed: {activation_checkpointing: " + value + "}\n").distributed.recompute;
  };
  EXPECT_EQ(level("true"), RecomputeLevel::kBlock);
  EXPECT_EQ(level("full"), RecomputeLevel::kBlock);
  EXPECT_EQ(level("selective"), RecomputeLevel::kCheap);
  EXPECT_EQ(level("false"), RecomputeLevel::kCheap);
}

TEST_F(Load, MixedPrecisionTypesInTorchsWords) {
  const DistributedConfig distributed =
      load("distributed: {dp_size: none, mp_policy: {param_dtype: bf16, reduce_dtype: torch.float32}}\n")
          .distributed;
  EXPECT_EQ(distributed.param_dtype, "bfloat16");
  EXPECT_EQ(distributed.reduce_dtype, "float32");
  EXPECT_EQ(distributed.dp_size, std::nullopt);
}

TEST_F(Load, OneErrorNamesAllRefusalsWithTheirLines) {
  const std::string message = refusal("sead: 1\nfp8: {enabled: true}\noptimizer: {lr: fast}\n");
  EXPECT_NE(message.find(".yaml:7: sead is not a known option; did you mean seed?"), std::string::npos)
      << message;
  EXPECT_NE(message.find(".yaml:8: fp8: "), std::string::npos) << message;
  EXPECT_NE(message.find(".yaml:9: optimizer.lr: expected a number"), std::string::npos) << message;
}

TEST_F(Load, MissingFeatureAloneIsNotSupported) {
  EXPECT_NE(refusal("distributed: {cp_size: 2}\n", ErrorCode::kUnsupported).find("context parallelism"),
            std::string::npos);
}

TEST_F(Load, PeftHasTheReferencesDefaults) {
  EXPECT_FALSE(load("seed: 1\n").peft.has_value());
  EXPECT_FALSE(load("peft: null\n").peft.has_value());
  const PeftConfig defaults = *load("peft: {dropout: 0}\n").peft;
  EXPECT_EQ(defaults.dim, 8);
  EXPECT_EQ(defaults.alpha, 32);
  EXPECT_EQ(defaults.dropout_position, "post");
  EXPECT_EQ(defaults.lora_a_init, "xavier");
  EXPECT_TRUE(defaults.target_modules.empty() && defaults.exclude_modules.empty());
  EXPECT_TRUE(defaults.use_memory_efficient_lora);
}

TEST_F(Load, PeftTakesOneNameOrAListAndTypesInTorchsWords) {
  const PeftConfig one =
      *load("peft: {target_modules: '*_proj', lora_dtype: torch.bfloat16, dim: 16}\n").peft;
  EXPECT_EQ(one.target_modules, std::vector<std::string>{"*_proj"});
  EXPECT_TRUE(one.target_is_text);
  EXPECT_EQ(one.lora_dtype, "bfloat16");
  EXPECT_EQ(one.dim, 16);
  const PeftConfig two = *load("peft: {exclude_modules: ['*.out_proj', 'lm_head']}\n").peft;
  EXPECT_EQ(two.exclude_modules, (std::vector<std::string>{"*.out_proj", "lm_head"}));
  EXPECT_FALSE(two.exclude_is_text);
}

TEST_F(Load, UnevenBatchesAreRefused) {
  EXPECT_NE(refusal("step_scheduler: {global_batch_size: 9, local_batch_size: 4}\n").find("multiple"),
            std::string::npos);
}

TEST_F(Load, ResolvedFormIsTypedAndKeepsPlaceholders) {
  setenv("AUTOMODEL_TEST_DIR", "runs/x", 1);
  const Recipe recipe =
      load("checkpoint: {checkpoint_dir: '${AUTOMODEL_TEST_DIR}'}\ndistributed: {dp_size: none}\n");
  EXPECT_EQ(recipe.checkpoint.checkpoint_dir, "runs/x");
  EXPECT_NE(recipe.resolved_yaml.find("checkpoint_dir: ${AUTOMODEL_TEST_DIR}\n"), std::string::npos);
  EXPECT_NE(recipe.resolved_yaml.find("dp_size: null\n"), std::string::npos);
}

}  // namespace
}  // namespace automodel::config
