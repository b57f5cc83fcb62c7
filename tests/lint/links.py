"""Every relative link of a Markdown page leads to a tracked file, and to a heading that is there; every source file that
a page names in back quotes is there, by its path or by its name alone, and so is every path from the root, with {a,b} and *."""
import fnmatch
import itertools
import posixpath
import re

from tree import ROOT, read, report, tracked_files


def anchors(name: str) -> set[str]:
    """Headings as GitHub links them."""
    headings = re.findall(r"^#+ +(.*)$", read(name), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


SOURCE = re.compile(r"[\w./-]+\.(?:h|cpp|cu|cuh|py|rs|cmake)")
PATH = re.compile(r"(?<![\w./-])(?:cli|cmake|core|docs|launcher|packaging|share|templates|tests)/[\w./*{},<>-]*")
# "one stem a kernel: `x.h`", `share/models/NAME.yaml`, `cli/<words>.cpp`; LibTorch's headers.
PLACEHOLDER = re.compile(r"(.*/)?x(_\w+)?\.\w+|(torch|ATen)/.*|(.*/)?(NAME|WORDS|FOLDER)(_test)?(\.\w+)?|.*<\w+>.*")


def expanded(path: str) -> list[str]:
    """a/{b,c}.h -> a/b.h, a/c.h"""
    parts = re.split(r"\{([^{}]*)\}", path)
    return ["".join(choice) for choice in itertools.product(
        *[part.split(",") if place % 2 else [part] for place, part in enumerate(parts)])]


def is_there(page: str, file: str) -> bool:
    """A file or folder; with *, any; a stem stands for the files that have it."""
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(page), file))
    if "*" in file:
        return any(fnmatch.fnmatchcase(name, file) and name.count("/") == file.count("/") for name in places)
    return file in places or beside in places or any(name.startswith(f"{file}.") for name in tracked)


def folders_of(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


breaches, count = [], 0
tracked = set(tracked_files())
places = tracked | {folder for name in tracked for folder in folders_of(name)}
for name in sorted(tracked):
    if not name.endswith(".md"):
        continue
    text = re.sub(r"```.*?```", lambda m: "\n" * m.group(0).count("\n"), read(name), flags=re.DOTALL)
    for quoted in re.finditer(r"`([^`\n]+)`", text):
        place = f"{name}:{text.count(chr(10), 0, quoted.start()) + 1}"
        paths = [file for path in PATH.findall(quoted.group(1)) for file in expanded(path.rstrip("/.,"))]
        missing = [file for file in paths if not PLACEHOLDER.fullmatch(file) and not is_there(name, file)]
        if SOURCE.fullmatch(quoted.group(1)) and not paths:
            paths = [quoted.group(1)]
            missing = [file for file in paths if not PLACEHOLDER.fullmatch(file) and not is_there(name, file)
                       and not any(other.endswith("/" + file) for other in tracked)]
        count += len(paths)
        breaches += [f"{place}: nothing is called {file}" for file in missing]
    for match in re.finditer(r"\]\(([^)\s]+)\)", text):
        target = match.group(1)
        if re.match(r"[a-z]+:", target):
            continue
        count += 1
        place = f"{name}:{text.count(chr(10), 0, match.start()) + 1}"
        path, _, anchor = target.partition("#")
        file = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
        if file not in tracked and not (ROOT / file).is_dir():
            breaches.append(f"{place}: {target} leads nowhere")
        elif anchor and file.endswith(".md") and anchor not in anchors(file):
            breaches.append(f"{place}: {file} has no heading #{anchor}")
report(breaches, count, "links")
