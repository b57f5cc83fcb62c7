#include "core/config/recipe/recipe_rules.h"

#include <filesystem>

#include "core/base/error.h"
#include "core/config/text/node_json.h"

namespace automodel::config {
namespace {

/// Refusals of one key, at the line where it stands.
class Rules {
 public:
  Rules(const Node& root, SectionWalk& walk) : root_(root), walk_(walk) {}

  template <class... Parts>
  void require(bool holds, const std::string& path, Why why, const Parts&... parts) {
    if (holds) return;
    const Node* node = root_.find_path(path);
    walk_.refuse(path, node != nullptr ? node->line : root_.line, why, detail::join(parts...));
  }

  void ignore(const std::string& path, const std::string& note) { walk_.ignore(path, note); }

 private:
  const Node& root_;
  SectionWalk& walk_;
};

void check_batches(const Recipe& recipe, Rules& rules) {
  const StepSchedulerConfig& steps = recipe.step_scheduler;
  rules.require(steps.local_batch_size < 1 || steps.global_batch_size % steps.local_batch_size == 0,
                "step_scheduler.global_batch_size",
                Why::kBadValue,
                "must be a multiple of local_batch_size: ",
                steps.global_batch_size,
                " rows do not divide into micro-batches of ",
                steps.local_batch_size);
  const std::optional<int64_t>& batch = recipe.dataloader.batch_size;
  rules.require(!batch || *batch == steps.local_batch_size,
                "dataloader.batch_size",
                Why::kBadValue,
                "must be step_scheduler.local_batch_size (",
                steps.local_batch_size,
                ") or null");
}

void check_schedule(const Recipe& recipe, Rules& rules) {
  if (!recipe.lr_scheduler) return;
  const LrSchedulerConfig& schedule = *recipe.lr_scheduler;
  const double lr = recipe.optimizer.lr;
  const double max_lr = schedule.max_lr.value_or(lr);
  const double min_lr = schedule.min_lr.value_or(0.01 * lr);
  const double init_lr = schedule.init_lr.value_or(0.1 * lr);
  rules.require(
      min_lr <= max_lr, "lr_scheduler.min_lr", Why::kBadValue, "is above the peak: ", min_lr, " > ", max_lr);
  rules.require(init_lr <= max_lr,
                "lr_scheduler.init_lr",
                Why::kBadValue,
                "is above the peak: ",
                init_lr,
                " > ",
                max_lr);
  rules.require(
      !schedule.override_opt_param_scheduler || !schedule.use_checkpoint_opt_param_scheduler.value_or(false),
      "lr_scheduler.override_opt_param_scheduler",
      Why::kBadValue,
      "contradicts use_checkpoint_opt_param_scheduler: a resumed run takes its schedule either from the recipe or from the checkpoint; leave one of them out");
  rules.require(schedule.lr_decay_style != "WSD" || schedule.wsd_decay_steps.has_value(),
                "lr_scheduler.wsd_decay_steps",
                Why::kBadValue,
                "is missing; the WSD schedule needs the length of its last phase");
}

void check_optimizer(const Recipe& recipe, Rules& rules) {
  rules.require(!recipe.optimizer.bf16_stochastic_round || !recipe.optimizer.master_weights,
                "optimizer.bf16_stochastic_round",
                Why::kBadValue,
                "has nothing to round beside master_weights, which are float32; leave one of them out");
}

/// States are of the type in which weights are kept.
void check_states(const Recipe& recipe, Rules& rules) {
  const bool float32 = recipe.optimizer.master_weights || recipe.model.torch_dtype == "float32";
  rules.require(
      !recipe.optimizer.states_in_float32 || float32,
      "optimizer.master_weights",
      Why::kNotSupported,
      "float32 states of bf16 weights alone are not implemented; set optimizer.master_weights: true");
}

void check_peft(const Recipe& recipe, Rules& rules) {
  if (!recipe.peft) return;
  const PeftConfig& peft = *recipe.peft;
  rules.require(peft.target_modules.empty() || peft.exclude_modules.empty(),
                "peft.exclude_modules",
                Why::kBadValue,
                "cannot stand beside target_modules; leave one of them out");
  rules.require(!peft.match_all_linear || (peft.target_modules.empty() && peft.exclude_modules.empty()),
                "peft.match_all_linear",
                Why::kBadValue,
                "true cannot stand beside target_modules or exclude_modules; leave one of them out");
}

/// A mock set makes whole micro-batches; the reference joins several of them unless batch_size is null.
void check_mock(const DatasetConfig& set, const std::string& loader, const Node& root, Rules& rules) {
  if (!std::holds_alternative<MockSet>(set.kind)) return;
  const Node* size = root.find_path(loader + ".batch_size");
  rules.require(
      size != nullptr && size->is_null(),
      loader,
      Why::kNotSupported,
      "a mock set makes its own micro-batches: write batch_size: null, and dataset.batch_size for their rows");
}

void check_data(const RecipeDraft& draft, const Node& root, Rules& rules) {
  check_mock(draft.dataset.config, "dataloader", root, rules);
  for (const DatasetDraft& set : draft.validation)
    check_mock(set.config, "validation_dataloader", root, rules);
  rules.require(
      kind_of(draft.dataset.config).has_rows || !draft.recipe.dataloader.shuffle.value_or(false),
      "dataloader.shuffle",
      Why::kNotSupported,
      "shuffling of sets without an index is not implemented yet; dataset.shuffle_files is another thing");
}

void check_packing(const RecipeDraft& draft, Rules& rules) {
  rules.require(
      draft.recipe.packing.packed_sequence_size == 0 || kind_of(draft.dataset.config).has_own_lengths,
      "packed_sequence.packed_sequence_size",
      Why::kBadValue,
      "needs a training set of rows; this one gives sequences of one length already");
}

/// The benchmark recipe sizes its random rows itself, as the reference's does.
void join_benchmark(RecipeDraft& draft, Rules& rules) {
  Recipe& recipe = draft.recipe;
  if (recipe.kind != RecipeKind::kBenchmark) {
    recipe.benchmark.reset();
    rules.ignore("benchmark", "read by the benchmark recipe only");
    return;
  }
  if (!recipe.benchmark) recipe.benchmark.emplace();
  auto* mock = std::get_if<MockSet>(&draft.dataset.config.kind);
  rules.require(
      mock != nullptr,
      "dataset",
      Why::kNotSupported,
      "the benchmark recipe times random tokens: use nemo_automodel.components.datasets.llm.mock_iterable_dataset.MockIterableDataset");
  if (mock != nullptr) mock->batch_size = recipe.step_scheduler.local_batch_size;
  // What it learns of random tokens is nobody's to go on from.
  recipe.checkpoint.enabled = false;
  recipe.checkpoint.checkpoint_dir =
      (std::filesystem::path(recipe.checkpoint.checkpoint_dir) / "benchmark").string();
  rules.ignore("checkpoint",
               "a benchmark neither resumes nor saves; training.jsonl lies in CHECKPOINT_DIR/benchmark");
  rules.ignore("step_scheduler.ckpt_every_steps", "a benchmark saves no checkpoint");
  const std::optional<int64_t>& steps = recipe.step_scheduler.max_steps;
  rules.require(!steps || *steps > recipe.benchmark->warmup_steps,
                "benchmark.warmup_steps",
                Why::kBadValue,
                "leaves no step to time: step_scheduler.max_steps is ",
                steps.value_or(0));
}

/// dataset.tokenizer wins over the top-level section; validation must use the same.
void join_tokenizers(RecipeDraft& draft, Rules& rules) {
  if (!draft.dataset.tokenizer.path.empty()) draft.recipe.tokenizer = draft.dataset.tokenizer;
  const std::string& trained =
      draft.recipe.tokenizer.path.empty() ? draft.model.config.path : draft.recipe.tokenizer.path;
  for (const DatasetDraft& set : draft.validation) {
    const std::string section = set.config.name == "default" ? "" : "_" + set.config.name;
    rules.require(set.tokenizer.path.empty() || set.tokenizer.path == trained,
                  "validation_dataset" + section + ".tokenizer",
                  Why::kNotSupported,
                  "a tokenizer other than the training set's (",
                  trained,
                  ") is not implemented");
  }
}

void join_model(RecipeDraft& draft, Rules& rules) {
  ModelConfig& model = draft.model.config;
  if (!draft.model.overrides.entries.empty()) model.config_overrides = to_json(draft.model.overrides);
  if (!draft.model.inline_config.is_null()) model.inline_config = to_json(draft.model.inline_config);
  rules.require(!draft.model.config_is_named ||
                    !(draft.model.config_is_beside ? model.config_path : model.path).empty(),
                "model.config",
                Why::kBadValue,
                "names no configuration; set pretrained_model_name_or_path");
  draft.recipe.model = model;
}

void join_datasets(RecipeDraft& draft) {
  const auto finish = [](DatasetConfig& set) {
    if (set.split.empty() && kind_of(set).has_rows) set.split = "train";
  };
  finish(draft.dataset.config);
  draft.recipe.dataset = draft.dataset.config;
  for (DatasetDraft& set : draft.validation) {
    finish(set.config);
    draft.recipe.validation_datasets.push_back(set.config);
  }
}

}  // namespace

void finish_recipe(RecipeDraft& draft, const Node& root, SectionWalk& walk) {
  Rules rules(root, walk);
  check_batches(draft.recipe, rules);
  check_schedule(draft.recipe, rules);
  check_optimizer(draft.recipe, rules);
  check_peft(draft.recipe, rules);
  check_data(draft, root, rules);
  check_packing(draft, rules);
  join_benchmark(draft, rules);
  join_tokenizers(draft, rules);
  join_model(draft, rules);
  check_states(draft.recipe, rules);
  join_datasets(draft);
}

}  // namespace automodel::config
