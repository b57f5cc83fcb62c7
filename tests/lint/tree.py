"""The tracked files, and the way a lint script reports."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tracked_files() -> list[str]:
    """Paths from the root, as git lists them; those that the working tree no longer has are left out."""
    listing = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True)
    if listing.returncode:
        print(listing.stderr.strip())
        print("SKIP: not a git checkout")
        sys.exit(77)
    return [name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def cpp_files() -> list[str]:
    return [name for name in tracked_files() if re.search(r"\.(h|cpp|cu|cuh)$", name)]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def includes(name: str) -> list[tuple[int, str]]:
    """(line, header) of every #include."""
    found = re.finditer(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', read(name), re.MULTILINE)
    text = read(name)
    return [(text.count("\n", 0, match.start(1)) + 1, match.group(1)) for match in found]


def report(breaches: list[str], num_checked: int, unit: str = "files"):
    for breach in breaches:
        print(breach)
    print(f"{num_checked} {unit} checked, {len(breaches)} breaches")
    sys.exit(1 if breaches or not num_checked else 0)
