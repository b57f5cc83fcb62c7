"""The built program, the third-party folder, and how a script ends."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("AUTOMODEL_PROGRAM", "automodel")
SHARED = pathlib.Path(os.environ.get("AUTOMODEL_SHARED", ROOT.parent / "shared"))


def automodel(*arguments: str, cwd=None, env=None, timeout=60) -> subprocess.CompletedProcess:
    return subprocess.run([PROGRAM, *map(str, arguments)], cwd=cwd, timeout=timeout, capture_output=True, text=True,
                          errors="replace", env={**os.environ, **(env or {})})


def shared(folder: str) -> pathlib.Path:
    """A third-party folder; ends the test as skipped when it is not there."""
    path = SHARED / folder
    if not path.exists():
        print(f"SKIP: ../shared/{folder} is absent")
        sys.exit(77)
    return path


def finish(failures: list[str], summary: str) -> None:
    for failure in failures:
        print(f"FAILED: {failure}")
    print(f"{summary}; {len(failures)} failures")
    sys.exit(1 if failures else 0)
