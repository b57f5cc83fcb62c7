"""`model forward` on the GPU against the same on the CPU: logits, loss and every gradient of a tiny checkpoint in float32."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from safetensors.torch import load_file

MODEL = pathlib.Path(os.environ["AUTOMODEL_SHARED"]) / "golden/inputs/ckpt/tiny-llama"
BOUND = 1e-5  # distance relative to the CPU's norm, tensor by tensor


def forward(folder: pathlib.Path, name: str, environment: dict) -> dict:
    out = folder / f"{name}.safetensors"
    subprocess.run([os.environ["AUTOMODEL_PROGRAM"], "model", "forward", "-m", str(MODEL), "--ids",
                    str(folder / "ids.json"), "-o", str(out), "--grads"], check=True, env={**os.environ, **environment})
    return load_file(out)


with tempfile.TemporaryDirectory() as name:
    (pathlib.Path(name) / "ids.json").write_text(json.dumps([[5, 7, 9, 11, 200, 3], [4, 4, 8]]))
    on_gpu = forward(pathlib.Path(name), "gpu", {})
    on_cpu = forward(pathlib.Path(name), "cpu", {"CUDA_VISIBLE_DEVICES": ""})
errors = {key: ((on_gpu[key] - value).norm() / value.norm().clamp_min(1e-12)).item() for key, value in on_cpu.items()}
worst = max(errors, key=errors.get)
print(f"{len(errors)} tensors, largest error {errors[worst]:.1e} (bound {BOUND:.0e}) at {worst}")
sys.exit(0 if set(on_gpu) == set(on_cpu) and errors[worst] <= BOUND else 1)
