"""How used_test.py changes each key: a row of a key is Use(value) in the small recipe of its section, or a text that says why
no run can show an effect."""
import re
from dataclasses import dataclass, field
from typing import Any

from used_fields import DRAWN, FIELDS, NUMBERS
from used_recipes import ABSENT, TARGETS, UNSET

FIELD = "field of config.json"
ASKED = set()


@dataclass
class Use:
    value: Any                                # what the key is changed to
    also: dict = field(default_factory=dict)  # what both runs set besides
    context: str = ""                         # another small recipe than the section's
    before: Any = UNSET                       # its value in the run without the change
    path: str = ""                            # another place than the section's
    fails: bool | None = False                # the changed run must fail; None: or not
    fails_before: bool = False                # the run without the change must fail
    earlier: list | None = None               # changes of a first run, which both resume
    send: int | None = None                   # a signal after the first step
    shows: tuple = ()                         # in which of what a run leaves; empty: anywhere


SAME_BITS = "the same bits by design: "
GPU = "concerns GPUs: "
LONGER = {"step_scheduler.max_steps": None, "step_scheduler.num_epochs": 2}
STEPS = {"step_scheduler.ckpt_every_steps": 1, "step_scheduler.val_every_steps": None}
RESUMED = [{**STEPS, "step_scheduler.max_steps": 2, "lr_scheduler.lr_decay_style": "linear"}]
SHORT = {"dataset.seq_length": 30}
TWO_SETS = {"validation_dataset_b": {
    "_target_": f"{TARGETS}.datasets.llm.column_mapped_text_instruction_dataset.ColumnMappedTextInstructionDataset",
    "path_or_dataset_id": "{inputs}/odd.jsonl", "column_mapping": {"question": "q", "answer": "b"}}}
WSD = {"lr_scheduler.lr_decay_style": "WSD", "lr_scheduler.lr_warmup_steps": 0, "lr_scheduler.wsd_decay_steps": 2}
RAMP = {"lr_scheduler.start_wd": 0.1, "lr_scheduler.end_wd": 0.5, "lr_scheduler.wd_incr_style": "linear"}
PACKED = {"packed_sequence.packed_sequence_size": 120, "dataset.seq_length": 100, "step_scheduler.local_batch_size": 1,
          "step_scheduler.global_batch_size": 2, "dataloader.collate_fn": f"{TARGETS}.datasets.utils.packed_sequence_thd_collater"}
MOE = {"moe_metrics.enabled": True}
BF16 = {"model.torch_dtype": "bfloat16"}
TOMORROW = "{inputs}/tomorrow"  # its config.json has a key of a later transformers
TRACED = {"profile.file": "steps.trace", "profile.first_step": 1, "profile.num_steps": 1}

TOP = {
    "recipe": Use("BenchmarkingRecipeForNextTokenPrediction", context="benchmark", before="TrainFinetuneRecipeForNextTokenPrediction"),
    "seed": Use(7),
    "deterministic": GPU + "attention in bfloat16; all else is always deterministic",
    "device": Use("cuda:99", fails=True),
    "cuda_graphs": GPU + "micro-batches are captured",
}
SECTIONS = {
    "`step_scheduler`": {
        "global_batch_size": Use(2), "local_batch_size": Use(1), "num_epochs": Use(1, also={"step_scheduler.max_steps": None}),
        "max_steps": Use(2), "ckpt_every_steps": Use(1), "save_checkpoint_every_epoch": Use(False), "val_every_steps": Use(1),
        "preemption_signal": Use("SIGUSR1", also={"step_scheduler.max_steps": 400, "step_scheduler.num_epochs": 400,
                                                 "step_scheduler.save_checkpoint_every_epoch": False,
                                                 "step_scheduler.val_every_steps": None},
                                 send=10, fails=True, fails_before=True),
    },
    "NeMoAutoModelForCausalLM.from_pretrained": {
        "pretrained_model_name_or_path": Use("{inputs}/qwen3_moe"), "torch_dtype": Use("bfloat16"), "dtype": Use("bfloat16"),
        "family_file": Use("{inputs}/family.yaml", fails=True),
        "ignore_config_keys": Use(["of_tomorrow"], also={"model.pretrained_model_name_or_path": TOMORROW}, fails_before=True),
    },
    "`model.backend`": {"fake_balanced_gate": Use(True)},
    "NeMoAutoModelForCausalLM.from_config": {
        "config": Use("{inputs}/other"), "torch_dtype": Use("bfloat16"),
        "dtype": Use("bfloat16", also={"model.torch_dtype": ABSENT}, before="float32"), "family_file": Use("{inputs}/family.yaml", fails=True),
        "ignore_config_keys": Use(["of_tomorrow"], also={"model.config": TOMORROW}, fails_before=True),
    },
    "AutoConfig.from_pretrained": {
        "pretrained_model_name_or_path": Use("{inputs}/other"),
        "name_or_path": Use("{inputs}/other", also={"model.config.pretrained_model_name_or_path": ABSENT}, before="{inputs}/llama"),
        "torch_dtype": Use("bfloat16", also={"model.torch_dtype": "auto"}), "dtype": Use("bfloat16", also={"model.torch_dtype": "auto"}),
    },
    "transformers.LlamaConfig": {
        "torch_dtype": Use("bfloat16", also={"model.torch_dtype": "auto"}), "dtype": Use("bfloat16", also={"model.torch_dtype": "auto"}),
    },
    "gpt2.build_gpt2_model": {
        "vocab_size": Use(120), "n_positions": Use(128), "n_embd": Use(48), "n_layer": Use(1), "n_head": Use(2),
        "bos_token_id": Use(3), "eos_token_id": Use(3), "torch_dtype": Use("bfloat16"), "dtype": Use("bfloat16"),
        "family_file": Use("{inputs}/family.yaml", fails=True),
        "ignore_config_keys": "the recipe writes this config itself: it has no key that the family does not read",
    },
    "`checkpoint`": {
        "enabled": Use(False), "checkpoint_dir": Use("elsewhere"),
        "model_save_format": "weights are safetensors in both cases, as the reference says and docs/checkpoint-format.md",
        "save_consolidated": Use(False), "restore_from": Use("epoch_0_step_0", also=STEPS, earlier=[STEPS]),
        "max_recent_checkpoints": Use(1, also=STEPS),
        "accept_changed_data": Use(True, also={"dataloader.shuffle": False}, earlier=[{**STEPS, "step_scheduler.max_steps": 2}],
                                   fails_before=True),
        "accept_changed_base": Use(True, also={"model.pretrained_model_name_or_path": "{inputs}/redrawn"},
                                   earlier=[{**STEPS, "step_scheduler.max_steps": 2}], fails_before=True),
        "best_metric_key": Use("b", also={**TWO_SETS, "step_scheduler.ckpt_every_steps": 1, "optimizer.lr": 0.3}),
    },
    "`distributed`": {
        "strategy": SAME_BITS + "on one process all strategies are one", "activation_checkpointing": SAME_BITS + "in less memory",
    },
    "`distributed.mp_policy`": {"param_dtype": Use("bfloat16"), "reduce_dtype": "gradients of ranks: one process sums none"},
    "masked_ce": {"ignore_index": Use(74)}, "linear_ce": {"ignore_index": Use(74)}, "te_parallel_ce": {"ignore_index": Use(74)},
    "chunked_ce": {"ignore_index": Use(74), "chunk_len": "how many tokens are computed at once: less memory, the same loss"},
    "ColumnMapped": {
        "path_or_dataset_id": Use("{inputs}/fewer.jsonl"), "column_mapping": Use({"question": "q", "answer": "b"}),
        "answer_only_loss_mask": Use(False), "use_hf_chat_template": Use(True), "split": Use("train[:60%]"),
        "seq_length": Use(25, also={"dataset.truncation": True}), "padding": Use("max_length", also={"dataset.seq_length": 60}),
        "truncation": Use(True, also=SHORT), "limit_dataset_samples": Use(4),
    },
    "`tokenizer`": {
        "pretrained_model_name_or_path": Use("{inputs}/reversed"),
        "add_bos_token": Use(True, also={"tokenizer.pretrained_model_name_or_path": "{inputs}/llama"}),
        "add_eos_token": Use(True, also={"tokenizer.pretrained_model_name_or_path": "{inputs}/llama"}),
    },
    "make_squad": {
        "dataset_name": Use("{inputs}/fewer_squad.jsonl"), "chat_template": Use("{{% for m in messages %}}{{{{ m.content }}}}{{% endfor %}}"),
        "split": Use("train[:60%]"), "seq_length": Use(68, also={"dataset.truncation": True}),
        "padding": Use("max_length", also={"dataset.seq_length": 90}), "truncation": Use(True, also={"dataset.seq_length": 68}),
        "limit_dataset_samples": Use(4),
    },
    "ChatDataset": {
        "path_or_dataset_id": Use("{inputs}/fewer_chat.jsonl"),
        "chat_template": Use("{{% for m in messages %}}{{{{ m.content }}}}|{{% endfor %}}"),
        "shuffle_seed": Use(3, also={"dataset.split": "train[:60%]"}),
        "mask_reasoning_content": Use(True, also={"dataset.chat_template": "{{% for m in messages %}}{{{{ m.role[0] }}}}:"
                                                 "{{{{ m.reasoning_content or '' }}}}{{{{ m.content }}}}\n{{% endfor %}}"}),
        "mask_history": Use(True), "skip_invalid_samples": Use(True, also={"dataset.path_or_dataset_id": "{inputs}/invalid_chat.jsonl"},
                                                               fails_before=True),
        "split": Use("train[:60%]"), "seq_length": Use(25, also={"dataset.truncation": True}),
        "padding": Use("max_length", also={"dataset.seq_length": 90}), "truncation": Use(True, also=SHORT),
        "tool_arguments": Use("json_text", also={
            "dataset.path_or_dataset_id": "{inputs}/calls_chat.jsonl", "validation_dataset": None,
            "dataset.chat_template": "{{% for m in messages %}}{{{{ m.content or '' }}}}{{% for c in m.tool_calls or [] %}}"
                                     "{{{{ c.function.arguments | tojson }}}}{{% endfor %}}\n{{% endfor %}}"}),
    },
    "HellaSwag": {
        "path_or_dataset": Use("{inputs}/fewer_hellaswag.jsonl"), "split": Use("train[:60%]"), "num_samples_limit": Use(4),
        "pad_to_max_length": "padding alone: the same labels; counted by hellaswag's own test",
    },
    "PlainTextDataset": {
        "path_or_dataset_id": Use("{inputs}/fewer_text.jsonl"), "seq_length": Use(20), "text_column": Use("b"), "split": Use("train[:60%]"),
        "document_separator": Use("\n\n", also={"dataset.path_or_dataset_id": "{inputs}/story.txt"}), "append_eos": Use(False),
        "limit_dataset_samples": Use(4),
    },
    "NanogptDataset": {
        "file_pattern": Use("{inputs}/tokens_1.bin"), "seq_len": Use(16), "bos_token": Use(9, also={"dataset.align_to_bos": True}, before=4),
        "shuffle_files": Use(True), "align_to_bos": Use(True, also={"dataset.bos_token": 4}),
    },
    "MockIterableDataset": {"vocab_size": Use(50), "seq_len": Use(16), "num_samples": Use(4), "batch_size": Use(2), "seed": Use(5)},
    "`dataloader`": {
        "collate_fn": Use({"pad_seq_len_divisible": 64}), "shuffle": Use(False),
        "num_workers": "threads that read ahead: the same rows in the same order", "drop_last": Use(True, also={**LONGER, "step_scheduler.local_batch_size": 4}),
        "batch_size": Use(None, before=2, context="mock", fails_before=True),
    },
    "`dataloader.collate_fn`": {"pad_seq_len_divisible": Use(64)},
    "`lr_scheduler`": {
        "lr_decay_style": Use("linear"), "lr_warmup_steps": Use(3), "lr_decay_steps": Use(20), "init_lr": Use(5e-3, also={"lr_scheduler.lr_warmup_steps": 2}),
        "max_lr": Use(0.05), "min_lr": Use(5e-3), "wsd_decay_steps": Use(1, also=WSD, before=2),
        "lr_wsd_decay_style": Use("linear", also=WSD), "start_wd": Use(0.3, also={**RAMP}, before=0.1),
        "end_wd": Use(0.9, also=RAMP, before=0.5), "wd_incr_steps": Use(2, also=RAMP), "wd_incr_style": Use("cosine", also=RAMP, before="linear"),
        "use_checkpoint_opt_param_scheduler": Use(False, also={"lr_scheduler.lr_decay_style": "linear", "optimizer.lr": 0.002}, earlier=RESUMED, fails=True),
        "override_opt_param_scheduler": Use(True, also={"lr_scheduler.lr_decay_style": "linear", "optimizer.lr": 0.002,
                                                        "lr_scheduler.use_checkpoint_opt_param_scheduler": False}, earlier=RESUMED, fails_before=True),
    },
    "`profile`": {"file": Use("steps.trace", also={"profile.first_step": 1}), "first_step": Use(3, also=TRACED, before=1),
                  "num_steps": Use(2, also=TRACED, before=1)},
    "`moe_metrics`": {"enabled": Use(True), "mode": Use("detailed", also=MOE), "top_k_experts": Use(1, also=MOE),
                      "detailed_every_steps": Use(2, also={**MOE, "moe_metrics.mode": "detailed"})},
    "lora.PeftConfig": {
        "target_modules": Use(["*.q_proj"]), "exclude_modules": Use(["*.q_proj"], also={"peft.target_modules": ABSENT}),
        "match_all_linear": Use(True), "dim": Use(4), "alpha": Use(8), "dropout": Use(0.5),
        "dropout_position": Use("pre", also={"peft.dropout": 0.5}), "lora_A_init": Use("uniform"), "lora_dtype": Use("bfloat16"),
    },
    "`clip_grad_norm`": {"max_norm": Use(0.01)}, "`mfu`": {"peak_tflops": Use(1.0)},
    "`packed_sequence`": {"packed_sequence_size": Use(120, also={**PACKED, "packed_sequence.packed_sequence_size": 0}),
                          "max_packs": Use(2, also=PACKED)},
    "`benchmark`": {"warmup_steps": Use(2), "peak_tflops": Use(1.0), "json_output_path": Use("other.json")},
}
OPTIMIZER = {"lr": Use(0.02), "weight_decay": Use(0.5), "master_weights": Use(True, also=BF16)}
FUSED = OPTIMIZER | {"betas": Use([0.8, 0.99]), "eps": Use(1e-3)}
ADAM = FUSED | {"bf16_stochastic_round": Use(True, also=BF16)}
OPTIMIZERS = {
    "optim.AdamW": ADAM, "optim.Adam": ADAM, "FusedAdam": FUSED | {"master_weights": Use(False, also=BF16, fails=None), "adam_w_mode": Use(False, also={"optimizer.weight_decay": 0.5})},
    "Lion": OPTIMIZER | {"betas": Use([0.6, 0.8])},
    "optim.SGD": OPTIMIZER | {"momentum": Use(0.9), "nesterov": Use(True, also={"optimizer.momentum": 0.9})},
}


def other_value(kind):
    """One that a key with a single value for now refuses."""
    word = re.sub(r"^only ", "", kind).split()[0]
    return {"true": False, "false": True, "0": 3, "1": 2, "-1": 5}.get(word, "other")


def row_of(title, name, kind):
    """The row of a key of the program; None when there is none."""
    if kind == FIELD:
        place, rows = "fields", FIELDS
    elif title == "Top level":
        place, rows = title, TOP
    else:
        place, rows = next(((words, rows) for words, rows in {**SECTIONS, **OPTIMIZERS}.items() if words in title), (title, {}))
    ASKED.add((place, name))
    return field_row(title, name) if kind == FIELD else rows.get(name)


def field_row(title, name):
    value = FIELDS.get(name)
    if value is None or isinstance(value, str) and name not in NUMBERS and " " in value:
        return value
    pretrained = "from_pretrained" in title and "AutoConfig" not in title
    if pretrained and name in DRAWN:
        return "nothing is drawn: the checkpoint has its weights"
    # Weights of a checkpoint that have another shape than the changed config says are refused: an effect too.
    return Use(value, fails=None, shows=("records", "status") if name in NUMBERS else ())


def stale():
    """Rows that no key of the program asked for."""
    tables = {"fields": FIELDS, "Top level": TOP, **SECTIONS, **OPTIMIZERS}
    return sorted(f"{place}: {name}" for place, rows in tables.items() for name in rows if (place, name) not in ASKED)
