"""Every stock recipe of a language model on one process: two steps with a tiny checkpoint, or the reasons why not."""
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("OMP_NUM_THREADS", "1")
import transformers
import yaml

import models
import tiny
from program import ROOT, program, skip

SHARED = pathlib.Path(os.environ.get("AUTOMODEL_SHARED", ROOT.parent / "shared"))
TABLE = pathlib.Path(__file__).with_name("stock.txt")
SIZES = ("dp_size", "dp_replicate_size", "tp_size", "cp_size", "pp_size", "ep_size")
# Sizes of a config that is written in the recipe.
SHRUNK = dict(vocab_size=101, hidden_size=48, intermediate_size=80, moe_intermediate_size=20, num_attention_heads=4,
              num_key_value_heads=2)
PATHS = ("path_or_dataset_id", "path_or_dataset", "dataset_name")
READABLE = ("make_squad_dataset", "HellaSwag", "ChatDataset", "ColumnMappedTextInstructionDataset")


def model_of(recipe):
    """(Hub id, dotted key that names it); (None, None) when the recipe writes its model down."""
    model = recipe["model"]
    if "pretrained_model_name_or_path" in model:
        return model["pretrained_model_name_or_path"], "model.pretrained_model_name_or_path"
    config = model.get("config")
    if isinstance(config, str):
        return config, "model.config"
    if isinstance(config, dict) and "pretrained_model_name_or_path" in config:
        return config["pretrained_model_name_or_path"], "model.config.pretrained_model_name_or_path"
    return None, None


class Run:
    """One recipe with its overrides."""

    def __init__(self, path, root, checkpoints):
        self.path = path
        self.recipe = yaml.safe_load(path.read_text())
        self.folder = root / "runs" / path.stem
        self.model, self.key = model_of(self.recipe)
        self.type = models.type_of(self.model) if self.model else ""
        self.checkpoint = checkpoints / (self.type or "llama")  # a written config has its tokenizer
        self.overrides = {}

    def collect(self):
        self.folder.mkdir(parents=True)
        recipe = self.recipe
        if self.key:
            self.overrides[self.key] = self.checkpoint
        elif isinstance(recipe["model"].get("config"), dict):
            self.overrides |= {f"model.config.{key}": value for key, value in SHRUNK.items() if key in recipe["model"]["config"]}
        if "tokenizer" in recipe:
            self.overrides["tokenizer.pretrained_model_name_or_path"] = self.checkpoint
        for key in recipe:
            if key == "dataset" or key.startswith("validation_dataset"):
                self.point_at_rows(key, recipe[key])
        self.overrides |= {f"distributed.{size}": 1 for size in SIZES if (recipe.get("distributed") or {}).get(size)
                           not in (None, 1, "none")}
        self.overrides |= {"step_scheduler.global_batch_size": 4, "step_scheduler.local_batch_size": 2,
                           "step_scheduler.max_steps": 2, "checkpoint.checkpoint_dir": self.folder / "run"}
        if (recipe.get("packed_sequence") or {}).get("packed_sequence_size"):
            self.overrides["packed_sequence.packed_sequence_size"] = 100
        if "benchmark" in recipe:
            self.overrides["benchmark.warmup_steps"] = 1
        if (recipe.get("dataloader") or {}).get("batch_size"):
            self.overrides["dataloader.batch_size"] = 2

    def point_at_rows(self, key, node):
        target = node["_target_"].split(".")[-1] if isinstance(node, dict) else ""
        if isinstance(node, dict) and isinstance(node.get("tokenizer"), dict):
            self.overrides[f"{key}.tokenizer.pretrained_model_name_or_path"] = self.checkpoint
        if target == "MockIterableDataset":
            self.overrides |= {f"{key}.vocab_size": 100, f"{key}.seq_len": 64}
        if target == "NanogptDataset":
            shard = self.folder / "rows_000000.bin"
            shard.write_bytes(tiny.nanogpt_shard())
            self.overrides |= {f"{key}.file_pattern": shard, f"{key}.seq_len": 64}
        if target not in READABLE:
            return
        file = self.folder / f"{key}.jsonl"
        rows = tiny.rows_for(target, node)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        if str(node.get("chat_template", "")).endswith(".jinja"):
            self.overrides[f"{key}.chat_template"] = tiny.TEMPLATE
        self.overrides[f"{key}.{next(name for name in PATHS if name in node)}"] = file

    def call(self, *words):
        options = [word for key, value in self.overrides.items() for word in (f"--{key}", str(value))]
        return subprocess.run([program(), *words, *options], cwd=self.folder, capture_output=True, text=True, timeout=300)

    def reasons(self):
        """Why `config check` refuses it, without files and lines."""
        done = self.call("config", "check", "-c", str(self.path), "--json")
        try:
            refused = json.loads(done.stdout)["refused"]
        except ValueError:
            return [done.stderr.strip().splitlines()[-1]]
        return sorted({self.feature(entry) for entry in refused})

    @staticmethod
    def feature(refusal):
        """Its message without place and value."""
        text = refusal["message"].split(f"{refusal['path']}: ", 1)[-1]
        return re.sub(r" \((it is )?[^()]*\)$", "", text)

    def failure(self):
        """Trains; None when two steps were made, else the program's error."""
        done = self.call(str(self.path), "--device", "cpu")
        lines = next((self.folder / "run").rglob("training.jsonl"), self.folder / "none")
        steps = [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []
        if done.returncode == 0 and len(steps) == 2 and all(math.isfinite(step["loss"]) for step in steps):
            return None
        text = next((line for line in reversed(done.stderr.splitlines()) if "error" in line.lower()), done.stderr[-300:])
        for folder in (self.folder, self.checkpoint):
            text = text.replace(str(folder), folder.name)
        return f"status {done.returncode}, {len(steps)} steps: {text.strip()}"

    def outcome(self, known):
        if self.model and self.type not in known:
            return f"no family {self.type.replace('+', ' with ')}"
        self.collect()
        reasons = self.reasons()
        if reasons:
            return "; ".join(reasons)
        failure = self.failure()
        return failure or f"trains ({self.type or 'written config'})"


def known_types():
    """Families that the program has, by the names of their files."""
    listed = subprocess.run([program(), "model", "list", "--json"], capture_output=True, text=True, check=True).stdout
    return {entry["family"] for entry in json.loads(listed)}


def run_all(root):
    recipes = SHARED / "data/automodel-recipes"
    if not recipes.exists():
        skip("../shared/data/automodel-recipes is absent")
    runs = [Run(path, root, root / "models") for path in sorted(recipes.glob("llm_*/**/*.yaml"))]
    known = known_types()
    for model_type in sorted({run.type for run in runs}):
        family = model_type.removesuffix("+experts")
        if family in known and tiny.save_model(model_type, root / "models" / model_type):
            known.add(model_type)
        elif model_type in known:
            sys.exit(f"the parity suite makes no checkpoint of {model_type}")
    with ThreadPoolExecutor(2) as pool:
        outcomes = pool.map(lambda run: run.outcome(known), runs)
        return {str(run.path.relative_to(recipes)): outcome for run, outcome in zip(runs, outcomes)}


def main():
    transformers.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as name:
        outcomes = run_all(pathlib.Path(name))
    trained = sum(outcome.startswith("trains") for outcome in outcomes.values())
    print(f"{len(outcomes)} recipes, {trained} train")
    text = "".join(f"{recipe}: {outcome}\n" for recipe, outcome in outcomes.items())
    if sys.argv[1:] == ["--write"]:
        TABLE.write_text(text)
        return
    expected = TABLE.read_text()
    changed = set(text.splitlines()) ^ set(expected.splitlines())
    if changed:
        here = sorted(line for line in text.splitlines() if line in changed)
        there = sorted(line for line in expected.splitlines() if line in changed)
        sys.exit("otherwise than stock.txt:\n" + "\n".join([f"- {line}" for line in there] + [f"+ {line}" for line in here]))


main()
