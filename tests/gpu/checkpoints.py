"""Writes what forward.py compares on the GPU machine: checkpoints.py FOLDER. A tiny checkpoint of every family that tests/parity
knows, token ids, and how far transformers' own bfloat16 is from its float32 on them; made where the pinned transformers is."""
import json
import os
import pathlib
import random
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/parity"))
import torch
import transformers
from safetensors.torch import save_file

import any_family
import checkpoints
import moe_test
import moe_variants
import remote_models
from forward_test import distance
from variants import FAMILIES, Variant

LENGTHS = (37, 64, 5, 50)


def write_rows(folder):
    """Rows, and the same as documents packed into one."""
    numbers = random.Random(1)
    rows = [[numbers.randrange(97) for _ in range(length)] for length in LENGTHS]
    documents = [sum(([number] * length for number, length in enumerate(LENGTHS)), [])]
    for name, value in (("rows", rows), ("packed", [sum(rows, [])]), ("documents", documents)):
        (folder / f"{name}.json").write_text(json.dumps(value))
    return rows


def own_error(variant, folder, rows):
    """Distance of transformers' bfloat16 from its float32: of the logits, of all gradients."""
    loader, runner = (moe_test.load, moe_test.run) if any_family.has_experts(variant.family) else \
        (checkpoints.load, checkpoints.run)
    return distance(*(runner(loader(variant, folder, dtype), rows)[:3] for dtype in (torch.bfloat16, torch.float32)))


def every_expert(family):
    """A choice between near equals is a matter of rounding: in bfloat16 every token passes every expert."""
    return next((variant for variant in moe_variants.all_variants() if variant.key == f"{family}-bf16"), None)


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    rows, errors = write_rows(out), {}
    for family in {**FAMILIES, **moe_variants.FAMILIES}:
        variant = Variant(family, "plain", {})
        any_family.save(variant, out / family)
        if not any_family.has_experts(family):
            errors[family] = own_error(variant, out / family, rows)
    for family in moe_variants.FAMILIES:
        if variant := every_expert(family):
            name = f"{family}-every-expert"
            any_family.save(variant, out / name)
            errors[name] = own_error(variant, out / name, rows)
    for name, (reference, config, _) in remote_models.CASES.items():
        (out / name).mkdir()
        (out / name / "config.json").write_text(json.dumps(config))
        save_file(remote_models.make_weights(reference(config).shapes()), out / name / "model.safetensors")
        errors[name] = None  # transformers does not know it
    (out / "own_errors.json").write_text(json.dumps(errors))
    print(f"{len(list(out.glob('*/config.json')))} checkpoints in {out}")


if __name__ == "__main__":
    main()
