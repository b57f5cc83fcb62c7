"""Logits, loss and every gradient of every variant against transformers, with one run of the program.

forward_test.py [PATTERN]: only the variants whose name holds PATTERN.
"""
import json
import math
import pathlib
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file

import checkpoints
from program import call
from variants import all_variants

BOUNDS = json.loads((pathlib.Path(__file__).parent / "tolerances.json").read_text())
NOTICED = 1e-2  # leaving a feature out must move some logit by this much: a hundred times the bound


def prepare(variants, root):
    """Writes all checkpoints, ids and the list of cases; returns the path of the list."""
    cases = []
    for variant in variants:
        folder = root / variant.key
        checkpoints.save(variant, folder)
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


def errors(variant, folder):
    """Largest logit error, relative loss error, worst relative gradient error and whose it is."""
    ours = load_file(folder / "ours.safetensors")
    ids, labels = checkpoints.make_rows(variant)
    logits, loss, gradients = checkpoints.run(checkpoints.load(variant, folder), ids, labels)
    names = {name.removeprefix("grad.") for name in ours if name.startswith("grad.")}
    assert names == set(gradients), f"{variant.key}: gradients differ in {names ^ set(gradients)}"
    assert ours["logits"].shape == logits.shape, f"{variant.key}: logits {tuple(ours['logits'].shape)}"
    assert bool(torch.isfinite(ours["logits"]).all()), f"{variant.key}: logits that are not finite"
    # A gradient that is zero but for rounding has no relative error: a millionth of the whole norm is the least.
    floor = 1e-6 * math.sqrt(sum(float(g.norm()) ** 2 for g in gradients.values()))
    worst = max((float((ours["grad." + name] - g).norm()) / max(float(g.norm()), floor, 1e-30), name)
                for name, g in gradients.items())
    return (float((ours["logits"] - logits).abs().max()),
            abs(float(ours["loss"]) - float(loss)) / max(abs(float(loss)), 1e-30), *worst)


def shift_without(variant, folder):
    """How far the logits move when the feature is left out; None when the variant is about nothing in particular."""
    if variant.without is None:
        return None
    ids, labels = checkpoints.make_rows(variant)
    whole = checkpoints.load(variant, folder)
    other = checkpoints.CLASSES[variant.family][1]._from_config(
        checkpoints.make_config(variant, variant.without), dtype=torch.float32, attn_implementation="eager")
    other.load_state_dict(whole.state_dict(), strict=False)
    with torch.no_grad():
        return float((checkpoints.run(whole, ids, labels, grads=False)[0]
                      - checkpoints.run(other, ids, labels, grads=False)[0]).abs().max())


def main():
    torch.set_num_threads(2)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    variants = [variant for variant in all_variants() if pattern in variant.key]
    failures, largest = [], {}
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        call("model", "forward", "--cases", prepare(variants, root))
        print(f"{'variant':36} {'run':9} {'logits':>9} {'loss':>9} {'gradient':>9}  worst gradient; without the feature")
        for variant in variants:
            dtype = variant.reference_run or variant.run
            bounds = BOUNDS[dtype]
            logits, loss, gradient, whose = errors(variant, root / variant.key)
            shift = shift_without(variant, root / variant.key)
            good = (logits <= bounds["logits_max_abs"] and loss <= bounds["loss_relative"]
                    and gradient <= bounds["grad_relative_norm"])
            blind = shift is not None and shift < NOTICED
            print(f"{variant.key:36} {variant.run:9} {logits:9.2e} {loss:9.2e} {gradient:9.2e}  {whose}"
                  f"{'' if shift is None else f'; {shift:.2g}'}{'' if good else '  TOO LARGE'}{'  BLIND' if blind else ''}")
            if not good or blind:
                failures.append(variant.key)
            largest[dtype] = [max(pair) for pair in zip(largest.get(dtype, (0, 0, 0)), (logits, loss, gradient))]
    for dtype, (logits, loss, gradient) in largest.items():
        print(f"largest, {dtype}: logits {logits:.2e}, loss {loss:.2e}, gradient {gradient:.2e}; bounds {BOUNDS[dtype]}")
    if failures:
        sys.exit(f"{len(failures)} of {len(variants)} variants fail: {', '.join(failures)}")
    print(f"{len(variants)} variants agree with transformers {transformers.__version__}")


main()
