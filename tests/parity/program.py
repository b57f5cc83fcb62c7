"""Where the program under test lies, and how it is called."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
os.environ.setdefault("AUTOMODEL_RUNS", "none")  # a test's runs are not the user's


def skip(reason):
    print(f"SKIP: {reason}")
    sys.exit(SKIPPED)


def program():
    path = os.environ.get("AUTOMODEL_PROGRAM", ROOT / "build" / "release" / "automodel")
    if not pathlib.Path(path).exists():
        sys.exit(f"{path} is missing: build it, or set AUTOMODEL_PROGRAM")
    return str(path)


def run(*words, **options):
    return subprocess.run([program(), *map(str, words)], capture_output=True, text=True, **options)


def call(*words, **options):
    """Standard output; ends the test with the program's message when it fails."""
    done = run(*words, **options)
    if done.returncode != 0:
        sys.exit(f"automodel {' '.join(map(str, words))}: exit status {done.returncode}\n{done.stderr[-4000:]}")
    return done.stdout


def fails(*words):
    """What it says when it fails, as it must."""
    done = run(*words)
    if done.returncode == 0:
        sys.exit(f"automodel {' '.join(map(str, words))}: does not fail")
    return done.stderr
