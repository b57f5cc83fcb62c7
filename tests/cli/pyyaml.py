"""`config show` reads and writes YAML as PyYAML does, and types text as Python's literals: live, on odd scalars, on
random ones (seeded), and on every stock recipe when they are there."""
import json
import pathlib
import random
import re
import tempfile
import warnings

import yaml

from literals import is_plain, typed
from program import SHARED, automodel, finish

warnings.simplefilter("ignore")
SCALARS = """1 0 7 10 017 08 0o17 0x1F 0b101 1_000 1__0 _1 1e5 1e-5 1.5e5 1.5e+5 1.5e-5 .5 -.5 +.5 5. 1. -1 +1 1:30 10:00:00
00:30:00 1:60 12:30:45.5 190:20:30.15 yes No ON off true True TRUE none None null ~ NULL inf nan 1e400 -1e400 1e-400 0_0 00 0x
0b 0o8 1e e1 1_e5 1e_5 1.0_1 0.5 00.5 09.5 9223372036854775807 -9223372036854775808 1.7976931348623157e308 5e-324 0.1
123456789.123456789 1e16 1e15 123456789012345678.0 0.0001 0.00001 train[:100] 5# --1 +-1 1j b'x' u'x' 'a' (1,) () (1)
[1,2] {'a':1} {1,2} ... 1,2 1,""".split() + [
    "[1, [2, (3, 4)], 'x']", "'a' 'b'", "['*q_proj', '*v_proj']", "{'a': 1, 'b': [None, True]}", "0.99, 0.01, 0.00",
    "- 1", "5 # five", " 1", "1 ", "", "a: b", "x:", "# x", "@x", "`x", "%x", "&a", "*a", "!x", "|", ">", "-", "?", ":",
    "two\nlines", "ends\n", "\nbegins", "tab\there", "caf\u00e9", "\u2028", "\U0001F600", "it's", 'say "x"', "back\\slash",
    "word " * 40, "'" + "quoted word " * 20 + "'", "a #b", "---", "{% if x %}{{ y }}{% endif %}", "\x07"]


class Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def infinite(value) -> bool:
    text = json.dumps(value, default=str)
    return "Infinity" in text or "NaN" in text


failures, num_documents = [], 0


def compare(name: str, text: str, folder: pathlib.Path) -> None:
    global num_documents
    num_documents += 1
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    expected = typed(yaml.safe_load(text))
    shown = automodel("config", "show", "-c", path)
    printed = yaml.dump(expected, Dumper=Dumper, sort_keys=False)
    if shown.returncode or shown.stdout != printed:
        lines = zip(shown.stdout.splitlines() + ["(end)"], printed.splitlines() + ["(end)"])
        first = next(((ours, theirs) for ours, theirs in lines if ours != theirs), "")
        failures.append(f"{name}: printed otherwise than PyYAML prints: {first} {shown.stderr}")
    got = automodel("config", "show", "-c", path, "--json").stdout
    if not infinite(expected) and json.dumps(json.loads(got)) != json.dumps(expected):
        failures.append(f"{name}: read otherwise than PyYAML reads: {got[:400]}")


def quoted(texts: list[str]) -> str:
    return yaml.dump({"_quoted": texts}, default_style='"', width=1 << 30, allow_unicode=False)


def plain(texts: list[str]) -> str:
    lines = ["_plain:"]
    for text in texts:
        try:
            value = yaml.safe_load(f"- {text}\n")
        except Exception:
            continue
        if len(value) == 1 and not isinstance(value[0], (list, dict)) and is_plain(value[0]) and "\n" not in text and "\u2028" not in text:
            lines.append(f"- {text}")
    return "\n".join(lines) + "\n"


random.seed(7)
ALPHABET = "0123456789._+-:eExXobnN'\"[](){}, aTF#"
noise = ["".join(random.choice(ALPHABET) for _ in range(random.randint(1, 7))) for _ in range(20000)]
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    compare("odd scalars, quoted", quoted(SCALARS), folder)
    compare("odd scalars, plain", plain(SCALARS), folder)
    compare("random scalars, quoted", quoted(noise), folder)
    compare("random scalars, plain", plain(noise), folder)
    compare("anchors and merges", "_b: &b {x: 1, y: 2}\n_c: {z: 0, <<: *b, y: 3}\n_d:\n  <<: [*b, {x: 9, w: 1}]\n", folder)
    for recipe in sorted((SHARED / "data/automodel-recipes").rglob("*.yaml")):
        text = recipe.read_text(encoding="utf-8")
        if not re.search(r"token|secret|wandb|auth", text):
            compare(recipe.name, text, folder)
finish(failures, f"{num_documents} documents, {2 * len(noise)} random scalars")
