"""The modules of the Rust crate jinja2 form no circle: each uses only those that the head of lib.rs names before it."""
import re

from tree import read, report, tracked_files

SOURCES = "core/tokenizer/ffi/jinja2/src/"
# Characters, texts and comments hold no paths.
OPAQUE = re.compile(r"""'(?:\\.|[^'\\\n])'|"(?:\\.|[^"\\])*"|//[^\n]*""", re.DOTALL)


def code(name: str) -> str:
    return OPAQUE.sub(lambda match: "\n" * match.group(0).count("\n"), read(name))


def first_names(text: str) -> list[str]:
    """What stands first in each path of a group: `a, b::{c, d}}` gives a and b."""
    depth, names = 0, []
    for token in re.findall(r"::|[{},]|\w+", text):
        if token == "}" and depth == 0:
            break
        depth += {"{": 1, "}": -1}.get(token, 0)
        names.append((depth, token))
    before = [(0, ",")] + names
    return [token for (depth, token), (_, last) in zip(names, before) if depth == 0 and last == "," and token != "}"]


def uses(text: str) -> list[tuple[int, str]]:
    """(line, module) of every path from the root of the crate."""
    found = []
    for match in re.finditer(r"\bcrate::(\{|\w+)", text):
        line = text.count("\n", 0, match.start()) + 1
        names = first_names(text[match.end():]) if match.group(1) == "{" else [match.group(1)]
        found += [(line, name) for name in names]
    return found


breaches = []
head = [line for line in read(f"{SOURCES}lib.rs").splitlines() if line.startswith("//! - ")]
order = [name for line in head for name in re.findall(r"`(\w+)`", line.partition(": ")[0])]
files = [name for name in tracked_files() if name.startswith(SOURCES) and name.endswith(".rs") and name != f"{SOURCES}lib.rs"]
modules = {name: name.removeprefix(SOURCES).removesuffix(".rs").split("/")[0] for name in files}
for module in sorted(set(order) ^ set(modules.values()) | {name for name in order if order.count(name) > 1}):
    breaches.append(f"{SOURCES}lib.rs:1: the list of modules names {module} {order.count(module)} times")
for name, module in modules.items():
    text = code(name)
    below = order[:order.index(module)] if module in order else []
    for line, used in uses(text):
        if used != module and used not in below:
            breaches.append(f"{name}:{line}: {module} uses {used}, which the head of lib.rs does not name before it")
    for match in re.finditer(r"\bsuper::(?!\*)", text):
        line = text.count("\n", 0, match.start()) + 1
        breaches.append(f"{name}:{line}: write paths from crate::")
report(breaches, len(files))
