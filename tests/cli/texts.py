"""Text that looks like a number, a date or a word of YAML stays that text wherever a recipe is written: in the values of
options that are text, from a file, the command line or the environment; and what is written reads as what was read."""
import json
import random
import tempfile
import pathlib
import warnings

import yaml

from literals import is_plain, typed
from program import automodel, finish
from tiny_run import Place

warnings.simplefilter("ignore")
TEXTS = """2025_10 1_000 1__0 1e3 1E3 1e-5 1.5e5 1.5e+5 1.5e-5 0x10 0X1f 0b101 0o7 010 017 08 1:30 10:00:00 190:20:30.15 .5 -.5 5. -1 +1
1.0 1.10 01.50 000 0_0 00 1234567890123456789 0.1000 1e400 -1e400 -0 -0.0 .inf .Inf -.inf .nan inf nan Infinity 2024-07-26
2024-7-6T12:00:00 2024-07-26T12:00:00Z 12-31 1.2.3 v1 null ~ Null NULL yes Yes no on off true True false y n = << 1j (1) 3,4 1,
0xZZ 0b2 1_ _1 1e 0x 9223372036854775807 9223372036854775808 1.7976931348623157e308 5e-324 run_1 007 1.e5 12:60""".split() + [
    " 5", "5 ", "- 5", "5: 6", "# 5", "'5'", '"5"', "[5]", "{5: 6}", "5 # five", "!!int 5", "1 000", "caf\u00e9 1", "\t7"]
YAML_NULLS = ("null", "Null", "NULL", "~")
failures, num_texts = [], 0


def expected(value, raw: str):
    """(whether an option of text takes it, as what)"""
    value = typed(value)
    if isinstance(value, bool) or value is None or isinstance(value, (list, dict)):
        return False, value
    return True, value if isinstance(value, str) else raw


def forms(text: str):
    """(how it stands in a file, what PyYAML reads, the text of the scalar)"""
    quoted = json.dumps(text)
    yield quoted, text, text
    if "\t" not in text:
        yield "'" + text.replace("'", "''") + "'", text, text
    try:
        value = yaml.safe_load(f"- {text}\n")[0]
    except Exception:
        return
    if not isinstance(value, (list, dict)) and is_plain(value) | (not isinstance(value, (int, str))):
        plain = text.split(" #")[0].strip()
        if not plain.startswith(("'", '"', "!", "&", "#")):
            yield text, value, plain


def show(path, *words):
    done = automodel("config", "show", "-c", path, *words)
    if done.returncode:
        failures.append(f"{path.name} {words}: {done.stderr[-300:]}")
    return done.stdout


def in_a_file(name, texts, folder):
    """As a list, as a map and as the only value of options of text."""
    global num_texts
    cases = [case for text in texts for case in forms(text) if expected(case[1], case[2])[0]]
    num_texts += len(cases)
    lines = ["dataset:", "  _target_: nemo_automodel.components.datasets.llm.column_mapped_text_instruction_dataset"
             ".ColumnMappedTextInstructionDataset", "  path_or_dataset_id:"]
    lines += [f"  - {written}" for written, _, _ in cases] + ["  column_mapping:"]
    lines += [f"    c{i}: {written}" for i, (written, _, _) in enumerate(cases)]
    path = folder / "recipe.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    wanted = [expected(value, raw)[1] for _, value, raw in cases]
    first = show(path)
    read = yaml.safe_load(first)["dataset"]
    as_json = json.loads(show(path, "--json"))["dataset"]
    for kind, got in (("list", read["path_or_dataset_id"]), ("map", list(read["column_mapping"].values())),
                      ("JSON", as_json["path_or_dataset_id"])):
        wrong = [(case[0], value, text) for case, value, text in zip(cases, got, wanted) if value != text or type(value) is not str]
        if len(got) != len(wanted) or wrong:
            failures.append(f"{name}, {kind}: (written, shown, expected) {wrong[:5]}")
    path.write_text(first, encoding="utf-8")
    if show(path) != first:
        again = zip(first.splitlines(), show(path).splitlines())
        failures.append(f"{name}: written again it is another recipe: {next(pair for pair in again if pair[0] != pair[1])}")


def elsewhere(folder):
    """On the command line; and what is not text stays a number."""
    path = folder / "recipe.yaml"
    path.write_text("checkpoint: {checkpoint_dir: x}\noptimizer: {lr: 1e-5}\n_note: 2025_10\n")
    for text in TEXTS:
        takes, value = expected(text, text)
        if not takes or text in YAML_NULLS:  # these are null on the command line, as in a file
            continue
        shown = yaml.safe_load(show(path, f"--checkpoint.checkpoint_dir={text}"))
        if shown["checkpoint"]["checkpoint_dir"] != value:
            failures.append(f"command line: {text!r} is shown as {shown['checkpoint']['checkpoint_dir']!r}")
    shown = yaml.safe_load(show(path))
    if shown["optimizer"]["lr"] != 1e-5 or shown["_note"] != 202510:
        failures.append(f"numbers became text: {shown}")


def in_a_run():
    """The run's folder, its stored recipe and the checkpoint's name the same; the stored recipe finds nothing left to do."""
    place = Place()
    for text, how in (("2025_10", "file"), ("1e3", "file"), ("0x10", "command line"), ("1:30", "environment"),
                      ("2024-07-26", "file"), ("010", "environment"), ("1.50", "command line")):
        case = f"a run in {text}, by {how}"
        overrides, environment = (), {}
        recipe = (place.folder / "recipe.yaml").read_text()
        named = {"file": text, "command line": "x", "environment": "${RUN_FOLDER}"}[how]
        written = f"'{named}'" if how == "environment" else named
        (place.folder / "named.yaml").write_text(recipe.replace("checkpoint_dir: run", f"checkpoint_dir: {written}"))
        if how == "command line":
            overrides = ("--checkpoint.checkpoint_dir", text)
        if how == "environment":
            environment = {"RUN_FOLDER": text}
        one_step = ("--step_scheduler.max_steps", "1", "--validation_dataset", "None")
        done = place.command("named.yaml", *overrides, *one_step, **environment)
        if done.returncode or not (place.folder / text / "training.jsonl").exists():
            failures.append(f"{case}: status {done.returncode}: {done.stderr[-400:]}")
            continue
        before = {path.name for path in place.folder.iterdir()}
        kept = (place.folder / text / "LATEST/config.yaml").read_text()
        stored = place.command("runs", "show", "last", "--config").stdout
        for what, written in (("config.yaml", kept), ("the run store", stored)):
            value = yaml.safe_load(written)["checkpoint"]["checkpoint_dir"]
            if value != (named if how == "environment" else text):
                failures.append(f"{case}: {what} says {value!r}")
        (place.folder / "named.yaml").write_text(stored)
        again = place.command("named.yaml", **environment)
        new = {path.name for path in place.folder.iterdir()} - before
        if again.returncode or new or "nothing is left to do" not in again.stderr:
            failures.append(f"{case}: the stored recipe made {new}: {again.stderr[-400:]}")
        (place.folder / "named.yaml").unlink()


random.seed(11)
ALPHABET = "0123456789._+-:eExXobn'\"TZ# "
noise = {"".join(random.choice(ALPHABET) for _ in range(random.randint(1, 8))) for _ in range(20000)}
with tempfile.TemporaryDirectory() as name:
    in_a_file("chosen texts", TEXTS, pathlib.Path(name))
    in_a_file("random texts", sorted(text for text in noise if text.strip()), pathlib.Path(name))
    elsewhere(pathlib.Path(name))
in_a_run()
finish(failures, f"{num_texts} texts")
