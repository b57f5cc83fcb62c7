"""Logits, loss and every gradient of every variant against transformers, with one run of the program.

forward_test.py [PATTERN]: only the variants whose name holds PATTERN.
"""
import filecmp
import json
import math
import os
import pathlib
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tensors are tiny; waiting threads cost more than they help
import torch
import transformers
from safetensors.torch import load_file

import checkpoints
from program import call
from variants import all_variants

BOUNDS = json.loads((pathlib.Path(__file__).parent / "tolerances.json").read_text())
NOTICED = 1e-2  # leaving a feature out must move some logit by this much: a hundred times the bound


def prepare(variants, root, save=checkpoints.save):
    """Writes all checkpoints, ids and the list of cases; returns the path of the list."""
    cases = []
    for variant in variants:
        folder = root / variant.key
        save(variant, folder)
        ids, labels = checkpoints.make_rows(variant)
        case = {"model": str(folder), "ids": str(folder / "ids.json"), "grads": True, "dtype": variant.run,
                "output": str(folder / "ours.safetensors")}
        (folder / "ids.json").write_text(json.dumps(ids))
        if labels:
            case["labels"] = str(folder / "labels.json")
            (folder / "labels.json").write_text(json.dumps(labels))
        cases.append(case)
    path = root / "cases.json"
    path.write_text(json.dumps(cases))
    return path


def differing_when_released(path):
    """Names of the cases whose values change in a bit when weights are released after each use and filled with NaN."""
    cases = json.loads(path.read_text())
    again = [case | {"output": case["output"] + ".released"} for case in cases]
    path.write_text(json.dumps(again))
    call("model", "forward", "--cases", path, env=os.environ | {"AUTOMODEL_RELEASE_WEIGHTS": "1"})
    return {pathlib.Path(case["model"]).name for case in cases
            if not filecmp.cmp(case["output"], case["output"] + ".released", shallow=False)}


def gradient_error(ours, reference, whole):
    """Norm of the difference over the norm. A gradient that is zero but for rounding has no relative error: it must only
    be as small here as there, a millionth of the norm of all gradients."""
    size = float(reference.norm())
    if size < 1e-6 * whole:
        return 0.0 if float(ours.norm()) < 1e-6 * whole else math.inf
    return float((ours - reference).norm()) / size


def norm(gradients):
    return math.sqrt(sum(float(gradient.norm()) ** 2 for gradient in gradients.values()))


def distance(some, other):
    """Root mean square over the logits, norm over all gradients."""
    return (float((some[0] - other[0]).norm()),
            norm({name: some[2][name] - other[2][name] for name in other[2]}))


def compare(variant, folder, bounds):
    """The three errors, whose gradient is the worst, and what is over its bound."""
    ids, labels = checkpoints.make_rows(variant)
    file = load_file(folder / "ours.safetensors")
    ours = (file["logits"], file["loss"], {name.removeprefix("grad."): value for name, value in file.items()
                                           if name.startswith("grad.")})
    reference = checkpoints.run(checkpoints.load(variant, folder), ids, labels)
    assert set(ours[2]) == set(reference[2]), f"{variant.key}: gradients differ in {set(ours[2]) ^ set(reference[2])}"
    assert ours[0].shape == reference[0].shape, f"{variant.key}: logits {tuple(ours[0].shape)}"
    assert bool(torch.isfinite(ours[0]).all()), f"{variant.key}: logits that are not finite"

    logits = float((ours[0] - reference[0]).abs().max())
    loss = abs(float(ours[1]) - float(reference[1])) / max(abs(float(reference[1])), 1e-30)
    whole = norm(reference[2])
    gradient, whose = max((gradient_error(ours[2][name], value, whole), name) for name, value in reference[2].items())
    over = [name for name, error in (("logits_max_abs", logits), ("loss_relative", loss), ("grad_relative_norm", gradient))
            if not error <= bounds[name]]
    if "times_own_error" in bounds:
        exact = checkpoints.run(checkpoints.load(variant, folder, torch.float32), ids, labels)
        times = max(a / b for a, b in zip(distance(ours, exact), distance(reference, exact)))
        whose += f"; {times:.2f} times its own error"
        if times <= 1:
            over = []  # nearer to the exact values than the reference itself
        elif times > bounds["times_own_error"]:
            over.append("times_own_error")
    return (logits, loss, gradient), whose, over


def shift_without(variant, folder):
    """How far the logits move when the feature is left out."""
    ids, labels = checkpoints.make_rows(variant)
    whole = checkpoints.load(variant, folder)
    other = checkpoints.classes(variant.family)[1]._from_config(
        checkpoints.make_config(variant, variant.without), dtype=torch.float32, attn_implementation="eager")
    other.load_state_dict(whole.state_dict(), strict=False)
    with torch.no_grad():
        return float((checkpoints.run(whole, ids, labels, grads=False)[0]
                      - checkpoints.run(other, ids, labels, grads=False)[0]).abs().max())


def finish(variants, failures, largest):
    """The largest errors of each type; ends the test when a variant fails."""
    for dtype, (logits, loss, gradient) in largest.items():
        print(f"largest, {dtype}: logits {logits:.2e}, loss {loss:.2e}, gradient {gradient:.2e}; bounds {BOUNDS[dtype]}")
    if failures:
        sys.exit(f"{len(failures)} of {len(variants)} variants fail: {', '.join(failures)}")
    print(f"{len(variants)} variants agree with transformers {transformers.__version__}")


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    variants = [variant for variant in all_variants() if pattern in variant.key]
    if not variants:
        sys.exit(f"no variant has {pattern!r} in its name")
    failures, largest = [], {}
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        cases = prepare(variants, root)
        call("model", "forward", "--cases", cases)
        changed = differing_when_released(cases)
        print(f"{'variant':36} {'run':9} {'logits':>9} {'loss':>9} {'gradient':>9}  worst gradient; shift without the feature")
        for variant in variants:
            dtype = variant.reference_run or variant.run
            measured, whose, over = compare(variant, root / variant.key, BOUNDS[dtype])
            line = "{:36} {:9} {:9.2e} {:9.2e} {:9.2e}  {}".format(variant.key, variant.run, *measured, whose)
            if variant.without is not None:
                shift = shift_without(variant, root / variant.key)
                line += f"; {shift:.2g}"
                if shift < NOTICED:
                    over.append("blind to the feature")
            if variant.key in changed:
                over.append("reads weights after their release")
            print(line + (f"  FAILS: {', '.join(over)}" if over else ""))
            if over:
                failures.append(variant.key)
            largest[dtype] = [max(pair) for pair in zip(largest.get(dtype, (0, 0, 0)), measured)]
    finish(variants, failures, largest)


if __name__ == "__main__":
    main()
