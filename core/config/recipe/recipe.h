#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/recipe/dataset.h"
#include "core/config/recipe/optimizer.h"
#include "core/config/recipe/recipe_class.h"

/// The resolved recipe: what a YAML file with its overrides means, one struct a section.
/// Names and defaults are the reference's (NeMo AutoModel); each struct's options are declared in
/// the source named after its section.
namespace automodel::config {

struct StepSchedulerConfig {
  int64_t global_batch_size = 32;
  int64_t local_batch_size = 1;
  std::optional<int64_t> num_epochs = 10;         ///< null: enough for max_steps, else 10
  std::optional<int64_t> max_steps;               ///< unset: epochs x steps of an epoch
  std::optional<int64_t> ckpt_every_steps = 100;  ///< null: once an epoch
  bool save_checkpoint_every_epoch = true;
  std::optional<int64_t> val_every_steps;  ///< unset: only at checkpoints
  std::vector<int> preemption_signals = {15};
};

enum class ModelSource { kPretrained, kConfig };

enum class RecomputeLevel { kNone, kCheap, kBlock };

struct ModelConfig {
  ModelSource source = ModelSource::kPretrained;
  std::string path;         ///< folder, file (from_config) or Hub id
  std::string config_path;  ///< from_pretrained with a config.json of another place; empty: the weights' own
  std::string inline_config;     ///< a config written in the recipe: its JSON text, else empty
  std::string config_overrides;  ///< JSON object of Hugging Face config fields set in the recipe, else empty
  std::string torch_dtype = "auto";  ///< auto, float32, bfloat16 or float16
  bool balanced_gate = false;        ///< experts take tokens in turn, routers rest (benchmarks)
  std::string
      family_file;  ///< a model family of the user's own (docs/model-families.md); empty: the known ones
  std::vector<std::string> ignore_config_keys;  ///< keys of config.json whose refusal is taken back
};

struct CheckpointConfig {
  bool enabled = true;
  std::string checkpoint_dir = "checkpoints/";
  std::string model_save_format = "safetensors";
  std::string save_consolidated = "final";  ///< final, every or false (true is every)
  std::optional<std::string>
      restore_from;  ///< unset: newest complete; LATEST, LOWEST_VAL, folder name or path
  std::optional<int64_t> max_recent_checkpoints;
  std::string best_metric_key = "default";
  bool accept_changed_data = false;  ///< resume although rows stand elsewhere than in the checkpoint's run
  bool accept_changed_base = false;  ///< resume although the model's weights are not those it began with
};

/// Several rows in one sequence, for training sets.
struct PackingConfig {
  int64_t packed_sequence_size = 0;  ///< tokens of a sequence; 0: rows are not packed
  int64_t max_packs = 0;             ///< 0: all
};

/// Options of the benchmark recipe.
struct BenchmarkConfig {
  int64_t warmup_steps = 10;          ///< timed apart from the others
  std::optional<double> peak_tflops;  ///< of one device; unset: mfu.peak_tflops
  std::string json_output_path;       ///< of the summary; empty: none
};

struct DataloaderConfig {
  std::optional<bool> shuffle;        ///< unset: true, except for iterable sets
  int64_t pad_seq_len_divisible = 1;  ///< collate_fn.pad_seq_len_divisible
  int64_t num_workers = 1;            ///< tokenising threads ahead of the step, at least 1
  bool drop_last = false;
  /// Rows of a validation micro-batch; unset: local_batch_size.
  std::optional<int64_t> batch_size;
};

/// A tokenizer other than the model's own; empty: the model folder's.
struct TokenizerConfig {
  std::string path;
  std::optional<bool> add_bos_token;
  std::optional<bool> add_eos_token;
};

struct LrSchedulerConfig {
  std::optional<int64_t> lr_warmup_steps;  ///< unset: min(1000, total / 10)
  std::optional<int64_t> lr_decay_steps;   ///< unset: total steps
  std::string lr_decay_style = "cosine";   ///< cosine, linear, constant, inverse-square-root, WSD
  std::optional<double> init_lr;           ///< unset: 0.1 x lr
  std::optional<double> max_lr;            ///< unset: lr
  std::optional<double> min_lr;            ///< unset: 0.01 x lr
  std::optional<int64_t> wsd_decay_steps;
  std::string lr_wsd_decay_style = "exponential";  ///< linear, cosine, exponential, minus_sqrt
  std::optional<double> start_wd, end_wd;
  std::optional<int64_t> wd_incr_steps;
  std::string wd_incr_style = "constant";                  ///< constant, linear, cosine
  std::optional<bool> use_checkpoint_opt_param_scheduler;  ///< unset: true, unless override is
  bool override_opt_param_scheduler = false;
};

struct LossConfig {
  enum class Kind {
    kMaskedCrossEntropy,
    kFusedLinearCrossEntropy,
    kChunkedCrossEntropy
  } kind = Kind::kMaskedCrossEntropy;
  int64_t ignore_index = -100;
  std::optional<int64_t>
      chunk_len;  ///< tokens a chunk; unset: chosen so that a chunk of logits is about 64 MiB
};

/// Low-rank adapters on linears, the base frozen. Hu et al. 2021, arXiv:2106.09685.
struct PeftConfig {
  /// Names with '*'; all three empty: "*_proj". At most one of the three is set.
  std::vector<std::string> target_modules;
  std::vector<std::string> exclude_modules;
  bool match_all_linear = false;
  int64_t dim = 8;     ///< rank r
  int64_t alpha = 32;  ///< the update is scaled by alpha / dim
  double dropout = 0.0;
  std::string dropout_position = "post";  ///< post: of the update; pre: of its input
  std::string lora_a_init = "xavier";     ///< xavier (normal) or uniform (Kaiming)
  std::string lora_dtype;                 ///< type in which adapters are kept; empty: the base's
  /// Keys of the reference that need nothing done here, as written: they go into automodel_peft_config.json.
  bool target_is_text = false, exclude_is_text = false;  ///< one name instead of a list
  bool use_triton = false, use_memory_efficient_lora = true, moe_rank_scaling = false;
};

/// Sizes of the mesh's axes and what is computed in which type. Only size 1 runs today.
struct DistributedConfig {
  std::string strategy = "fsdp2";
  std::optional<int64_t> dp_size;
  int64_t dp_replicate_size = 1, tp_size = 1, cp_size = 1, pp_size = 1, ep_size = 1;
  RecomputeLevel recompute =
      RecomputeLevel::kCheap;  ///< activation_checkpointing: true is block, false is cheap
  std::string param_dtype;     ///< mp_policy.param_dtype; empty: the weights' own type
  std::string reduce_dtype;    ///< mp_policy.reduce_dtype; empty: float32
};

/// Where the time of some steps goes, as a trace that chrome://tracing and Perfetto show.
struct ProfileConfig {
  std::string file;        ///< of the trace; empty: off
  int64_t first_step = 5;  ///< of this process, from 0
  int64_t num_steps = 2;
};

/// How evenly the tokens go to the experts, in the training records.
struct MoeMetricsConfig {
  bool enabled = false;
  bool detailed = false;                        ///< mode: detailed, each layer by itself too; else brief
  std::optional<int64_t> detailed_every_steps;  ///< unset: every step
  int64_t top_k_experts = 0;                    ///< most and least used experts that are named
};

/// Whether micro-batches on a GPU are captured once and replayed.
enum class CudaGraphs { kAuto, kOn, kOff };

struct Recipe {
  std::string recipe = "TrainFinetuneRecipeForNextTokenPrediction";  ///< the class, without its module
  RecipeKind kind = RecipeKind::kFinetune;
  int64_t seed = 42;
  bool deterministic = false;
  std::string device = "auto";  ///< "auto", "cpu", "cuda", "cuda:N"
  CudaGraphs cuda_graphs = CudaGraphs::kAuto;
  StepSchedulerConfig step_scheduler;
  ModelConfig model;
  CheckpointConfig checkpoint;
  DatasetConfig dataset;
  std::vector<DatasetConfig> validation_datasets;
  DataloaderConfig dataloader;
  DataloaderConfig validation_dataloader;
  TokenizerConfig tokenizer;
  OptimizerConfig optimizer;
  std::optional<LrSchedulerConfig> lr_scheduler;
  LossConfig loss;
  std::optional<PeftConfig> peft;
  std::optional<double> max_grad_norm = 1.0;  ///< clip_grad_norm.max_norm; null: off
  DistributedConfig distributed;
  ProfileConfig profile;
  PackingConfig packing;
  std::optional<BenchmarkConfig> benchmark;  ///< of the benchmark recipe
  MoeMetricsConfig moe_metrics;
  std::optional<double> mfu_peak_tflops;  ///< mfu.peak_tflops; unset: the GPU's stated peak, if known

  std::string resolved_yaml;  ///< the recipe with overrides applied and placeholders unexpanded: config.yaml
};

}  // namespace automodel::config
