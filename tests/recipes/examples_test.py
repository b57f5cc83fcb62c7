"""The recipes of share/configs/example_*.yaml, each for a few steps: a tiny model is pretrained by one of them, and the
others fine-tune it. Paths and sizes are given on the command line, as a reader would."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import yaml
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ["AUTOMODEL_PROGRAM"]
QUICKSTART = ROOT / "share/quickstart"
TOKENIZER = QUICKSTART / "tiny-llama"
failures = []


def check(condition, message):
    if not condition:
        failures.append(message)


def automodel(folder, *arguments, status=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=300)
    check(done.returncode == status, f"{' '.join(map(str, arguments))}: status {done.returncode}: {done.stderr[-1500:]}")
    return done


def train(folder, example, *overrides):
    recipe = ROOT / f"share/configs/example_{example}.yaml"
    done = automodel(folder, "finetune", "llm", "-c", recipe, "--device", "cpu", *overrides)
    check(done.stdout == "", f"{example}: standard output is not empty: {done.stdout[:200]}")
    run = folder / yaml.safe_load(recipe.read_text())["checkpoint"]["checkpoint_dir"]
    lines = [json.loads(line) for line in (run / "training.jsonl").read_text().splitlines()]
    print(example, "losses", [round(line["loss"], 3) for line in lines])
    return run, [line["step"] for line in lines], done.stderr


def generates(folder, what, *arguments):
    done = automodel(folder, "generate", *arguments, "--max-new-tokens", 4, "--json")
    check(done.returncode != 0 or len(json.loads(done.stdout)["ids"]) > 0, f"{what}: {done.stdout}")


with tempfile.TemporaryDirectory(prefix="automodel_") as name:
    folder = pathlib.Path(name)
    for source, target in (("chat.jsonl", "train.jsonl"), ("chat_validation.jsonl", "validation.jsonl")):
        (folder / target).write_text((QUICKSTART / source).read_text())
    rows = [json.loads(line)["messages"] for line in (QUICKSTART / "chat.jsonl").read_text().splitlines()]
    (folder / "questions.jsonl").write_text("".join(
        json.dumps({"question": row[0]["content"], "answer": row[1]["content"]}) + "\n" for row in rows))

    # Pretraining, as the recipe's first lines say: shards, then the run. Its checkpoint carries the tokenizer.
    automodel(folder, "data", "build", "--tokenizer", TOKENIZER, "-o", "shards/text", ROOT / "README.md")
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
             "num_key_value_heads": 1, "head_dim": 16,
             "vocab_size": Tokenizer.from_file(str(TOKENIZER / "tokenizer.json")).get_vocab_size()}
    run, steps, log = train(folder, "pretrain", *(word for key, value in sizes.items()
                                                  for word in (f"--model.config.{key}", value)),
                            "--tokenizer.pretrained_model_name_or_path", TOKENIZER, "--step_scheduler.max_steps", 3,
                            "--step_scheduler.global_batch_size", 2, "--step_scheduler.local_batch_size", 2,
                            "--dataset.seq_len", 64)
    check(steps == [0, 1, 2], f"pretrain: steps {steps}")
    check("will have no tokenizer" not in log, "pretrain: the warning about a missing tokenizer is wrong here")
    base = run / "LATEST/model/consolidated"
    generates(folder, "pretrain", "-m", run, "-p", "automodel")

    small = ["--model.pretrained_model_name_or_path", base, "--step_scheduler.global_batch_size", 4,
             "--step_scheduler.local_batch_size", 4, "--step_scheduler.max_steps", 2]
    (folder / "chat.json").write_text(json.dumps([{"role": "user", "content": "What is automodel?"}]))
    run, steps, log = train(folder, "full", *small)
    check(steps == [0, 1] and (run / "LATEST/model/consolidated/config.json").exists(), f"full: steps {steps}")
    generates(folder, "full", "-m", run, "--chat", "chat.json", "--system", "Be brief.")

    run, steps, log = train(folder, "lora", *small)
    check(steps == [0, 1], f"lora: steps {steps}")
    generates(folder, "lora", "-m", base, "--adapter", run, "--chat", "chat.json")
    automodel(folder, "checkpoint", "merge", "-m", base, "-a", run, "-o", "merged")
    generates(folder, "merged", "-m", "merged", "--chat", "chat.json")

    run, steps, log = train(folder, "packed", *small)
    check(steps == [0, 1] and "Packed " in log, f"packed: steps {steps}: {log[-500:]}")

    run, steps, log = train(folder, "column_mapped", *small)
    check(steps == [0, 1], f"column_mapped: steps {steps}")
    shown = automodel(folder, "data", "show", "-c", ROOT / "share/configs/example_column_mapped.yaml", "--rows", 1,
                      "--json", "--model.pretrained_model_name_or_path", base)
    labels = json.loads(shown.stdout)["sets"][0]["rows"][0]["labels"]
    eos = Tokenizer.from_file(str(TOKENIZER / "tokenizer.json")).token_to_id(
        json.loads((TOKENIZER / "tokenizer_config.json").read_text())["eos_token"])
    check(labels[-1] == eos, f"column_mapped: the last label is {labels[-1]}, the end of sequence is {eos}")

    # Two steps, then the same recipe for four.
    _, steps, _ = train(folder, "resume", *small)
    check(steps == [0, 1], f"resume: steps {steps}")
    _, steps, log = train(folder, "resume", *small, "--step_scheduler.max_steps", 4)
    check(steps == [0, 1, 2, 3] and "Resumed: 2 steps done" in log, f"resume: steps {steps}: {log[-500:]}")

for failure in failures:
    print("FAILED:", failure)
sys.exit(1 if failures else 0)
