#include "core/config/recipe/sections.h"

namespace automodel::config {
namespace {

void read_save_consolidated(const Node& value, CheckpointConfig& config) {
  if (value.kind == Node::Kind::kBool) {
    config.save_consolidated = value.boolean ? "every" : "false";
  } else {
    config.save_consolidated = read_as<std::string>(value);
  }
}

Section declare() {
  using C = CheckpointConfig;
  SectionOf<C> s("checkpoint",
                 "Where and how checkpoints are saved and found again. On even without the section.");
  s.field("enabled", &C::enabled).doc("save checkpoints");
  s.field("checkpoint_dir", &C::checkpoint_dir)
      .doc("folder of checkpoints, training.jsonl and validation.jsonl");
  s.field("model_save_format", &C::model_save_format)
      .choices({"safetensors", "torch_save"})
      .doc("weights are written as safetensors in both cases: no pickles");
  s.custom("save_consolidated",
           [](const Node& value, C& config) {
             if (value.kind != Node::Kind::kBool) {
               Option words;
               OptionBuilder(words).choices({"final", "every"});
               words.read(value, nullptr);
             }
             read_save_consolidated(value, config);
           })
      .type("final, every, true or false")
      .default_text("final")
      .doc("a folder that transformers loads: for the last checkpoint, for every one (true), or not");
  s.field("restore_from", &C::restore_from)
      .doc("null: the newest complete checkpoint; else LATEST, LOWEST_VAL, a folder's name or its path");
  s.field("max_recent_checkpoints", &C::max_recent_checkpoints)
      .doc("keep the newest few, and what LATEST and LOWEST_VAL name; null: all")
      .min(1);
  s.field("best_metric_key", &C::best_metric_key).doc("the validation set that decides LOWEST_VAL");
  s.field("accept_changed_data", &C::accept_changed_data)
      .doc(
          "resume although the data, their order or their packs have changed since the checkpoint: the run goes on behind as many rows as it has seen");
  s.field("accept_changed_base", &C::accept_changed_base)
      .doc(
          "resume although the model's folder holds other weights than those the checkpoint's run began with");
  s.built_in("is_async", "a checkpoint is complete before the next step");
  s.built_in("wait_for_staging", "a checkpoint is complete before the next step");
  s.built_in("cpu_offload", "saving needs one tensor of extra memory");
  s.built_in("single_rank_consolidation", "consolidation needs no second copy of the model");
  s.built_in("staging_dir", "files are written beside their final place");
  s.built_in("consolidation_timeout_minutes", "consolidation has no time limit");
  s.accepted("v4_compatible")
      .only({Node::of(false)}, "writing the layout of transformers 4 is not implemented yet");
  s.accepted("diffusers_compatible").only({Node::of(false)}, "diffusion checkpoints are not implemented yet");
  s.built_in("dequantize_base_checkpoint",
             "a quantised base is refused when it is opened; others are read as they are");
  s.accepted("allow_legacy_pickle_restore").only({Node::of(false)}, "pickled checkpoints are never read");
  s.not_supported("skip_task_head_prefixes_for_base_model", "sequence classification is not implemented yet");
  s.not_supported("original_model_root_dir",
                  "is not implemented yet; model.pretrained_model_name_or_path names the folder");
  return s.take();
}

}  // namespace

const Section& checkpoint_section() {
  static const Section kSection = declare();
  return kSection;
}

}  // namespace automodel::config
