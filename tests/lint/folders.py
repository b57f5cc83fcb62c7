"""Every folder that holds source or text of ours has a README.md of at most ten lines that says what lives there."""
import pathlib

from tree import ROOT, read, report, tracked_files

TOP = {"cli", "core", "launcher", "templates", "share", "packaging", "tests", "docs", "cmake"}
# Folders whose parent's README describes them: generated or foreign layouts.
DESCRIBED_ABOVE = ("core/tokenizer/ffi/", "tests/cli/cases", "share/quickstart/", "tests/fuzz/corpus/",
                   "tests/fuzz/dictionaries/")

folders = set()
for name in tracked_files():
    parents = [str(p) for p in pathlib.PurePosixPath(name).parents if str(p) != "."]
    folders.update(p for p in parents if p.split("/")[0] in TOP)
folders.discard("core")
folders.discard("tests/core")

breaches = []
for folder in sorted(folders):
    readme = ROOT / folder / "README.md"
    if readme.is_file():
        lines = len(read(f"{folder}/README.md").splitlines())
        if folder.split("/")[0] != "docs" and lines > 10:
            breaches.append(f"{folder}/README.md: {lines} lines, at most ten")
    elif not f"{folder}/".startswith(DESCRIBED_ABOVE) and not folder.startswith("tests/core/"):
        breaches.append(f"{folder}/: no README.md")
report(breaches, len(folders), "folders")
