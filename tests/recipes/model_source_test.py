"""Where a model comes from: the type of weights whose config.json says none, a config.json of another place, keys that nobody
knows, and tokens that the model has no row for."""
import json
import pathlib
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file, save_file

import tiny
from program import call, fails, run

CHAT = "nemo_automodel.components.datasets.llm.column_mapped_text_instruction_dataset.ColumnMappedTextInstructionDataset"
QUESTION = {"q": "What is 2 and 2?", "a": "4 indeed"}


def recipe_of(model, rows, folder, **changes):
    recipe = {
        "recipe": "TrainFinetuneRecipeForNextTokenPrediction", "device": "cpu",
        "step_scheduler": {"global_batch_size": 1, "local_batch_size": 1, "max_steps": 3, "num_epochs": 9},
        "model": {"_target_": "nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained",
                  "pretrained_model_name_or_path": str(model), **changes},
        "checkpoint": {"enabled": True, "checkpoint_dir": str(folder), "save_consolidated": "final"},
        "dataset": {"_target_": CHAT, "path_or_dataset_id": str(rows), "column_mapping": {"question": "q", "answer": "a"}},
        "dataloader": {"shuffle": False},
        "optimizer": {"_target_": "torch.optim.SGD", "lr": 0.05},
    }
    folder.mkdir()
    (folder / "recipe.yaml").write_text(json.dumps(recipe))
    return folder / "recipe.yaml"


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def edit(folder, **changes):
    """The config.json with other values; None takes a key away."""
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))


def exported_type(folder):
    files = (folder / "LATEST" / "model" / "consolidated").glob("*.safetensors")
    return {str(tensor.dtype).removeprefix("torch.") for file in files for tensor in load_file(file).values()}


def typed(model, folder, types, shards=False, metadata=None):
    """A copy of a model whose config.json says no type: tensors of `types` in turn, by name."""
    folder.mkdir()
    for file in model.iterdir():
        if file.suffix != ".safetensors":
            (folder / file.name).write_bytes(file.read_bytes())
    tensors = load_file(model / "model.safetensors")
    tensors = {name: tensors[name].to(types[i % len(types)]).contiguous() for i, name in enumerate(sorted(tensors))}
    if shards:
        names = sorted(tensors)
        files = {name: f"model-{1 + i % 2}-of-2.safetensors" for i, name in enumerate(reversed(names))}
        for file in set(files.values()):
            save_file({name: tensors[name] for name in names if files[name] == file}, folder / file, {"format": "pt"})
        index = {"metadata": metadata or {}, "weight_map": files}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    else:
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    edit(folder, dtype=None, torch_dtype=None)
    return folder


def types_of_weights(model, root):
    """`auto` takes what transformers takes."""
    bf16, f16, f32 = torch.bfloat16, torch.float16, torch.float32
    kinds = {"bf16": [bf16], "f16": [f16], "f32": [f32], "bf16 first": [bf16, f32], "f32 first": [f32, bf16, f16]}
    for shards in (False, True):
        for name, types in kinds.items():
            folder = typed(model, root / f"{name} {shards}", types, shards)
            theirs = str(transformers.AutoModelForCausalLM.from_pretrained(folder, dtype="auto").dtype).removeprefix("torch.")
            ours = json.loads(call("model", "info", folder, "--json"))["dtype"]
            assert ours == theirs, (name, shards, ours, theirs)
    named = typed(model, root / "named", [f32], True, {"dtype": "bfloat16"})
    assert json.loads(call("model", "info", named, "--json"))["dtype"] == "bfloat16"
    rows = write_rows(root / "rows.jsonl", [QUESTION] * 2)
    for name in ("bf16 False", "bf16 True", "f32 False"):
        done = run(recipe_of(root / name, rows, root / f"trained {name}"))
        assert done.returncode == 0, done.stderr[-2000:]
        expected = "bfloat16" if name.startswith("bf16") else "float32"
        assert exported_type(root / f"trained {name}") == {expected}, (name, exported_type(root / f"trained {name}"))
    (root / "ids.json").write_text("[[5, 6, 7]]")
    for name, dtype in (("bf16 False", torch.bfloat16), ("f16 True", torch.float32)):
        call("model", "forward", "-m", root / name, "--ids", root / "ids.json", "--dtype", "auto", "-o", root / "out.safetensors")
        logits = load_file(root / "out.safetensors")["logits"]
        reference = transformers.AutoModelForCausalLM.from_pretrained(root / name, dtype=dtype, attn_implementation="eager")
        expected = reference(torch.tensor([[5, 6, 7]])).logits.float()
        exact = transformers.AutoModelForCausalLM.from_pretrained(root / name, dtype=torch.float32, attn_implementation="eager")
        distance = (expected - exact(torch.tensor([[5, 6, 7]])).logits).abs().max()
        assert (logits - expected).abs().max() <= 2 * distance + 1e-4, (name, dtype)
        call("generate", "-m", root / name, "--ids", root / "ids.json", "--max-new-tokens", 2, "--json")


def config_of_another_place(model, root):
    """model.config beside from_pretrained is read in place of the weights' own config.json."""
    other = root / "other"
    other.mkdir()
    config = json.loads((model / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 0.5}))
    rows = write_rows(root / "rows.jsonl", [QUESTION] * 2)
    named = {"_target_": "transformers.AutoConfig.from_pretrained", "pretrained_model_name_or_path": str(other),
             "trust_remote_code": True, "attn_implementation_new": "flash_attention_2"}
    runs = {"own": {}, "another": {"config": named}, "same by a field": {"rms_norm_eps": 0.5},
            "both": {"config": {**named, "rms_norm_eps": 1e-6}}}
    losses = {}
    for name, changes in runs.items():
        done = run(recipe_of(model, rows, root / name, **changes))
        assert done.returncode == 0, done.stderr[-2000:]
        losses[name] = [json.loads(line)["loss"] for line in (root / name / "training.jsonl").read_text().splitlines()]
    assert losses["another"] == losses["same by a field"] != losses["own"], losses
    assert losses["both"] == losses["own"], losses
    exported = json.loads((root / "another" / "LATEST" / "model" / "consolidated" / "config.json").read_text())
    assert exported["rms_norm_eps"] == 0.5
    without = {"_target_": "transformers.AutoConfig.from_pretrained"}
    assert "names no configuration" in fails(recipe_of(model, rows, root / "nameless", config=without))


def unknown_keys(model, root):
    """A key of a newer transformers ends the run, unless it is ignored; then the record says so."""
    edit(model, transformers_version="99.0.0", new_gate=2)
    rows = write_rows(root / "rows.jsonl", [QUESTION] * 2)
    refused = recipe_of(model, rows, root / "refused")
    assert 'unknown key "new_gate"' in fails(refused)
    done = run(recipe_of(model, rows, root / "ignored", ignore_config_keys=["new_gate"]))
    assert done.returncode == 0 and '"new_gate" is ignored, as asked' in done.stderr, done.stderr[-2000:]
    assert "ignore_config_keys" in (root / "ignored" / "LATEST" / "config.yaml").read_text()
    assert run(refused, "--model.ignore_config_keys", "new_gate").returncode == 0
    assert "ignore_config_keys" in (root / "refused" / "LATEST" / "config.yaml").read_text()
    (root / "ids.json").write_text("[[5, 6, 7]]")
    commands = [("model", "info", model), ("checkpoint", "verify", model), ("checkpoint", "convert", model, root / "converted"),
                ("generate", "-m", model, "--ids", root / "ids.json", "--max-new-tokens", 1),
                ("model", "forward", "-m", model, "--ids", root / "ids.json", "-o", root / "out.safetensors"),
                ("model", "forward", "-m", model, "--ids", root / "ids.json", "-o", root / "out.safetensors", "--dtype", "auto")]
    for command in commands:
        assert 'unknown key "new_gate"' in fails(*command), command
        call(*command, "--ignore-config-key", "new_gate")
    case = {"model": str(model), "ids": str(root / "ids.json"), "output": str(root / "case.safetensors")}
    (root / "cases.json").write_text(json.dumps([{**case, "ignore_config_keys": ["new_gate"]}]))
    call("model", "forward", "--cases", root / "cases.json")


def tokens_without_a_row(model, root):
    """A tokenizer with more tokens than the embedding has rows."""
    size = json.loads((model / "config.json").read_text())["vocab_size"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    tokenizer.add_tokens([f"<x{i}>" for i in range(size + 3 - len(tokenizer))])
    tokenizer.save_pretrained(model)
    bad = {"q": f"What is {tokenizer.convert_ids_to_tokens(size)}?", "a": "4"}
    rows = write_rows(root / "rows.jsonl", [QUESTION, QUESTION, bad])
    told = fails(recipe_of(model, rows, root / "run"))
    assert "the tokenizer has" in told and f"rows.jsonl:3: token {size}" in told, told
    validated = json.loads(recipe_of(model, write_rows(root / "good.jsonl", [QUESTION] * 3), root / "validated").read_text())
    validated["validation_dataset"] = {**validated["dataset"], "path_or_dataset_id": str(rows)}
    validated["step_scheduler"]["val_every_steps"] = 1
    (root / "validated" / "recipe.yaml").write_text(json.dumps(validated))
    assert f"rows.jsonl:3: token {size}" in fails(root / "validated" / "recipe.yaml")
    (root / "ids.json").write_text(f"[[5, 6], [5, {size}]]")
    told = fails("model", "forward", "-m", model, "--ids", root / "ids.json", "-o", root / "out.safetensors")
    assert f"ids.json: row 1, position 1: {size} is outside" in told, told


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for part in (types_of_weights, config_of_another_place, unknown_keys, tokens_without_a_row):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            if not tiny.save_model("llama", root / "model"):
                sys.exit("the parity suite makes no checkpoint of llama")
            part(root / "model", root)
            print(part.__name__.replace("_", " ") + ": as said")


main()
