"""Every key that `automodel config reference` calls used has an effect: a small run with the key changed leaves other records,
files, weights or words than the run without. used_keys.py says how each key is changed, or why no run can show it; a key
without a row there fails, and so does a row without a key.

used_test.py [PATTERN]: only the keys whose place holds PATTERN.
"""
import os
import pathlib
import re
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("OMP_NUM_THREADS", "1")
import transformers

import tiny
import used_keys
import used_runs
from program import call


class Key:
    """A key of the reference: its section's title, the section's path in a recipe, its name and type."""

    def __init__(self, title, name, kind):
        self.title, self.name, self.type = title, name, kind
        section = title.split("`")[1] if "`" in title else ""
        self.path = f"{section}.{name}" if section else name
        self.place = f"{title}: {name}"


def used_keys_of_program():
    """From the tables and the lists of fields in what the program prints, in its order."""
    reference, keys = call("config", "reference"), []
    for part in re.split(r"^## ", reference, flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        if title != "Names":
            keys += [Key(title, name, kind) for name, kind in re.findall(r"^\| `([^`]+)` \| ([^|]*) \|", text, re.MULTILINE)]
            fields = re.search(r"^Fields of Hugging Face's config.json: (.*)\.$", text, re.MULTILINE)
            keys += [Key(title, name, used_keys.FIELD) for name in re.findall(r"`(\w+)`", fields.group(1) if fields else "")]
    return keys


def result_of(key, row, runs):
    """(kind of result, words): an effect, a reason why there is none, or what is wrong."""
    if key.type == "map":  # its own keys stand in a section of their own
        return "section", ""
    if key.type.endswith("for now"):
        return runs.refused(key, used_keys.other_value(key.type))
    if key.name == "_target_":
        return runs.refused(key, "no.such.Name")
    if row is None:
        return "no row", "say in tests/recipes/used_keys.py how a run shows it"
    if isinstance(row, str):
        return "reason", row
    return runs.changed(key, row)


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    keys = used_keys_of_program()
    rows = [used_keys.row_of(key.title, key.name, key.type) for key in keys]
    stale = used_keys.stale()
    chosen = [(key, row) for key, row in zip(keys, rows) if pattern in key.place]
    keys = [key for key, _ in chosen]
    with tempfile.TemporaryDirectory(prefix="automodel_used_") as name:
        runs = used_runs.Runs(pathlib.Path(name))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = []
            for key, (kind, words) in zip(keys, pool.map(lambda pair: result_of(*pair, runs), chosen)):
                results.append((kind, words))
                print(f"{key.place:90} {kind:10} {words}", flush=True)
    counts = Counter(kind for kind, _ in results)
    failed = [key.place for key, (kind, _) in zip(keys, results) if kind in ("no effect", "no row", "wrong")]
    print(f"{len(keys) - counts['section']} keys called used: {counts['effect']} with an effect, {counts['refused']} with one value "
          f"and others refused, {counts['reason']} without an effect for a stated reason, {len(failed)} failures")
    if failed or stale:
        sys.exit("\n".join([f"FAILED {place}" for place in failed] + [f"no such key: {row}" for row in stale]))


main()
