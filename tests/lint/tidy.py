"""clang-tidy 19 finds nothing in the C++ sources, as .clang-tidy at the root says.

tidy.py            sources that the last commit or the working tree changed, a sample of them where there are many
tidy.py --all      every source
tidy.py FILE...    these

Commands come from compile_commands.json of the build folder: AUTOMODEL_BUILD, else build/release.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from tree import ROOT, cpp_files, includes, read, report

BUILD = pathlib.Path(os.environ.get("AUTOMODEL_BUILD", ROOT / "build" / "release"))
MOST = 8  # sources of a sample: each takes some ten seconds
DROPPED = re.compile(r"-W.*|-fopenmp|-fpch-preprocess|-g\d?")  # of the compiler's own
FINDING = re.compile(r"^(/\S+?:\d+):\d+: (?:warning|error): (.*)$", re.MULTILINE)


def skip(reason: str):
    print(f"SKIP: {reason}")
    sys.exit(77)


def find_tidy() -> str:
    beside = pathlib.Path(sys.executable).parent / "clang-tidy"
    for program in (str(beside), "clang-tidy-19", "clang-tidy"):
        if found := shutil.which(program):
            version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
            if re.search(r"version 19\.", version):
                return found
    skip("clang-tidy 19 is not installed")


def compile_commands() -> dict[str, dict]:
    """By source, relative to the root. Sources that are compiled together have the command of their whole."""
    path = BUILD / "compile_commands.json"
    if not path.is_file():
        skip("no compile_commands.json: the tree is not configured")
    commands = {}
    for entry in json.loads(path.read_text()):
        file = pathlib.Path(entry["file"])
        if "Unity" in file.parts and file.is_file():
            for source in re.findall(r'#include "(.+?)"', file.read_text()):
                commands[os.path.relpath(source, ROOT)] = entry
        else:
            commands[os.path.relpath(file, ROOT)] = entry
    return commands


def command_of(source: str, commands: dict[str, dict]) -> dict:
    """Its own, or for a source that the build does not know yet that of its nearest neighbour."""
    nearest = max(commands, key=lambda known: (known == source, len(os.path.commonprefix([known, source]))))
    words = shlex.split(commands[nearest]["command"])[1:]
    kept = words[:words.index("-o")] + words[words.index("-c") + 2:]
    arguments = [word for word in kept if not DROPPED.fullmatch(word) and word != commands[nearest]["file"]]
    return {"directory": commands[nearest]["directory"], "file": str(ROOT / source),
            "arguments": ["clang++", *arguments, "-c", str(ROOT / source)]}


def changed_sources(sources: list[str]) -> list[str]:
    """Of the working tree and the last commit; for a header, the first source that includes it."""
    before = "HEAD~1" if git("rev-parse", "--quiet", "--verify", "HEAD~1") else "HEAD"
    changed = set(git("diff", "--name-only", "--diff-filter=d", before).split())
    for header in [name for name in changed if name.endswith(".h")]:
        own = header.removesuffix(".h") + ".cpp"
        users = [own] if own in sources else [name for name in sources if header in dict(map(reversed, includes(name)))]
        changed.update(users[:1])
    return [name for name in sources if name in changed]


def git(*words: str) -> str:
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True).stdout


def findings(tidy: str, folder: str, source: str) -> list[str]:
    done = subprocess.run([tidy, "-p", folder, "--quiet", str(ROOT / source)], capture_output=True, text=True)
    found = [f"{os.path.relpath(place, ROOT) if place.startswith(str(ROOT)) else place}: {what}"
             for place, what in FINDING.findall(done.stdout)]
    return found if found or done.returncode == 0 else [f"{source}: {done.stderr.strip()[-400:]}"]


sources = [name for name in cpp_files() if re.match(r"(core|cli|launcher)/.*\.cpp$", name)]
if sys.argv[1:] == ["--all"]:
    chosen = sources
elif sys.argv[1:]:
    chosen = sys.argv[1:]
else:
    changed = changed_sources(sources)
    chosen = changed[::-(-len(changed) // MOST) or 1]
    print(f"{len(changed)} sources have changed")
    if not chosen:
        sys.exit(0)
tidy, commands = find_tidy(), compile_commands()
with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    (pathlib.Path(folder) / "compile_commands.json").write_text(
        json.dumps([command_of(source, commands) for source in chosen]))
    breaches = [line for found in pool.map(lambda source: findings(tidy, folder, source), chosen) for line in found]
report(sorted(set(breaches)), len(chosen), "sources")
