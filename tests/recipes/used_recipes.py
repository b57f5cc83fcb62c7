"""Small recipes, one for each kind of dataset, model, loss and optimizer, and the files that they read."""
import json
import shutil

from safetensors.torch import load_file, save_file

import tiny

ABSENT = object()  # as a key's value: the key is left out
UNSET = object()   # as a key's value before the change: as the context has it
TARGETS = "nemo_automodel.components"
ROWS = 10
MODELS = ("llama", "qwen3_moe")


def jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_inputs(folder):
    folder.mkdir()
    for model in MODELS:
        tiny.save_model(model, folder / model)
    other = json.loads((folder / "llama/config.json").read_text()) | {"num_hidden_layers": 1}
    (folder / "other").mkdir()
    (folder / "other/config.json").write_text(json.dumps(other))
    tiny.save_tokenizer(folder / "other")
    shutil.copytree(folder / "llama", folder / "tomorrow")
    tomorrow = json.loads((folder / "llama/config.json").read_text()) | {"of_tomorrow": 3, "transformers_version": "99.0.0"}
    (folder / "tomorrow/config.json").write_text(json.dumps(tomorrow))
    shutil.copytree(folder / "llama", folder / "redrawn")
    weights = load_file(folder / "llama/model.safetensors")
    save_file({name: value * 1.5 for name, value in weights.items()}, folder / "redrawn/model.safetensors", {"format": "pt"})
    pairs = [(f"How much is {i} and {i}?", str(2 * i) + " indeed" * (i % 3)) for i in range(ROWS)]
    for name, some in (("rows", pairs), ("fewer", pairs[:6])):
        jsonl(folder / f"{name}.jsonl", [{"q": q, "a": a, "b": a[::-1]} for q, a in some])
        jsonl(folder / f"{name}_squad.jsonl", [{"context": "Numbers.", "question": q, "answers": {"text": [a], "answer_start": [0]}}
                                               for q, a in some])
        jsonl(folder / f"{name}_chat.jsonl", [{"messages": [
            {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}, {"role": "user", "content": q},
            {"role": "assistant", "reasoning_content": "twice", "content": a}]} for q, a in some])
        jsonl(folder / f"{name}_hellaswag.jsonl", [{"ctx": q, "endings": [" stops.", " then sings." * (1 + len(a) % 3)],
                                                    "label": str(len(a) % 2)} for q, a in some])
        jsonl(folder / f"{name}_text.jsonl", [{"text": f"{q} {a}.", "b": a[::-1] + q} for q, a in some])
    (folder / "story.txt").write_text("\n\n".join(f"{q} {a}." for q, a in pairs))
    jsonl(folder / "calls_chat.jsonl", [{"messages": [
        {"role": "user", "content": q}, {"role": "assistant", "content": a, "tool_calls": [
            {"type": "function", "function": {"name": "add", "arguments": {"a": 1, "b": i}}}]}]} for i, (q, a) in enumerate(pairs)])
    jsonl(folder / "odd.jsonl", [{"q": "?", "b": "!" * (3 + i)} for i in range(4)])
    reverse_tokens(folder / "llama", folder / "reversed")
    (folder / "family.yaml").write_text("no family\n")
    jsonl(folder / "invalid_chat.jsonl", [{"messages": "none"}, *map(json.loads, (folder / "rows_chat.jsonl").open())])
    for number in range(3):
        (folder / f"tokens_{number}.bin").write_bytes(tiny.nanogpt_shard(number))
    return folder


def reverse_tokens(source, folder):
    """The same characters under other ids."""
    folder.mkdir()
    for name in ("tokenizer_config.json", "chat_template.jinja"):
        if (source / name).exists():
            (folder / name).write_text((source / name).read_text())
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    vocab = tokenizer["model"]["vocab"]
    letters = [token for token in vocab if len(token) == 1]
    vocab.update(zip(letters, [vocab[token] for token in reversed(letters)]))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def base(inputs, dataset):
    return {
        "recipe": "TrainFinetuneRecipeForNextTokenPrediction", "device": "cpu",
        "step_scheduler": {"global_batch_size": 4, "local_batch_size": 2, "max_steps": 4, "num_epochs": 2, "val_every_steps": 2},
        "model": {"_target_": "nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained",
                  "pretrained_model_name_or_path": f"{inputs}/llama"},
        "checkpoint": {"checkpoint_dir": "run"}, "dataset": dataset, "validation_dataset": {**dataset},
        "optimizer": {"_target_": "torch.optim.AdamW", "lr": 0.01},
    }


def column(inputs):
    return base(inputs, {
        "_target_": f"{TARGETS}.datasets.llm.column_mapped_text_instruction_dataset.ColumnMappedTextInstructionDataset",
        "path_or_dataset_id": f"{inputs}/rows.jsonl", "column_mapping": {"question": "q", "answer": "a"}})


def squad(inputs):
    return base(inputs, {"_target_": f"{TARGETS}.datasets.llm.squad.make_squad_dataset",
                         "dataset_name": f"{inputs}/rows_squad.jsonl"})


def chat(inputs):
    return base(inputs, {"_target_": f"{TARGETS}.datasets.llm.chat_dataset.ChatDataset",
                         "path_or_dataset_id": f"{inputs}/rows_chat.jsonl"})


def hellaswag(inputs):
    return base(inputs, {"_target_": f"{TARGETS}.datasets.llm.hellaswag.HellaSwag",
                         "path_or_dataset": f"{inputs}/rows_hellaswag.jsonl"})


def plain_text(inputs):
    recipe = base(inputs, {"_target_": "automodel.PlainTextDataset", "path_or_dataset_id": f"{inputs}/rows_text.jsonl",
                           "seq_length": 24})
    del recipe["validation_dataset"]
    return recipe


def nanogpt(inputs):
    return base(inputs, {"_target_": f"{TARGETS}.datasets.llm.nanogpt_dataset.NanogptDataset",
                         "file_pattern": f"{inputs}/tokens_*.bin", "seq_len": 24})


def mock(inputs):
    recipe = base(inputs, {"_target_": f"{TARGETS}.datasets.llm.mock_iterable_dataset.MockIterableDataset",
                           "vocab_size": 100, "seq_len": 24, "num_samples": 12})
    del recipe["validation_dataset"]
    return recipe | {"dataloader": {"batch_size": None}}


def moe(inputs):
    recipe = column(inputs)
    recipe["model"]["pretrained_model_name_or_path"] = f"{inputs}/qwen3_moe"
    return recipe


def lora(inputs):
    return column(inputs) | {"peft": {"_target_": f"{TARGETS}._peft.lora.PeftConfig"}}


def from_config(inputs):
    recipe = column(inputs)
    recipe["model"] = {"_target_": "nemo_automodel.NeMoAutoModelForCausalLM.from_config", "config": f"{inputs}/llama",
                       "torch_dtype": "float32"}
    return recipe


def named_config(inputs):
    recipe = from_config(inputs)
    recipe["model"]["config"] = {"_target_": "transformers.AutoConfig.from_pretrained",
                                 "pretrained_model_name_or_path": f"{inputs}/llama"}
    return recipe


def written_config(inputs):
    recipe = from_config(inputs)
    config = json.loads((inputs / "llama/config.json").read_text())
    dropped = ("architectures", "model_type", "transformers_version", "dtype", "use_cache", "pretraining_tp")
    recipe["model"]["config"] = {"_target_": "transformers.LlamaConfig"} | {k: v for k, v in config.items() if k not in dropped}
    return recipe | {"tokenizer": {"pretrained_model_name_or_path": f"{inputs}/llama"}}


def gpt2(inputs):
    recipe = column(inputs)
    recipe["model"] = {"_target_": f"{TARGETS}.models.gpt2.build_gpt2_model", "vocab_size": 101, "n_positions": 64, "n_embd": 32,
                       "n_layer": 2, "n_head": 4, "bos_token_id": 1, "eos_token_id": 2}
    return recipe | {"tokenizer": {"pretrained_model_name_or_path": f"{inputs}/llama"}}


def benchmark(inputs):
    return mock(inputs) | {"recipe": "BenchmarkingRecipeForNextTokenPrediction",
                           "benchmark": {"warmup_steps": 1, "json_output_path": "times.json"}}


def loss(name):
    def recipe(inputs):
        return column(inputs) | {"loss_fn": {"_target_": f"{TARGETS}.loss.{name}"}}
    return recipe


def optimizer(name, **options):
    def recipe(inputs):
        return column(inputs) | {"optimizer": {"_target_": name, "lr": 0.01, **options}}
    return recipe


CONTEXTS = {
    "column": column, "squad": squad, "chat": chat, "hellaswag": hellaswag, "plain_text": plain_text, "nanogpt": nanogpt, "mock": mock, "moe": moe,
    "lora": lora, "from_config": from_config, "named_config": named_config, "written_config": written_config, "gpt2": gpt2,
    "benchmark": benchmark, "linear_ce": loss("linear_ce.FusedLinearCrossEntropy"),
    "chunked_ce": loss("chunked_ce.ChunkedCrossEntropy"), "te_ce": loss("te_parallel_ce.TEParallelCrossEntropy"),
    "masked_ce": loss("masked_ce.MaskedCrossEntropy"), "adam": optimizer("torch.optim.Adam"), "sgd": optimizer("torch.optim.SGD"), "lion": optimizer("lion_pytorch.Lion"),
    "fused_adam": optimizer("transformer_engine.pytorch.optimizers.FusedAdam", master_weights=True),
}
# By what a section's title holds; the first that fits.
OF_TITLES = [
    ("from_config", "from_config"), ("AutoConfig.from_pretrained", "named_config"), ("LlamaConfig", "written_config"),
    ("gpt2", "gpt2"), ("model.backend", "moe"), ("linear_ce", "linear_ce"), ("chunked_ce", "chunked_ce"),
    ("te_parallel_ce", "te_ce"), ("masked_ce", "masked_ce"), ("make_squad", "squad"), ("ChatDataset", "chat"),
    ("HellaSwag", "hellaswag"), ("PlainText", "plain_text"), ("Nanogpt", "nanogpt"), ("MockIterable", "mock"),
    ("optim.AdamW", "column"), ("optim.Adam", "adam"), ("FusedAdam", "fused_adam"), ("SGD", "sgd"), ("Lion", "lion"), ("moe_metrics", "moe"),
    ("PeftConfig", "lora"), ("benchmark", "benchmark"),
]


def context_of(title):
    return next((context for words, context in OF_TITLES if words in title), "column")
