"""Hostile and broken YAML ends in one clear error with status 2, quickly; a huge honest file is read."""
import pathlib
import resource
import tempfile
import time

from program import automodel, finish

LIMIT_S = 90


def bomb() -> str:
    """Ten levels of ten aliases each: 10^10 values."""
    levels = ["a: &a [x, x, x, x, x, x, x, x, x, x]\n"]
    for i in range(1, 10):
        levels.append(f"{chr(97 + i)}: &{chr(97 + i)} [{', '.join(['*' + chr(96 + i)] * 10)}]\n")
    return "".join(levels)


def merge_bomb() -> str:
    return "m0: &m0 {a: 1, b: 2}\n" + "".join(f"m{i}: &m{i}\n  <<: [*m{i - 1}, *m{i - 1}]\n" for i in range(1, 60))


def huge() -> str:
    return "_notes:\n" + "".join(
        f"  key{i}:\n    name: \"value {i}\"\n    list: [1, 2.5, yes, null]\n    nested: {{a: b, c: 1e-5}}\n" for i in range(110_000))


CASES = [  # name, bytes, what standard error says
    ("alias bomb", bomb(), "aliases expand to more than 1,000,000 values"),
    ("merge bomb", merge_bomb(), "model is missing"),
    ("deep flow lists", "a: " + "[" * 100_000 + "]" * 100_000, "nested deeper than 100"),
    ("deep flow lists, open", "a: " + "[" * 100_000, "recipe.yaml:1"),
    ("deep maps", "".join(" " * i + "a:\n" for i in range(2000)), "nested deeper than 100"),
    ("a value inside itself", "a: &a [*a]\n", "inside the value it refers to"),
    ("unknown anchor", "a: *nope\n", "recipe.yaml:1"),
    ("NUL", b"a: 1\nb: \x00\n", "recipe.yaml:2: the control character 0x00"),
    ("invalid UTF-8", b"a: 1\nb: \xff\xfe\n", "recipe.yaml:2: the bytes are not UTF-8"),
    ("UTF-16", "a: 1\n".encode("utf-16"), "save it as UTF-8"),
    ("only a byte order mark", b"\xef\xbb\xbf", "the file is empty"),
    ("empty", "", "the file is empty"),
    ("a comment only", "# nothing\n", "the file is empty"),
    ("a list", "- 1\n", "a recipe is a map"),
    ("text", "hello\n", "a recipe is a map"),
    ("cut in quotes", "a: \"abc\nb: [1,\n", "recipe.yaml:1: the quoted text that begins here is never closed"),
    ("cut in a flow map", "a: {b: 1,\n", "recipe.yaml:2"),
    ("cut in a key", "step_scheduler:\n  num_epochs: 1\n  max_st", "recipe.yaml:3: \"max_st\" has no colon"),
    ("tab", "a:\n\tb: 1\n", "recipe.yaml:2: the line is indented with a tab"),
    ("the same key twice", "a: 1\nb: 2\na: 3\n", "recipe.yaml:3: the key \"a\" stands twice in one map, first in line 1"),
    ("the same key twice below", "a:\n  x: 1\n  x: 1\n", "recipe.yaml:3"),
    ("two documents", "a: 1\n---\nb: 2\n", "more than one YAML document"),
    ("Python object", "a: !!python/object/apply:os.system [x]\n", "is not supported"),
    ("a list as key", "? [a, b]\n: 1\n", "cannot be a key"),
    ("merge of a text", "a: {<<: b}\n", "<< merges a map"),
    ("beyond 64 bits", "seed: 123456789012345678901234567890\n", "does not fit in 64 bits"),
    ("a binary file", bytes(range(256)) * 100, "recipe.yaml:1"),
    ("five million brackets", "a: " + "{[" * 2_500_000, "recipe.yaml:1"),
    ("a line of 10 MB", "a: \"" + "x" * 10_000_000 + "\"\n", "model is missing"),
    ("40 MB", "a: \"" + "x" * 40_000_000 + "\"\n", "at most 32 MiB"),
    ("10 MB of keys", huge(), "model is missing"),
]

failures, slowest = [], 0.0
with tempfile.TemporaryDirectory() as folder:
    recipe = pathlib.Path(folder) / "recipe.yaml"
    for name, content, message in CASES:
        recipe.write_bytes(content if isinstance(content, bytes) else content.encode())
        start = time.perf_counter()
        done = automodel("finetune", "llm", "-c", recipe, timeout=LIMIT_S)
        slowest = max(slowest, time.perf_counter() - start)
        if done.returncode != 2 or message not in done.stderr:
            failures.append(f"{name}: status {done.returncode}, not 2 with \"{message}\": {done.stderr[-600:]}")
peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
finish(failures, f"{len(CASES)} files, the slowest {slowest:.1f} s, the largest {peak_mib:.0f} MiB")
