#include "core/config/schema/other_tools.h"

#include <algorithm>
#include <string>

namespace automodel::config {
namespace {

constexpr const char* kAccumulation =
    "rows of a step; step_scheduler.local_batch_size are those of a micro-batch";
constexpr const char* kCut = "rows are cut there with dataset.truncation: longest_first";
constexpr const char* kEveryStep = "every step is logged, in training.jsonl too";
constexpr const char* kAttention = "the fastest attention that fits is taken; there is nothing to set";
constexpr const char* kLora = "a peft section trains LoRA adapters; without it every weight is trained";
constexpr const char* kQuantized = "4-bit and 8-bit base models are not implemented yet";
constexpr const char* kOneProcess = "one process trains today; there is nothing to set";

}  // namespace

const std::vector<ForeignWord>& foreign_words() {
  static const std::vector<ForeignWord> kWords = {
      // Optimizer and schedule.
      {"learning_rate", "optimizer.lr", ""},
      {"weight_decay", "optimizer.weight_decay", ""},
      {"adam_beta1", "optimizer.betas", "a list of two"},
      {"adam_beta2", "optimizer.betas", "a list of two"},
      {"adam_epsilon", "optimizer.eps", ""},
      {"optim", "optimizer._target_", "torch.optim.AdamW, for instance"},
      {"optimizer_type", "optimizer._target_", "torch.optim.AdamW, for instance"},
      {"max_grad_norm", "clip_grad_norm.max_norm", ""},
      {"gradient_clipping", "clip_grad_norm.max_norm", ""},
      {"gradient_clip_val", "clip_grad_norm.max_norm", ""},
      {"lr_scheduler_type", "lr_scheduler.lr_decay_style", ""},
      {"warmup_steps", "lr_scheduler.lr_warmup_steps", ""},
      {"num_warmup_steps", "lr_scheduler.lr_warmup_steps", ""},
      {"warmup_ratio", "lr_scheduler.lr_warmup_steps", "steps; a tenth of the run when it is absent"},
      // Batches and length of the run.
      {"batch_size", "step_scheduler.global_batch_size", kAccumulation},
      {"train_batch_size", "step_scheduler.global_batch_size", kAccumulation},
      {"micro_batch_size", "step_scheduler.local_batch_size", "rows of a micro-batch"},
      {"per_device_train_batch_size", "step_scheduler.local_batch_size", "rows of a micro-batch"},
      {"train_micro_batch_size_per_gpu", "step_scheduler.local_batch_size", "rows of a micro-batch"},
      {"per_device_eval_batch_size", "validation_dataloader.batch_size", ""},
      {"eval_batch_size", "validation_dataloader.batch_size", ""},
      {"gradient_accumulation_steps", "step_scheduler.global_batch_size", kAccumulation},
      {"gradient_accumulation", "step_scheduler.global_batch_size", kAccumulation},
      {"grad_accumulation_steps", "step_scheduler.global_batch_size", kAccumulation},
      {"grad_accum_steps", "step_scheduler.global_batch_size", kAccumulation},
      {"accumulate_grad_batches", "step_scheduler.global_batch_size", kAccumulation},
      {"epochs", "step_scheduler.num_epochs", ""},
      {"n_epochs", "step_scheduler.num_epochs", ""},
      {"max_epochs", "step_scheduler.num_epochs", ""},
      {"num_train_epochs", "step_scheduler.num_epochs", ""},
      {"max_train_steps", "step_scheduler.max_steps", ""},
      {"num_train_steps", "step_scheduler.max_steps", ""},
      {"num_steps", "step_scheduler.max_steps", ""},
      {"total_steps", "step_scheduler.max_steps", ""},
      {"steps", "step_scheduler.max_steps", ""},
      {"iters", "step_scheduler.max_steps", ""},
      // Checkpoints, validation, logs.
      {"output_dir", "checkpoint.checkpoint_dir", ""},
      {"overwrite_output_dir", "checkpoint.checkpoint_dir", "another folder begins anew"},
      {"save_steps", "step_scheduler.ckpt_every_steps", ""},
      {"saves_per_epoch", "step_scheduler.ckpt_every_steps", ""},
      {"save_strategy", "step_scheduler.ckpt_every_steps", "and save_checkpoint_every_epoch"},
      {"save_total_limit", "checkpoint.max_recent_checkpoints", ""},
      {"resume_from_checkpoint", "checkpoint.restore_from", "the newest is taken when it is absent"},
      {"auto_resume_from_checkpoints", "checkpoint.restore_from", "the newest is taken when it is absent"},
      {"load_best_model_at_end",
       "",
       "the link LOWEST_VAL names the checkpoint with the lowest validation loss"},
      {"eval_steps", "step_scheduler.val_every_steps", ""},
      {"evals_per_epoch", "step_scheduler.val_every_steps", ""},
      {"eval_strategy", "step_scheduler.val_every_steps", ""},
      {"evaluation_strategy", "step_scheduler.val_every_steps", ""},
      {"eval_dataset", "validation_dataset", ""},
      {"test_datasets", "validation_dataset", ""},
      {"val_set_size", "validation_dataset", "a file or a slice of its own: split: train[:10%]"},
      {"val_size", "validation_dataset", "a file or a slice of its own: split: train[:10%]"},
      {"logging_steps", "", kEveryStep},
      {"logging_strategy", "", kEveryStep},
      {"logging_dir", "checkpoint.checkpoint_dir", "training.jsonl lies in it"},
      {"log_level", "", "the environment variable LOGGING_LEVEL says how much is logged"},
      {"report_to", "", "numbers go to training.jsonl and to the run store (automodel runs list)"},
      {"plot_loss", "", "AUTOMODEL_CHART=1 draws the loss at the end of a run"},
      {"run_name", "checkpoint.checkpoint_dir", "runs are named by their folder"},
      {"wandb_project", "", "wandb is not implemented yet; numbers go to training.jsonl"},
      // Model and types.
      {"model_name_or_path", "model.pretrained_model_name_or_path", ""},
      {"model_name", "model.pretrained_model_name_or_path", ""},
      {"base_model", "model.pretrained_model_name_or_path", ""},
      {"tokenizer_name", "tokenizer.pretrained_model_name_or_path", ""},
      {"tokenizer_name_or_path", "tokenizer.pretrained_model_name_or_path", ""},
      {"tokenizer_config", "tokenizer.pretrained_model_name_or_path", ""},
      {"dtype", "model.torch_dtype", ""},
      {"precision", "model.torch_dtype", ""},
      {"bf16", "model.torch_dtype", "bfloat16"},
      {"pure_bf16", "model.torch_dtype", "bfloat16"},
      {"fp16", "model.torch_dtype", "bfloat16 or float32; no operation computes in float16"},
      {"fp32", "model.torch_dtype", "float32"},
      {"gradient_checkpointing", "distributed.activation_checkpointing", ""},
      {"flash_attention", "", kAttention},
      {"flash_attention_2", "", kAttention},
      {"flash_attn", "", kAttention},
      {"use_flash_attention_2", "", kAttention},
      {"sdp_attention", "", kAttention},
      {"xformers_attention", "", kAttention},
      {"load_in_4bit", "", kQuantized},
      {"load_in_8bit", "", kQuantized},
      {"use_cpu", "device", "cpu"},
      {"no_cuda", "device", "cpu"},
      {"deepspeed", "", kOneProcess},
      {"fsdp", "", kOneProcess},
      {"fsdp_config", "", kOneProcess},
      // LoRA.
      {"r", "peft.dim", ""},
      {"rank", "peft.dim", ""},
      {"lora_r", "peft.dim", ""},
      {"lora_rank", "peft.dim", ""},
      {"lora_alpha", "peft.alpha", ""},
      {"lora_dropout", "peft.dropout", ""},
      {"lora_target", "peft.target_modules", ""},
      {"lora_target_modules", "peft.target_modules", ""},
      {"lora_target_linear", "peft.match_all_linear", ""},
      {"adapter", "peft", kLora},
      {"use_lora", "peft", kLora},
      {"use_peft", "peft", kLora},
      {"peft_config", "peft", kLora},
      {"lora_config", "peft", kLora},
      {"finetuning_type", "peft", kLora},
      {"neftune_noise_alpha", "", "noise on embeddings (NEFTune) is not implemented yet"},
      // Data.
      {"datasets", "dataset", "one section; its path_or_dataset_id may be a list of files"},
      {"train_dataset", "dataset", ""},
      {"path", "dataset.path_or_dataset_id", ""},
      {"file", "dataset.path_or_dataset_id", ""},
      {"data_files", "dataset.path_or_dataset_id", ""},
      {"data_path", "dataset.path_or_dataset_id", ""},
      {"dataset_path", "dataset.path_or_dataset_id", ""},
      {"train_file", "dataset.path_or_dataset_id", ""},
      {"dataset_dir", "dataset.path_or_dataset_id", ""},
      {"validation_file", "validation_dataset.path_or_dataset_id", ""},
      {"max_samples", "dataset.limit_dataset_samples", ""},
      {"max_train_samples", "dataset.limit_dataset_samples", ""},
      {"max_seq_length", "dataset.seq_length", kCut},
      {"max_seq_len", "dataset.seq_length", kCut},
      {"max_length", "dataset.seq_length", kCut},
      {"cutoff_len", "dataset.seq_length", kCut},
      {"sequence_len", "dataset.seq_length", kCut},
      {"sequence_length", "dataset.seq_length", kCut},
      {"model_max_length", "dataset.seq_length", kCut},
      {"block_size", "dataset.seq_length", kCut},
      {"template", "dataset.chat_template", "absent: the tokenizer's own"},
      {"conversation_template", "dataset.chat_template", "absent: the tokenizer's own"},
      {"train_on_inputs", "dataset.answer_only_loss_mask", "false learns the prompt too"},
      {"train_on_prompt", "dataset.answer_only_loss_mask", "false learns the prompt too"},
      {"completion_only_loss", "dataset.answer_only_loss_mask", ""},
      {"packing", "packed_sequence.packed_sequence_size", "tokens of a sequence"},
      {"sample_packing", "packed_sequence.packed_sequence_size", "tokens of a sequence"},
      {"dataloader_num_workers", "dataloader.num_workers", ""},
      {"preprocessing_num_workers", "dataloader.num_workers", ""},
      {"dataset_num_proc", "dataloader.num_workers", ""},
      {"dataset_processes", "dataloader.num_workers", ""},
      {"random_seed", "seed", ""},
      {"data_seed", "seed", ""},
  };
  return kWords;
}

const ForeignWord* find_foreign_word(std::string_view key) {
  std::string word(key);
  std::replace(word.begin(), word.end(), '-', '_');
  for (const ForeignWord& row : foreign_words()) {
    if (row.word == word) return &row;
  }
  return nullptr;
}

}  // namespace automodel::config
