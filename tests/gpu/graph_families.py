"""A tiny checkpoint of each family (checkpoints.py) trained with CUDA graphs and without: equal to the bit, and a family whose
micro-batches are not captured says why. graph_families.py [PATTERN]: only the families whose name holds PATTERN."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "golden"), str(TESTS / "bench")]
import speed
from checks import Checks
from golden import without_timing

CHECKPOINTS = pathlib.Path(os.environ["AUTOMODEL_CHECKPOINTS"])
IDS = 97  # in every vocabulary
LENGTH, ROWS, STEPS = 64, 2, 5


def trained(name: str, dtype: str, graphs: bool) -> tuple[int, str, list[dict]]:
    """Exit status, log, records of one run."""
    options = speed.parser().parse_args(["--length", str(LENGTH), "--micro-batch", str(ROWS), "--accumulate", "3", "--steps", str(STEPS),
                                         "--dtype", dtype, "--graphs", str(graphs).lower()] + ["--deterministic"] * (dtype == "bfloat16"))
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        recipe = json.loads(speed.recipe_text(options, folder, folder))
        recipe["model"] = {"_target_": "nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained",
                           "pretrained_model_name_or_path": str(CHECKPOINTS / name), "torch_dtype": dtype}
        (folder / "recipe.yaml").write_text(json.dumps(recipe))
        speed.write_shard(folder / "tokens_000000.bin", ROWS * 3 * STEPS * LENGTH + LENGTH + 1, IDS)
        done = subprocess.run([speed.PROGRAM, str(folder / "recipe.yaml")], stderr=subprocess.PIPE, text=True)
        lines = folder / "ckpt/training.jsonl"
        records = [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []
    return done.returncode, done.stderr, [without_timing(record) for record in records]


pattern = sys.argv[1] if len(sys.argv) > 1 else ""
names = sorted(folder.name for folder in CHECKPOINTS.iterdir() if folder.is_dir() and pattern in folder.name)
checks = Checks()
cases = [(name, dtype) for name in names for dtype in ("float32", "bfloat16")]
with concurrent.futures.ThreadPoolExecutor(6) as pool:
    runs = {(*case, graphs): pool.submit(trained, *case, graphs) for case in cases for graphs in (False, True)}
captured = 0
for name, dtype in cases:
    what = f"{name}, {dtype}"
    status, log, records = runs[name, dtype, False].result()
    checks.equal(f"{what}: exit status", (status, "" if status == 0 else log[-300:]), (0, ""))
    status, log, replayed = runs[name, dtype, True].result()
    checks.equal(f"{what}, with graphs: exit status", (status, "" if status == 0 else log[-300:]), (0, ""))
    checks.equal(f"{what}: steps", len(records), STEPS)
    checks.true(replayed == records, f"{what}: not equal to the bit")
    notes = [line.split("CUDA graphs: ")[1] for line in log.splitlines() if "CUDA graphs: " in line]
    checks.true(notes, f"{what}: nothing is said about CUDA graphs")
    captured += any("captured and replayed" in note for note in notes)
    print(f"{what}: {'; '.join(notes)}")
print(f"{captured} of {len(cases)} cases are captured")
checks.finish()
