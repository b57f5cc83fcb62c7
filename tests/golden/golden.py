"""Runs the built program and reads what it wrote."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from checks import skip

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("AUTOMODEL_SHARED") or ROOT.parent / "shared")
GOLDEN = SHARED / "golden"
PROGRAM = pathlib.Path(os.environ.get("AUTOMODEL_PROGRAM") or ROOT / "build/release/automodel")

# A step's numbers that depend on the machine and the moment, not on the mathematics.
TIMING_FIELDS = ("timestamp", "tps", "tps_per_gpu", "mfu", "mem")


def need_golden():
    if not GOLDEN.is_dir():
        skip("../shared/golden is absent")


def read_jsonl(path: pathlib.Path) -> list[dict]:
    """Every line must be a whole JSON object: a killed run may not leave half a line behind."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def without_timing(record: dict) -> dict:
    return {key: value for key, value in record.items() if key not in TIMING_FIELDS}


def setting(recipe: pathlib.Path, key: str) -> str:
    """A scalar of the recipe, as text: enough to find its folder without a YAML library."""
    return re.search(rf"^\s*{key}: *(\S+)", recipe.read_text(), re.MULTILINE).group(1)


class Workplace:
    """A temporary folder in which the paths of a golden recipe (inputs/..., runs/...) mean something."""

    def __init__(self, recipe_name: str):
        self._folder = tempfile.TemporaryDirectory(prefix="automodel_golden_")
        self.folder = pathlib.Path(self._folder.name)
        (self.folder / "inputs").symlink_to(GOLDEN / "inputs")
        self.recipe = GOLDEN / recipe_name / "recipe.yaml"
        self.checkpoints = self.folder / setting(self.recipe, "checkpoint_dir")
        self.console = ""

    def start(self, *overrides: str, log: pathlib.Path | None = None, preexec_fn=None) -> subprocess.Popen:
        log = log or self.folder / "console.log"
        # SIGXFSZ stays ignored (Python's own setting), so that a write beyond a limit fails instead of killing.
        return subprocess.Popen([str(PROGRAM), str(self.recipe), *overrides], cwd=self.folder,
                                stdout=subprocess.DEVNULL, stderr=log.open("wb"), preexec_fn=preexec_fn,
                                restore_signals=False)

    def run(self, *overrides: str, expected_status: int = 0, preexec_fn=None) -> str:
        """Runs to the end; returns and keeps what it wrote to standard error."""
        started = time.monotonic()
        status = self.start(*overrides, preexec_fn=preexec_fn).wait()
        self.console = (self.folder / "console.log").read_text(encoding="utf-8")
        print(f"automodel {self.recipe.parent.name}/recipe.yaml {' '.join(overrides)}: status {status}, "
              f"{time.monotonic() - started:.1f} s")
        if status != expected_status:
            print(self.console[-4000:])
            print(f"FAILED expected exit status {expected_status}, got {status}")
            sys.exit(1)
        return self.console

    def training(self) -> list[dict]:
        return read_jsonl(self.checkpoints / "training.jsonl")

    def validation(self) -> list[dict]:
        return read_jsonl(self.checkpoints / "validation.jsonl")

    def weights_file(self, checkpoint: str) -> pathlib.Path:
        files = sorted((self.checkpoints / checkpoint / "model/consolidated").glob("*.safetensors"))
        assert len(files) == 1, f"expected one consolidated weights file in {checkpoint}, found {files}"
        return files[0]

    def wait_for_step(self, process: subprocess.Popen, step: int, after: int = 0) -> bool:
        """Until training.jsonl holds the line of `step` behind the first `after` lines; False when the program ended
        before."""
        marker = f'"step": {step},'
        path = self.checkpoints / "training.jsonl"
        while True:
            ended = process.poll() is not None
            if path.exists() and any(marker in line for line in path.read_text(encoding="utf-8").splitlines()[after:]):
                return True
            if ended:
                return False
            time.sleep(0.002)

    def stop(self, process: subprocess.Popen, number: signal.Signals) -> int:
        process.send_signal(number)
        return process.wait()
