"""Runs of small recipes, what each left behind, and what differs between two."""
import hashlib
import json
import math
import pathlib
import re
import signal
import subprocess
import threading
import time

import tiny
import used_recipes
from program import program

TIMES = ("timestamp", "tps", "tps_per_gpu", "mem")
# Lines of the log that only say what the recipe says: its own text has no time in front; and numbers that time decides.
SAID = re.compile(r"^(\d{4}-\d\d-\d\d \S+ \| |error|warning)")
NUMBERS = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|(mem|tps|took|in|after) [\d.]+( ?(GiB|ms|s|GB|MB))?(\([\d.]+/gpu\))?|/tmp/\S+")


def set_at(recipe, path, value):
    *parents, last = path.split(".")
    for parent in parents:
        if not isinstance(recipe.get(parent), dict):
            recipe[parent] = {}
        recipe = recipe[parent]
    if value is used_recipes.ABSENT:
        recipe.pop(last, None)
    else:
        recipe[last] = value


class Runs:
    def __init__(self, root: pathlib.Path):
        self.root = root
        self.inputs = used_recipes.write_inputs(root / "inputs")
        self.lock, self.done, self.count = threading.Lock(), {}, 0

    def recipe(self, context, *changes):
        recipe = used_recipes.CONTEXTS[context](self.inputs)
        for change in changes:
            for path, value in change.items():
                set_at(recipe, path, self.filled(value))
        return recipe

    def filled(self, value):
        """A copy with {inputs} filled in."""
        if isinstance(value, str):
            return value.format(inputs=self.inputs)
        if isinstance(value, dict):
            return {name: self.filled(part) for name, part in value.items()}
        return value

    def folder(self):
        with self.lock:
            self.count += 1
            folder = self.root / str(self.count)
        folder.mkdir()
        return folder

    def trace(self, context, *changes, earlier=None, send=None):
        """What a run leaves: its status, its words, its records, its files. Kept: many keys share the run without the change."""
        recipe = self.recipe(context, *changes)
        name = json.dumps([recipe, earlier, send], sort_keys=True, default=str)
        with self.lock:
            known = self.done.get(name)
        if known:
            return known
        folder = self.folder()
        if earlier is not None:
            self.start(folder, self.recipe(context, *earlier)).communicate()
        process = self.start(folder, recipe)
        if send is not None:
            self.signal_after_first_step(process, folder, send)
        error = process.communicate(timeout=300)[1]
        found = {"status": process.returncode, "log": words_of(error), **files_of(folder), "error": error}
        with self.lock:
            self.done[name] = found
        return found

    def start(self, folder, recipe):
        (folder / "recipe.yaml").write_text(json.dumps(recipe))
        command = "benchmark" if "Benchmark" in str(recipe["recipe"]) else "finetune"
        return subprocess.Popen([program(), command, "llm", "-c", "recipe.yaml"], cwd=folder, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)

    @staticmethod
    def signal_after_first_step(process, folder, number):
        while process.poll() is None and not list(folder.glob("**/training.jsonl")):
            time.sleep(0.005)
        process.send_signal(number)

    def changed(self, key, row):
        """A key's row: the run with its value against the run without, both with what else the row sets."""
        options = dict(earlier=row.earlier, send=row.send)
        path, context = row.path or key.path, row.context or used_recipes.context_of(key.title)
        before = self.trace(context, row.also, {} if row.before is used_recipes.UNSET else {path: row.before}, **options)
        after = self.trace(context, row.also, {path: row.value}, **options)
        for what, trace, may_fail in (("before", before, row.fails_before), ("after", after, row.fails)):
            if may_fail is not None and (trace["status"] != 0) != may_fail:
                return "wrong", f"{what}: exit status {trace['status']}: {last_error(trace['error'])}"
        differs = [what for what in before if what != "error" and before[what] != after[what]]
        seen = [what for what in differs if what in row.shows] if row.shows else differs
        return ("effect", ", ".join(differs)) if seen else ("no effect", f"{path}: {row.value!r}")

    def refused(self, key, value):
        """A key with one value: another is refused and the key named."""
        trace = self.trace(used_recipes.context_of(key.title), {key.path: value})
        if trace["status"] == 0 or key.name not in trace["error"]:
            return "wrong", f"{value!r}: exit status {trace['status']}: {last_error(trace['error'])}"
        return "refused", repr(value)


def last_error(error):
    lines = error.strip().splitlines()
    return next((line for line in reversed(lines) if "error" in line.lower()), lines[-1] if lines else "")[-300:]


def words_of(error):
    return [NUMBERS.sub("", line) for line in error.splitlines() if SAID.match(line)]


def without_times(record):
    record = {name: value for name, value in record.items() if name not in TIMES}
    if "mfu" in record:
        record["mfu"] = record["mfu"] is None
    return record


def digest(path):
    if path.suffix == ".trace":  # when its events were is another matter each time
        events = json.loads(path.read_text())["traceEvents"]
        return len(events) > 0 and round(len(events), -int(math.log10(len(events))))  # to its first digit
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_of(folder):
    """Records without times; digests of weights, moments and of other files, the recipe's own copies left out."""
    records, weights, files = {}, {}, {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            files[name] = str(path.readlink())
        elif path.suffix == ".jsonl" and path.name.startswith(("training", "validation")):
            records[name] = [without_times(json.loads(line)) for line in path.read_text().splitlines()]
        elif path.suffix == ".safetensors":
            weights[name] = digest(path)
        elif path.is_file() and path.name not in ("config.yaml", "recipe.yaml", "manifest.json", ".lock"):
            files[name] = digest(path)
    return {"records": records, "weights": weights, "files": files}
