"""Help, errors and `config check` answer within 50 ms and load neither LibTorch nor CUDA."""
import pathlib
import re
import subprocess
import tempfile
import time

from program import PROGRAM, automodel, finish

LIMIT_MS = 50
NUM_TRIES = 5
HEAVY = re.compile(r"lib(torch|c10|cuda|cudnn|nccl|cublas|automodel_engine|automodel_cuda)[\w.-]*\.so[.\d]*")

RECIPE = """recipe: TrainFinetuneRecipeForNextTokenPrediction
model:
  _target_: nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained
  pretrained_model_name_or_path: meta-llama/Llama-3.2-1B
dataset:
  _target_: nemo_automodel.components.datasets.llm.squad.make_squad_dataset
  dataset_name: rajpurkar/squad
optimizer: {_target_: torch.optim.AdamW, lr: 1e-5}
"""

failures, shown = [], []
with tempfile.TemporaryDirectory() as folder:
    recipe = pathlib.Path(folder) / "recipe.yaml"
    recipe.write_text(RECIPE)
    for arguments, status in [(["--help"], 0), (["--version"], 0), (["--no-such-option"], 2), (["finetune", "--help"], 0),
                              (["config", "check", "-c", str(recipe), "--json"], 0)]:
        times_ms = []
        for _ in range(NUM_TRIES):
            start = time.perf_counter()
            done = subprocess.run([PROGRAM, *arguments], capture_output=True)
            times_ms.append((time.perf_counter() - start) * 1000)
            if done.returncode != status:
                failures.append(f"{arguments}: status {done.returncode}, not {status}: {done.stderr[-300:]}")
        name = " ".join(arguments).replace(str(recipe), "recipe.yaml")
        shown.append(f"{name}: {min(times_ms):.1f} ms")
        if min(times_ms) > LIMIT_MS:
            failures.append(f"{name} took {min(times_ms):.1f} ms, the best of {NUM_TRIES}; the limit is {LIMIT_MS}")
        loaded = automodel(*arguments, env={"LD_DEBUG": "files"}).stderr
        if "libautomodel_core" not in loaded:
            failures.append(f"{name}: the loader's trace does not name libautomodel_core: the look-out is blind")
        if heavy := sorted(set(match.group(0) for match in HEAVY.finditer(loaded))):
            failures.append(f"{name} loads {', '.join(heavy)}")
print("\n".join(shown))
finish(failures, f"{len(shown)} commands, best of {NUM_TRIES}")
