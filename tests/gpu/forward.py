"""`model forward` on the GPU against the same on the CPU: logits, loss and every gradient of a tiny checkpoint of each family
(checkpoints.py), of rows and of documents packed into one row, in float32 and bfloat16.

forward.py [PATTERN]: only the families whose name holds PATTERN.
"""
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from safetensors.torch import load_file

CHECKPOINTS = pathlib.Path(os.environ["AUTOMODEL_CHECKPOINTS"])
# float32: distance from the CPU over the CPU's norm, of each tensor. bfloat16: distance from the CPU's float32 over that of
# transformers' bfloat16 from its own, of the logits and of all gradients, as in tests/parity/tolerances.json; of families that
# transformers does not know, over the distance of the CPU's bfloat16.
BOUNDS = {"float32": 2e-5, "bfloat16": 1.25}


def cases_of(names, own_errors, out):
    for name in names:
        kinds = [("rows", "float32"), ("packed", "float32")] + ([("rows", "bfloat16")] if name in own_errors else [])
        for rows, dtype in kinds:
            case = {"model": str(CHECKPOINTS / name), "ids": str(CHECKPOINTS / f"{rows}.json"), "grads": True, "dtype": dtype,
                    "output": str(out / f"{name}.{rows}.{dtype}.safetensors")}
            if rows == "packed":
                case["documents"] = str(CHECKPOINTS / "documents.json")
            yield case


def forward(folder, names, own_errors, device, environment):
    out = folder / device
    out.mkdir()
    cases = list(cases_of(names, own_errors, out))
    begin, left = time.monotonic(), cases
    while left:  # after a failure: what comes behind it
        (folder / f"{device}.json").write_text(json.dumps(left))
        done = subprocess.run([os.environ["AUTOMODEL_PROGRAM"], "model", "forward", "--cases", str(folder / f"{device}.json")],
                              env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True)
        left = [case for case in left if not pathlib.Path(case["output"]).exists()]
        if done.returncode != 0 and left:
            print(f"{device}: status {done.returncode} at {left[0]['output']}\n{done.stderr[-1500:]}")
            left = left[1:]
    print(f"{device}: {len(cases)} runs in {time.monotonic() - begin:.0f} s")
    return {pathlib.Path(case["output"]).name: pathlib.Path(case["output"]) for case in cases}


def distance(some, other, keys):
    return math.sqrt(sum(float((some[key].double() - other[key].double()).norm()) ** 2 for key in keys))


def gradients_of(tensors):
    return [key for key in tensors if key.startswith("grad.")]


def of_float32(gpu, cpu):
    """The largest relative distance of a tensor, and its name. What is zero but for rounding must be as small here."""
    whole = math.sqrt(sum(float(cpu[key].norm()) ** 2 for key in gradients_of(cpu)))
    errors = {}
    for key, value in cpu.items():
        norm = float(value.norm())
        if key.startswith("grad.") and norm < 1e-6 * whole:
            errors[key] = 0.0 if float(gpu[key].norm()) < 1e-6 * whole else math.inf
        else:
            errors[key] = distance(gpu, cpu, [key]) / max(norm, 1e-12)
    return max((error, key) for key, error in errors.items())


def of_bfloat16(gpu, cpu, exact, own_error):
    parts = {"logits": ["logits"], "gradients": gradients_of(cpu)}
    own = own_error or [distance(cpu, exact, keys) for keys in parts.values()]
    return max((distance(gpu, exact, keys) / error, name) for (name, keys), error in zip(parts.items(), own))


def main():
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    names = sorted(path.parent.name for path in CHECKPOINTS.glob("*/config.json") if pattern in path.parent.name)
    own_errors = json.loads((CHECKPOINTS / "own_errors.json").read_text())
    failed, largest, count = [], {}, 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        gpu = forward(folder, names, own_errors, "gpu", {})
        cpu = forward(folder, names, own_errors, "cpu", {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "4"})
        for name, path in cpu.items():
            family, rows, dtype, _ = name.rsplit(".", 3)
            if not path.exists() or not gpu[name].exists():
                failed.append(f"{name} (no result)")
                continue
            ours, reference = load_file(gpu[name]), load_file(path)
            if set(ours) != set(reference):
                failed.append(f"{name} (tensors differ)")
                continue
            if dtype == "float32":
                error, where = of_float32(ours, reference)
            else:
                exact = load_file(cpu[f"{family}.{rows}.float32.safetensors"])
                error, where = of_bfloat16(ours, reference, exact, own_errors[family])
            count += 1
            largest[dtype] = max(largest.get(dtype, (0.0, "")), (error, f"{family}, {rows}, {where}"))
            if not error <= BOUNDS[dtype]:
                failed.append(f"{family} {rows} {dtype} {error:.2e} at {where}")
    for dtype, (error, where) in largest.items():
        print(f"{dtype}: largest {error:.3g} (bound {BOUNDS[dtype]:g}) of {where}")
    print(f"{count} runs of {len(names)} checkpoints compared")
    if failed:
        sys.exit("\n".join(["over the bound:", *failed]))


if __name__ == "__main__":
    main()
