"""Every relative link of a Markdown page leads to a tracked file, and to a heading that is there; every source file that
a page names in back quotes is there, by its path or by its name alone."""
import posixpath
import re

from tree import ROOT, read, report, tracked_files


def anchors(name: str) -> set[str]:
    """Headings as GitHub links them."""
    headings = re.findall(r"^#+ +(.*)$", read(name), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


SOURCE = re.compile(r"`([\w./-]+\.(?:h|cpp|cu|cuh|py|rs|cmake))`")
PLACEHOLDER = re.compile(r"(.*/)?x(_\w+)?\.\w+|torch/.*")  # "one stem a kernel: `x.h`"; LibTorch's headers


def is_there(page: str, file: str) -> bool:
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(page), file))
    return file in tracked or beside in tracked or any(name.endswith("/" + file) for name in tracked)


breaches, count = [], 0
tracked = set(tracked_files())
for name in sorted(tracked):
    if not name.endswith(".md"):
        continue
    text = re.sub(r"```.*?```", lambda m: "\n" * m.group(0).count("\n"), read(name), flags=re.DOTALL)
    for match in SOURCE.finditer(text):
        count += 1
        if not PLACEHOLDER.fullmatch(match.group(1)) and not is_there(name, match.group(1)):
            place = f"{name}:{text.count(chr(10), 0, match.start()) + 1}"
            breaches.append(f"{place}: no file is called {match.group(1)}")
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
