"""Every file of share/ and templates/ loads: YAML and JSON parse, the program lists every family and accepts every
recipe, every tokenizer encodes."""
import json
import os
import pathlib
import subprocess

import yaml

from tree import ROOT, read, report, tracked_files

PROGRAM = os.environ["AUTOMODEL_PROGRAM"]


def automodel(*arguments: str) -> str | None:
    """What it said when it failed, else None."""
    done = subprocess.run([PROGRAM, *arguments], cwd=ROOT, capture_output=True, text=True)
    return None if done.returncode == 0 else f"automodel {' '.join(arguments)}: {done.stderr.strip()[-400:]}"


def problem(name: str) -> str | None:
    text = read(name)
    stem = pathlib.PurePosixPath(name).stem
    try:
        if name.endswith(".json"):
            json.loads(text)
        elif name.endswith(".jsonl"):
            for line in text.splitlines():
                json.loads(line)
        elif name.endswith((".yaml", ".yml")):
            yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        return str(error)
    if name.startswith("share/models/") and name.endswith(".yaml"):
        return automodel("model", "list", stem)
    if name.startswith("share/configs/") and name.endswith(".yaml"):
        return automodel("config", "check", "-c", name)
    if name.endswith("/tokenizer.json"):
        return automodel("data", "tokenize", "--tokenizer", str(pathlib.PurePosixPath(name).parent), "--json", "README.md")
    return None if text.strip() else "empty"


breaches = []
files = [name for name in tracked_files() if name.startswith(("share/", "templates/"))]
for name in files:
    if what := problem(name):
        breaches.append(f"{name}: {what}")
report(breaches, len(files))
