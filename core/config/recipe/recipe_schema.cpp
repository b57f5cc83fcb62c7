#include "core/base/error.h"
#include "core/config/recipe/sections.h"
#include "core/config/recipe/target_table.h"
#include "core/config/text/placeholders.h"

namespace automodel::config {
namespace {

using D = RecipeDraft;

constexpr const char* kValidationPrefix = "validation_dataset_";

void read_recipe_name(const Node& value, D& draft) {
  const std::string name = read_as<std::string>(value);
  find_target(TargetRole::kRecipe, name);
  const RecipeClass& named = *find_recipe_class(name);
  draft.recipe.recipe = named.name;
  draft.recipe.kind = *named.kind;
}

const Section& profile() {
  static const Section kSection = [] {
    using C = ProfileConfig;
    SectionOf<C> s("profile", "A trace of some steps: which kernels ran when, on host and device.");
    s.field("file", &C::file).doc("the trace, for chrome://tracing or Perfetto; empty: off");
    s.field("first_step", &C::first_step)
        .doc("the first step traced, counted from the start of the process")
        .min(0);
    s.field("num_steps", &C::num_steps).doc("steps traced").min(1);
    return s.take();
  }();
  return kSection;
}

const Section& moe_metrics() {
  static const Section kSection = [] {
    using C = MoeMetricsConfig;
    SectionOf<C> s("moe_metrics", "How evenly tokens go to the experts, in training.jsonl.");
    s.field("enabled", &C::enabled).doc("write them");
    s.custom(
         "mode",
         [](const Node& value, C& config) { config.detailed = read_as<std::string>(value) == "detailed"; })
        .type("text")
        .default_text("brief")
        .choices({"brief", "detailed"})
        .doc("brief: over all layers; detailed: of each layer too");
    s.field("detailed_every_steps", &C::detailed_every_steps)
        .doc("in the detailed mode: steps that are multiples of it, the others brief; null: every step")
        .min(1);
    s.field("top_k_experts", &C::top_k_experts)
        .doc("so many of the most and of the least used experts are written by themselves")
        .min(0);
    return s.take();
  }();
  return kSection;
}

std::string read_device(const Node& value) {
  const std::string name = read_as<std::string>(value);
  const bool numbered = name.starts_with("cuda:") && name.size() > 5 &&
                        name.find_first_not_of("0123456789", 5) == std::string::npos;
  if (name == "auto" || name == "cpu" || name == "cuda" || numbered) return name;
  fail(ErrorCode::kConfig, "\"", name, "\" is not a device; expected auto, cpu, cuda or cuda:N");
}

CudaGraphs read_cuda_graphs(const Node& value) {
  if (value.kind == Node::Kind::kBool) return value.boolean ? CudaGraphs::kOn : CudaGraphs::kOff;
  const std::string word = read_as<std::string>(value);
  check(word == "auto", ErrorCode::kConfig, "expected auto, true or false, not \"", word, "\"");
  return CudaGraphs::kAuto;
}

/// `recipe: {_target_: ...}`
const Section& recipe_name() {
  static const Section kSection = [] {
    SectionOf<D> s("recipe", "The recipe as a map.");
    s.custom("_target_", read_recipe_name).type("text").doc("the recipe's class").required();
    return s.take();
  }();
  return kSection;
}

const Section& clip_grad_norm() {
  static const Section kSection = [] {
    SectionOf<Recipe> s("clip_grad_norm", "Clipping of the gradient's L2 norm over all parameters.");
    s.field("max_norm", &Recipe::max_grad_norm).doc("null: no clipping").min(0.0);
    return s.take();
  }();
  return kSection;
}

const Section& mfu() {
  static const Section kSection = [] {
    SectionOf<Recipe> s("mfu", "What model FLOPs utilisation is measured against.");
    s.field("peak_tflops", &Recipe::mfu_peak_tflops)
        .doc(
            "peak of one device; null: the stated one of an A100, H100, H200, B200 or GB200; else mfu is null")
        .unit("TFLOP/s")
        .min(0.001);
    s.inert("device", "the device's name is read from the driver");
    return s.take();
  }();
  return kSection;
}

const Section& packing() {
  static const Section kSection = [] {
    using C = PackingConfig;
    SectionOf<C> s("packed_sequence",
                   "Several rows of the training set in one sequence, each seeing only itself.");
    s.field("packed_sequence_size", &C::packed_sequence_size)
        .doc(
            "length of a sequence; rows are joined in order as long as they fit, longer ones are left out; 0: off")
        .unit("tokens")
        .null_is_unset()
        .min(0);
    s.field("max_packs", &C::max_packs).doc("sequences of an epoch; null or 0: all").null_is_unset().min(0);
    s.accepted("packing_strategy")
        .only({Node::of("thd")}, "packing by knapsack (neat) is not implemented yet")
        .default_text("thd")
        .doc("thd: in the order of the rows");
    s.accepted("prepacked").only({Node::of(false)}, "sets that are packed already are not implemented yet");
    s.accepted("drop_long_samples")
        .only({Node::of(true)}, "cutting long rows is dataset.seq_length with truncation");
    s.built_in("num_proc", "rows are measured on the threads of dataloader.num_workers");
    s.inert("split_across_pack", "without effect in the reference: rows stay whole");
    return s.take();
  }();
  return kSection;
}

const Section& benchmark() {
  static const Section kSection = [] {
    using C = BenchmarkConfig;
    SectionOf<C> s("benchmark",
                   "What BenchmarkingRecipeForNextTokenPrediction times; no other recipe reads it.");
    s.field("warmup_steps", &C::warmup_steps).doc("steps that are timed apart from the others").min(0);
    s.field("peak_tflops", &C::peak_tflops)
        .doc("peak of one device; null: mfu.peak_tflops")
        .unit("TFLOP/s")
        .min(0.001);
    s.inert("num_nodes", "the ranks of the run are counted");
    s.field("json_output_path", &C::json_output_path).doc("file of the summary; empty: none").null_is_unset();
    for (const char* name : {"nsys_start", "nsys_end"})
      s.accepted(name)
          .only({Node::of(int64_t{-1})}, "profile: writes a trace of some steps")
          .default_text("-1");
    s.inert("nsys_ranks", "read with nsys_start only");
    return s.take();
  }();
  return kSection;
}

const Section& process_group() {
  static const Section kSection = [] {
    SectionOf<D> s("dist_env", "The group of processes.");
    for (const char* name : {"backend", "timeout_minutes", "init_method"}) {
      s.built_in(name, "one process needs no group");
    }
    return s.take();
  }();
  return kSection;
}

const Section& compilation() {
  static const Section kSection = [] {
    SectionOf<D> s("compile", "torch.compile: kernels are fused and compiled ahead here.");
    for (const char* name :
         {"enabled", "mode", "backend", "dynamic", "fullgraph", "options", "dynamo_cache_size_limit"}) {
      s.built_in(name, "kernels are fused and compiled ahead");
    }
    return s.take();
  }();
  return kSection;
}

Below choose_dataset(const std::string&, const Node& map, D& draft) {
  return {&dataset_section(map, draft.dataset.config), &draft.dataset};
}

Below choose_validation(const std::string& key, const Node& map, D& draft) {
  DatasetDraft set;
  if (key.starts_with(kValidationPrefix))
    set.config.name = key.substr(std::string_view(kValidationPrefix).size());
  const Section& section = dataset_section(map, set.config);
  draft.validation.push_back(std::move(set));
  return {&section, &draft.validation.back()};
}

Below choose_model(const std::string&, const Node& map, D& draft) {
  return {&model_section(map, draft.model.config), &draft.model};
}

Below choose_optimizer(const std::string&, const Node& map, D& draft) {
  return {&optimizer_section(map, draft.recipe.optimizer), &draft.recipe.optimizer};
}

Below choose_loss(const std::string&, const Node& map, D& draft) {
  return {&loss_section(map, draft.recipe.loss), &draft.recipe.loss};
}

Below choose_peft(const std::string&, const Node&, D& draft) {
  return {&peft_section(), &draft.recipe.peft.emplace()};
}

Below choose_lr_scheduler(const std::string&, const Node&, D& draft) {
  return {&lr_scheduler_section(), &draft.recipe.lr_scheduler.emplace()};
}

void declare_sections(SectionOf<D>& s) {
  s.nested<StepSchedulerConfig>(
      "step_scheduler", step_scheduler_section(), [](D& d) -> auto& { return d.recipe.step_scheduler; });
  s.chosen("model", model_sections(), choose_model).required().doc("the model: a map with a _target_");
  s.nested<CheckpointConfig>(
      "checkpoint", checkpoint_section(), [](D& d) -> auto& { return d.recipe.checkpoint; });
  s.nested<DistributedConfig>(
      "distributed", distributed_section(), [](D& d) -> auto& { return d.recipe.distributed; });
  s.chosen("loss_fn", loss_sections(), choose_loss);
  s.chosen("dataset", dataset_sections(), choose_dataset)
      .required()
      .doc("the training data: a map with a _target_");
  s.nested<DataloaderConfig>(
      "dataloader", dataloader_section(), [](D& d) -> auto& { return d.recipe.dataloader; });
  s.chosen("validation_dataset", dataset_sections(), choose_validation).doc("validation data; null: none");
  s.chosen("validation_dataset_*", dataset_sections(), choose_validation)
      .doc("more validation sets, each with its own name");
  s.nested<DataloaderConfig>("validation_dataloader", dataloader_section(), [](D& d) -> auto& {
    return d.recipe.validation_dataloader;
  });
  s.nested<TokenizerConfig>(
      "tokenizer", tokenizer_section(), [](D& d) -> auto& { return d.recipe.tokenizer; });
  s.chosen("optimizer", optimizer_sections(), choose_optimizer);
  s.chosen("lr_scheduler", {&lr_scheduler_section()}, choose_lr_scheduler);
  s.nested<ProfileConfig>("profile", profile(), [](D& d) -> auto& { return d.recipe.profile; });
  s.nested<MoeMetricsConfig>(
      "moe_metrics", moe_metrics(), [](D& d) -> auto& { return d.recipe.moe_metrics; });
  s.chosen("peft", {&peft_section()}, choose_peft).doc("low-rank adapters; null: every weight is trained");
  s.nested<Recipe>("clip_grad_norm", clip_grad_norm(), [](D& d) -> auto& { return d.recipe; });
  s.nested<Recipe>("mfu", mfu(), [](D& d) -> auto& { return d.recipe; });
  s.nested<PackingConfig>("packed_sequence", packing(), [](D& d) -> auto& { return d.recipe.packing; });
  s.nested<BenchmarkConfig>(
      "benchmark", benchmark(), [](D& d) -> auto& { return d.recipe.benchmark.emplace(); });
  s.nested<D>("dist_env", process_group(), [](D& d) -> auto& { return d; });
  s.nested<D>("compile", compilation(), [](D& d) -> auto& { return d; });
}

void declare_features_to_come(SectionOf<D>& s) {
  s.not_supported("quantization", "4-bit and 8-bit base models are not implemented yet");
  s.not_supported("fp8", "FP8 is not implemented yet").off_by("enabled");
  s.not_supported("qat", "quantisation-aware training is not implemented yet").off_by("enabled");
  for (const char* name : {"teacher_model",
                           "kd_ratio",
                           "kd_loss_fn",
                           "offload_teacher_model",
                           "separate_meshes",
                           "teacher_distributed"}) {
    s.not_supported(name, "knowledge distillation is not implemented yet");
  }
  s.not_supported("neftune", "noise on embeddings (NEFTune) is not implemented yet");
  s.not_supported("tool_call_eval", "evaluation of tool calls is not implemented yet");
  s.not_supported("embedding_row_repair", "repair of embedding rows is not implemented yet")
      .off_by("enabled");
  s.not_supported("nvtx", "NVTX ranges are not implemented yet").off_by_false();
  s.not_supported(
       "wandb", "logging to Weights & Biases is not implemented yet; --wandb.enable false drops the section")
      .off_by("enable");
  s.not_supported("mlflow", "logging to MLflow is not implemented yet").off_by("enabled");
  s.not_supported("comet", "logging to Comet is not implemented yet").off_by("enabled");
  s.not_supported("slurm", "submitting to Slurm is not implemented yet; start automodel inside the job");
  for (const char* name : {"skypilot", "nemo_run", "k8s", "kubernetes"}) {
    s.not_supported(name, "submitting jobs is not implemented yet; start automodel inside the job");
  }
  for (const char* name : {"processor", "freeze_config"}) {
    s.not_supported(name, "vision-language models are not implemented yet");
  }
  s.not_supported("ema", "averaging of weights is not implemented yet");
}

Section declare() {
  SectionOf<D> s("", "The whole recipe.");
  s.chosen(
       "recipe",
       {&recipe_name()},
       [](const std::string&, const Node&, D& d) { return Below{&recipe_name(), &d}; },
       read_recipe_name)
      .type("text or map")
      .default_text("TrainFinetuneRecipeForNextTokenPrediction")
      .doc("what to do: the recipe's class");
  s.custom("seed", [](const Node& value, D& d) { d.recipe.seed = read_as<int64_t>(value); })
      .type("integer")
      .default_text("42")
      .doc("of all random numbers and the order of rows")
      .min(0);
  s.custom("deterministic", [](const Node& value, D& d) { d.recipe.deterministic = read_as<bool>(value); })
      .type("true or false")
      .default_text("false")
      .doc(
          "the same bits in every run, where that costs speed and memory: attention in bfloat16 on a GPU; all else gives them anyway");
  s.custom("device", [](const Node& value, D& d) { d.recipe.device = read_device(value); })
      .type("auto, cpu, cuda or cuda:N")
      .default_text("auto")
      .doc("where to train; auto: the first GPU, the CPU where there is none");
  s.custom("cuda_graphs", [](const Node& value, D& d) { d.recipe.cuda_graphs = read_cuda_graphs(value); })
      .type("auto, true or false")
      .default_text("auto")
      .doc(
          "whether micro-batches on a GPU are captured once for each shape and replayed, to the same bits; auto: where the device waits for the host; true: wherever it can be done");
  declare_sections(s);
  declare_features_to_come(s);
  s.inert("rng", "not read: the seed is the top-level seed");
  s.inert("ci", "of the reference's own tests");
  for (const char* name : {"parallelizer", "autopipeline", "distributed_config", "longalign"})
    s.inert(name, "not read");
  s.built_in("prewarm", "kernels are ready before the first step");
  s.inert("_*", "a name that begins with an underscore is a note or an anchor");
  return s.take();
}

}  // namespace

const Section& recipe_section() {
  static const Section kSection = declare();
  return kSection;
}

std::string target_of(const Node& map, const std::string& otherwise) {
  const Node* target = map.find("_target_");
  return target == nullptr || target->is_null() ? otherwise : read_as<std::string>(expanded_value(*target));
}

}  // namespace automodel::config
