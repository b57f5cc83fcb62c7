"""Families that transformers knows only as remote code, against the plain references of remote_models.py: logits, loss and every
gradient, the texts that they generate; and a run that learns nothing gives each file back to the bit.
"""
import json
import os
import pathlib
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

import forward_test
from program import call
from remote_models import CASES, EOS, VOCABULARY, make_weights
from round_trip_test import RECIPE, write_tokens

NEW_TOKENS = 8
IDS = torch.tensor([[(7 * i * i + 3 * i + 5 * r) % VOCABULARY for i in range(40)] for r in range(3)])


def compare(folder, model):
    """Errors of logits, loss and the worst gradient."""
    weights = {name: value.requires_grad_() for name, value in load_file(folder / "model.safetensors").items()}
    logits = model.logits(weights, IDS)
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), IDS[:, 1:].flatten())
    loss.backward()
    ours = load_file(folder / "out.safetensors")
    whole = forward_test.norm({name: value.grad for name, value in weights.items()})
    gradient = max(forward_test.gradient_error(ours["grad." + name], value.grad, whole) for name, value in weights.items())
    assert set(ours) == {"logits", "loss"} | {"grad." + name for name in model.shapes()}, set(ours)
    logits, loss = logits.detach(), loss.detach()
    return float((ours["logits"] - logits).abs().max()), abs(float(ours["loss"] - loss) / float(loss)), gradient


def saved(folder):
    """"" when a run with a learning rate of zero saves what it loaded, else what is wrong."""
    write_tokens(folder / "tokens.bin")
    (folder / "recipe.yaml").write_text(RECIPE.format(model=folder, folder=folder, root=folder))
    call("pretrain", "llm", "-c", folder / "recipe.yaml")
    exported = next((folder / "ckpt").glob("epoch_*_step_*")) / "model" / "consolidated"
    before = load_file(folder / "model.safetensors")
    after = {name: value for file in exported.glob("*.safetensors") for name, value in load_file(file).items()}
    same = set(before) == set(after) and all(torch.equal(before[name], after[name]) for name in before)
    return "" if same else "is saved otherwise"


def generated(folder, model):
    """"" when a cache gives the ids that whole sequences give, else what is wrong."""
    out = call("generate", "-m", folder, "--ids", folder.parent / "ids.json", "--max-new-tokens", NEW_TOKENS, "--json")
    ours = [json.loads(line)["ids"] for line in out.splitlines()]
    weights, ids = load_file(folder / "model.safetensors"), IDS
    with torch.no_grad():
        for _ in range(NEW_TOKENS):
            ids = torch.cat([ids, model.logits(weights, ids)[:, -1:].argmax(-1)], 1)
    expected = [row[:row.index(EOS) + 1] if EOS in row else row for row in ids[:, IDS.shape[1]:].tolist()]
    return "" if ours == expected else f"generates {ours}, not {expected}"


def main():
    bounds, failed = forward_test.BOUNDS["float32"], []
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        (root / "ids.json").write_text(json.dumps(IDS.tolist()))
        requests = []
        for case, (reference, config, _) in CASES.items():
            folder = root / case
            folder.mkdir()
            (folder / "config.json").write_text(json.dumps(config))
            save_file(make_weights(reference(config).shapes()), folder / "model.safetensors")
            requests.append({"model": str(folder), "ids": str(root / "ids.json"), "grads": True,
                             "output": str(folder / "out.safetensors")})
        (root / "cases.json").write_text(json.dumps(requests))
        call("model", "forward", "--cases", root / "cases.json")
        for case, (reference, config, _) in CASES.items():
            model = reference(config)
            errors = compare(root / case, model)
            wrong = generated(root / case, model) or saved(root / case)
            line = "{:16} logits {:.1e}, loss {:.1e}, gradient {:.1e}; ".format(case, *errors)
            print(line + (wrong or "generates and is saved as it was"), flush=True)
            if wrong or not all(error <= bound for error, bound in zip(errors, bounds.values())):
                failed.append(case)
    if failed:
        sys.exit(f"fail: {', '.join(failed)}")


if __name__ == "__main__":
    main()
