"""Comparisons of weights."""
import json
import pathlib

import torch
from safetensors.torch import load_file

import bounds
from golden import GOLDEN, Workplace, setting


def initial_weights(reference: pathlib.Path) -> dict[str, torch.Tensor]:
    drawn = reference / "init_model.safetensors"
    if drawn.exists():
        return load_file(drawn)
    return load_file(GOLDEN / setting(reference / "recipe.yaml", "pretrained_model_name_or_path") / "model.safetensors")


def compare_final(checks, work: Workplace, reference: pathlib.Path, checkpoint: str):
    folder = work.checkpoints / checkpoint / "model/consolidated"
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    their_index = json.loads((reference / "final/consolidated/model.safetensors.index.json").read_text())
    checks.equal("model.safetensors.index.json: weight_map", index["weight_map"], their_index["weight_map"])
    checks.equal("model.safetensors.index.json: total_size", index["metadata"]["total_size"],
                 their_index["metadata"]["total_size"])

    ours = load_file(work.weights_file(checkpoint))
    theirs_file = reference / "final/consolidated/model-00001-of-00001.safetensors"
    if not theirs_file.exists():  # only its sha256 was kept
        checks.equal("names of the final weights", sorted(ours), sorted(their_index["weight_map"]))
        return
    theirs, initial = load_file(theirs_file), initial_weights(reference)
    checks.equal("names of the final weights", sorted(ours), sorted(theirs))
    for name in sorted(ours.keys() & theirs.keys()):
        a, b, start = ours[name], theirs[name], initial[name].to(theirs[name].dtype)
        checks.equal(f"{name}: dtype and shape", (a.dtype, a.shape), (b.dtype, b.shape))
        if a.shape == b.shape:
            distance, travel = (a.double() - b.double()).norm().item(), (b.double() - start.double()).norm().item()
            checks.close("final weights / travel", name, distance / travel, 0.0, absolute=bounds.WEIGHT_TRAVEL)


def compare_adapter(checks, work: Workplace, reference: pathlib.Path, checkpoint: str, travel_bound: float | None):
    """Adapter files to the byte where they are text, and every matrix relative to its travel, if that has a bound."""
    folder, theirs_folder = work.checkpoints / checkpoint / "model", reference / "final/adapter"
    for name in ("adapter_config.json", "automodel_peft_config.json", "chat_template.jinja"):
        checks.equal(name, (folder / name).read_text(), (theirs_folder / name).read_text())
    ours = load_file(folder / "adapter_model.safetensors")
    theirs = load_file(theirs_folder / "adapter_model.safetensors")
    initial = load_file(reference / "init_lora.safetensors")
    checks.equal("names of the adapter's matrices", sorted(ours), sorted(theirs))
    for name in sorted(ours.keys() & theirs.keys()):
        a, b, start = ours[name], theirs[name], initial[name.removeprefix("base_model.model.")]
        checks.equal(f"{name}: dtype and shape", (a.dtype, a.shape), (b.dtype, b.shape))
        if a.shape == b.shape and travel_bound is not None:
            distance, travel = (a.double() - b.double()).norm().item(), (b.double() - start.double()).norm().item()
            checks.close("final adapter / travel", name, distance / travel, 0.0, absolute=travel_bound)


def compare_bits(checks, what: str, ours: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]):
    checks.equal(f"{what}: names", sorted(ours), sorted(expected))
    for name in sorted(ours.keys() & expected.keys()):
        a, b = ours[name], expected[name]
        same = a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
        checks.true(same, f"{what}: {name} differs ({(a != b).sum().item() if a.shape == b.shape else a.shape} elements)")
