"""An installed copy runs: `cmake --install` into an empty folder, from there the program and what it opens at run time."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from program import PROGRAM, finish
from tiny_run import RECIPE

build = pathlib.Path(PROGRAM).resolve().parent
cmake = shutil.which("cmake", path=f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
if cmake is None:
    print("SKIP: no cmake to install with")
    sys.exit(77)
failures = []
with tempfile.TemporaryDirectory(prefix="automodel_") as name:
    folder = pathlib.Path(name)
    done = subprocess.run([cmake, "--install", build, "--prefix", folder / "usr"], capture_output=True, text=True)
    if done.returncode != 0:
        failures.append(f"cmake --install: {done.stderr[-2000:]}")
        finish(failures, "not installed")

    def run(*arguments):
        ran = subprocess.run([folder / "usr/bin/automodel", *arguments], cwd=folder, capture_output=True, text=True,
                             timeout=120, env={**os.environ, "AUTOMODEL_RUNS": "none"})
        if ran.returncode != 0:
            failures.append(f"{' '.join(arguments)}: status {ran.returncode}: {ran.stderr[-2000:]}")
        return ran

    for library in (folder / "usr/lib").glob("*.so"):  # none of the build folder's may be taken
        needed = subprocess.run(["ldd", library], capture_output=True, text=True).stdout
        failures += [f"{library.name}: {line.strip()}" for line in needed.splitlines()
                     if str(build) in line or ("automodel" in line and "not found" in line)]
    run("--version")
    (folder / "recipe.yaml").write_text(RECIPE)
    run("finetune", "llm", "-c", "recipe.yaml", "--step_scheduler.max_steps", "1", "--device", "cpu")
    text = run("generate", "-m", "run", "-p", "What is", "--max-new-tokens", "2", "--json").stdout
    if not failures and len(json.loads(text)["ids"]) == 0:
        failures.append(f"generate: {text}")
finish(failures, "an installed copy")
