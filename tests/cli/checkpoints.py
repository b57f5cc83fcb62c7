"""`checkpoint inspect` and `verify` on whole and on broken folders: exit status 3, naming file and tensor."""
import json
import pathlib
import shutil
import struct
import tempfile

import numpy
from safetensors.numpy import load_file, save_file

from program import automodel, finish

CONFIG = {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": 24, "hidden_size": 8,
          "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
          "head_dim": 4, "tie_word_embeddings": True, "dtype": "float32"}
LAYER = {"self_attn.q_proj": (8, 8), "self_attn.k_proj": (4, 8), "self_attn.v_proj": (4, 8), "self_attn.o_proj": (8, 8),
         "self_attn.q_norm": (4,), "self_attn.k_norm": (4,), "mlp.gate_proj": (12, 8), "mlp.up_proj": (12, 8),
         "mlp.down_proj": (8, 12), "input_layernorm": (8,), "post_attention_layernorm": (8,)}
SHAPES = {"model.embed_tokens.weight": (24, 8), "model.norm.weight": (8,)} | {
    f"model.layers.{i}.{name}.weight": shape for i in (0, 1) for name, shape in LAYER.items()}
Q = "model.layers.1.self_attn.q_proj.weight"


def tensors():
    numbers = numpy.random.default_rng(7)
    return {name: numbers.standard_normal(shape).astype(numpy.float32) for name, shape in SHAPES.items()}


def write(folder, files):
    """Each file with its share of the tensors; an index when there are several."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    names = list(SHAPES)
    if files == 1:
        save_file(tensors(), folder / "model.safetensors")
        return
    parts = {f"model-{i + 1:05}-of-{files:05}.safetensors": names[i::files] for i in range(files)}
    for file, part in parts.items():
        save_file({name: tensors()[name] for name in part}, folder / file)
    index = {"metadata": {}, "weight_map": {name: file for file, part in parts.items() for name in part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def change(folder, file="model.safetensors", **changes):
    """Replaces tensors of a file; None removes one."""
    held = load_file(folder / file)
    for name, value in changes.items():
        held.pop(name, None) if value is None else held.__setitem__(name, value)
    save_file(held, folder / file)


def edit_bytes(path, edit):
    data = bytearray(path.read_bytes())
    path.write_bytes(bytes(edit(data)))


def with_nan(folder):
    values = tensors()[Q]
    values[3, 3] = numpy.nan
    change(folder, **{Q: values})


def lying_length(data):
    data[:8] = struct.pack("<Q", len(data) * 2)
    return data


def edit_header(before, after):
    """Replaces text of the header by text of the same length."""
    assert len(before) == len(after)
    return lambda data: data.replace(before.encode(), after.encode(), 1)


def edit_index(folder, edit):
    path = folder / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    edit(index["weight_map"])
    path.write_text(json.dumps(index))


ONE = "model.safetensors"
TWO = "model-00002-of-00002.safetensors"
BROKEN = [  # what was done, number of files, how, what standard error says
    ("missing tensor", 1, lambda f: change(f, **{Q: None}), [f'"{Q}" is missing']),
    ("extra tensor", 1, lambda f: change(f, extra=numpy.zeros(3, numpy.float32)), [ONE, '"extra": unexpected']),
    ("wrong shape", 1, lambda f: change(f, **{Q: numpy.zeros((8, 9), numpy.float32)}),
     [ONE, f'"{Q}": expected shape [8, 8] by config.json, found [8, 9]']),
    ("integer weights", 1, lambda f: change(f, **{Q: numpy.zeros((8, 8), numpy.int8)}), [ONE, Q, "found I8"]),
    ("a NaN", 1, with_nan, [ONE, f'"{Q}": 1 values are infinite or NaN']),
    ("a tied head of its own", 1, lambda f: change(f, **{"lm_head.weight": numpy.ones((24, 8), numpy.float32)}),
     [ONE, "lm_head.weight", "differs from model.embed_tokens.weight"]),
    ("cut by one byte", 1, lambda f: edit_bytes(f / ONE, lambda d: d[:-1]), [ONE, "truncated"]),
    ("cut in the header", 1, lambda f: edit_bytes(f / ONE, lambda d: d[:100]), [ONE, "truncated"]),
    ("cut in the length", 1, lambda f: edit_bytes(f / ONE, lambda d: d[:5]), [ONE, "truncated"]),
    ("empty", 1, lambda f: (f / ONE).write_bytes(b""), [ONE, "truncated"]),
    ("bytes after the end", 1, lambda f: edit_bytes(f / ONE, lambda d: d + b"abcd"), [ONE, "4 bytes after the last tensor"]),
    ("lying header length", 1, lambda f: edit_bytes(f / ONE, lying_length), [ONE, "truncated"]),
    ("no JSON", 1, lambda f: edit_bytes(f / ONE, lambda d: d[:8] + b"x" + d[9:]), [ONE, "not JSON"]),
    ("unknown type", 1, lambda f: edit_bytes(f / ONE, edit_header('"F32"', '"F99"')), [ONE, '"F99"']),
    ("shape of another size", 1, lambda f: edit_bytes(f / ONE, edit_header("[24,8]", "[24,9]")),
     [ONE, "embed_tokens", "shape and type need 864"]),
    ("no weights", 1, lambda f: (f / ONE).rename(f / "pytorch_model.bin"), ["no safetensors file in it"]),
    ("a shard is missing", 2, lambda f: (f / TWO).unlink(), [TWO, "missing"]),
    ("a shard lacks a tensor", 2, lambda f: change(f, TWO, **{list(SHAPES)[1]: None}), [TWO, list(SHAPES)[1], "is missing"]),
    ("a tensor in two shards", 2, lambda f: change(f, TWO, **{list(SHAPES)[0]: tensors()[list(SHAPES)[0]]}),
     [TWO, list(SHAPES)[0], "stands also in"]),
    ("the index names another shard", 2, lambda f: edit_index(f, lambda m: m.__setitem__(list(SHAPES)[0], TWO)),
     [list(SHAPES)[0], "is missing"]),
    ("the index leaves the folder", 2, lambda f: edit_index(f, lambda m: m.__setitem__(list(SHAPES)[0], "../x")),
     ["../x", "is not the name of a file in this folder"]),
    ("the index is cut", 2, lambda f: edit_bytes(f / "model.safetensors.index.json", lambda d: d[:-5]), ["not JSON"]),
    ("no config", 1, lambda f: (f / "config.json").unlink(), ["config.json is missing"]),
]


def expect(failures, what, done, status, texts):
    output = done.stdout + done.stderr
    if done.returncode != status or not all(text in output for text in texts):
        failures.append(f"{what}: status {done.returncode}, expected {status} and {texts}\n{output[-1500:]}")


def training_checkpoint(root):
    """As training leaves it: shards, the export as hard links to them, and state beside."""
    folder = root / "run" / "epoch_0_step_7"
    write(folder / "model" / "consolidated", 2)
    (folder / "model" / ".hf_metadata").mkdir()
    shutil.copy(folder / "model" / "consolidated" / "config.json", folder / "model" / ".hf_metadata" / "config.json")
    for i, file in enumerate(sorted((folder / "model" / "consolidated").glob("*.safetensors"))):
        (folder / "model" / f"shard-00001-{file.name}").hardlink_to(file)
    (folder / "losses.json").write_text('{"train_loss": 1.5}')
    (root / "run" / "LATEST").symlink_to("epoch_0_step_7")
    return folder


def check_training(failures, root):
    folder = training_checkpoint(root)
    expect(failures, "training", automodel("checkpoint", "verify", folder), 0, ["whole: 24 tensors in 2 files"])
    shown = automodel("checkpoint", "inspect", root / "run", "--json")
    expect(failures, "inspect training", shown, 0, [])
    about = json.loads(shown.stdout)
    if (about["kind"], about["step"], about["epoch"], about["losses"]) != ("training", 7, 0, {"train_loss": 1.5}):
        failures.append(f"inspect training: {about}")
    shutil.rmtree(folder / "model" / "consolidated")
    expect(failures, "shards alone", automodel("checkpoint", "verify", folder), 0, [".hf_metadata/config.json asks"])
    shard = sorted((folder / "model").glob("shard-*"))[0]
    shard.unlink()
    expect(failures, "a shard less", automodel("checkpoint", "verify", folder), 3, ["is missing"])
    (folder / ".incomplete").touch()
    expect(failures, "incomplete", automodel("checkpoint", "verify", folder), 3, ["incomplete"])


def main():
    failures = []
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for files in (1, 2):
            write(root / f"good{files}", files)
            expect(failures, f"{files} good files", automodel("checkpoint", "verify", root / f"good{files}", "--json"), 0,
                   ['"ok": true', '"tensors": 24'])
        shown = json.loads(automodel("checkpoint", "inspect", root / "good1", "--json").stdout)
        listed = {tensor["name"]: tuple(tensor["shape"]) for tensor in shown["files"][0]["tensors"]}
        if listed != SHAPES:
            failures.append(f"inspect: {listed}")
        for what, files, how, texts in BROKEN:
            folder = root / what.replace(" ", "-")
            write(folder, files)
            how(folder)
            expect(failures, what, automodel("checkpoint", "verify", folder), 3, texts)
        check_training(failures, root)
    finish(failures, f"{len(BROKEN)} broken folders, each named with its file and tensor")


main()
