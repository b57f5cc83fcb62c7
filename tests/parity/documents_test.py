"""Documents packed into one row see themselves alone, in every family: the logits of each are those of the document by itself,
the loss and every gradient of the pack those of the rows apart, and what stands before a document changes no bit of it (with experts: nothing beyond rounding).

documents_test.py [PATTERN]: only the families whose name holds PATTERN.
"""
import json
import os
import pathlib
import random
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
import transformers
from safetensors.torch import load_file

import any_family
import checkpoints
import forward_test
import heads_test
import moe_variants
from program import call
from variants import FAMILIES, Variant

LENGTHS = (13, 29, 1, 22)
BOUNDS = {"logits": 1e-4, "loss": 1e-6, "gradient": 1e-4}


def write(path, value):
    path.write_text(json.dumps(value))
    return str(path)


def labels_of(document):
    """Each token's next one; the last has none."""
    return document[1:] + [checkpoints.IGNORE]


def requests_for(folder):
    """The documents as rows, packed, and packed behind another first document."""
    numbers = random.Random(folder.name)
    documents = [[numbers.randrange(1, 97) for _ in range(length)] for length in LENGTHS]
    changed = [[(token * 5 + 11) % 97 for token in documents[0]]] + documents[1:]
    numbered = [[number] * length for number, length in enumerate(LENGTHS)]
    rows = {"apart": documents, "packed": [sum(documents, [])], "changed": [sum(changed, [])]}
    labels = {"apart": [labels_of(d) for d in documents], "packed": [sum(map(labels_of, documents), [])],
              "changed": [sum(map(labels_of, changed), [])]}
    for name, ids in rows.items():
        case = {"model": str(folder), "ids": write(folder / f"{name}.json", ids), "grads": name != "changed",
                "labels": write(folder / f"{name}.labels.json", labels[name]), "output": str(folder / f"{name}.safetensors")}
        if name != "apart":
            case["documents"] = write(folder / f"{name}.documents.json", [sum(numbered, [])])
        yield case


def compare(folder):
    apart, packed, changed = (load_file(folder / f"{name}.safetensors") for name in ("apart", "packed", "changed"))
    starts = [sum(LENGTHS[:i]) for i in range(len(LENGTHS))]
    logits = max(float((packed["logits"][0, start:start + length] - apart["logits"][row, :length]).abs().max())
                 for row, (start, length) in enumerate(zip(starts, LENGTHS)))
    loss = abs(float(packed["loss"] - apart["loss"]) / float(apart["loss"]))
    grads = {name: value for name, value in apart.items() if name.startswith("grad.")}
    whole = forward_test.norm(grads)
    gradient = max(forward_test.gradient_error(packed[name], value, whole) for name, value in grads.items())
    moved = float((packed["logits"][0, LENGTHS[0]:] - changed["logits"][0, LENGTHS[0]:]).abs().max())
    return {"logits": logits, "loss": loss, "gradient": gradient}, moved


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    pattern, failed = sys.argv[1] if len(sys.argv) > 1 else "", []
    with tempfile.TemporaryDirectory() as name:
        root, requests = pathlib.Path(name), []
        chosen = [family for family in {**FAMILIES, **moe_variants.FAMILIES, **heads_test.ENCODERS} if pattern in family]
        for family in chosen:
            any_family.save(Variant(family, "documents", {}), root / family)
            requests += requests_for(root / family)
        call("model", "forward", "--cases", write(root / "cases.json", requests))
        for family in chosen:
            errors, moved = compare(root / family)
            # Sorted by expert, a document's tokens share products with other ones: the order of additions may differ.
            leaks = moved > (1e-5 if family in moe_variants.FAMILIES else 0)
            print(f"{family:16} " + ", ".join(f"{what} {error:.1e}" for what, error in errors.items())
                  + (", LEAKS" if leaks else ""))
            if leaks or any(error > BOUNDS[what] for what, error in errors.items()):
                failed.append(family)
    if failed:
        sys.exit(f"not apart: {', '.join(failed)}")


main()
