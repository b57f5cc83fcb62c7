"""Weights drawn from a config alone, as transformers' _init_weights draws them: constants are equal to the bit, logarithms within
a unit in the last place; random tensors to the bit where the order of draws is the same, else equal in mean, deviation and fourth
moment within five standard errors of as many numbers.

init_test.py [PATTERN]: only the families whose name holds PATTERN.
"""
import json
import os
import pathlib
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
import transformers
from safetensors.torch import load_file

import checkpoints
import moe_test
import moe_variants
from program import run
from round_trip_test import RECIPE, write_tokens
from variants import FAMILIES, Variant

SEED = 42
# What the families do with the keys that say how weights begin: name of the case, family, changes of the config.
CASES = {family: (family, {}) for family in {**FAMILIES, **moe_variants.FAMILIES}}
HEADS = {"mamba_num_heads": 1024, "mamba_head_dim": 1, "n_groups": 1}
CASES |= {"nemotron_h-heads": ("nemotron_h", HEADS),
          "nemotron_h-steps": ("nemotron_h", {**HEADS, "time_step_min": 0.01, "time_step_max": 0.5, "time_step_floor": 0.02}),
          "nemotron_h-plain-out": ("nemotron_h", {"rescale_prenorm_residual": False}),
          "llama-range": ("llama", {"initializer_range": 0.3}), "gpt2-range": ("gpt2", {"initializer_range": 0.3})}


def config_of(family, changes):
    if family in moe_variants.FAMILIES:
        variant = Variant(family, "plain")
        return moe_test.classes(variant)[0](**moe_variants.values(variant, changes))
    return checkpoints.make_config(Variant(family, "plain"), changes)


def model_class(family):
    if family in moe_variants.FAMILIES:
        return moe_test.classes(Variant(family, "plain"))[1]
    return checkpoints.classes(family)[1]


def drawn_there(family, config, seed, folder):
    """transformers' weights as its files hold them."""
    model = model_class(family)._from_config(config, dtype=torch.float32)
    head = model.get_output_embeddings()
    head.weight = torch.nn.Parameter(head.weight.detach().clone())  # tied when all is drawn
    for part in [*model.modules(), *model.parameters(), *model.buffers()]:
        vars(part).pop("_is_hf_initialized", None)
    torch.manual_seed(seed)  # behind the constructors, whose draws are overwritten
    with torch.no_grad():
        model.initialize_weights()
    model.tie_weights()
    model.save_pretrained(folder)
    written = json.loads((folder / "config.json").read_text())
    name = checkpoints.ARCHITECTURES.get(family, type(model).__name__)
    (folder / "config.json").write_text(json.dumps(written | {"architectures": [name]}))
    return load_file(folder / "model.safetensors")


def drawn_here(folder, root):
    """The program's, after a step that learns nothing."""
    text = RECIPE.format(model="UNUSED", folder=folder, root=root)
    start, end = text.index("model:"), text.index("checkpoint:")
    text = text[:start] + f"""model:
  _target_: nemo_automodel.NeMoAutoModelForCausalLM.from_config
  config: {{_target_: transformers.AutoConfig.from_pretrained, pretrained_model_name_or_path: {folder}/theirs}}
  torch_dtype: float32
seed: {SEED}
""" + text[end:]
    (folder / "recipe.yaml").write_text(text)
    done = run("pretrain", "llm", "-c", folder / "recipe.yaml")
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    exported = next((folder / "ckpt").glob("epoch_*_step_*")) / "model" / "consolidated"
    return {name: value for file in exported.glob("*.safetensors") for name, value in load_file(file).items()}


def moments(values):
    values = values.double().flatten()
    deviation = values.std(correction=0)
    return float(values.mean()), float(deviation), float(((values - values.mean()) / deviation).pow(4).mean())


def differs(ours, theirs):
    """"" when both are draws of one distribution, as far as so many numbers tell."""
    count = theirs.numel()
    if count < 2 or float(theirs.std()) == 0:
        return "" if torch.equal(ours, theirs) else f"is {ours.flatten()[:3].tolist()}, not {theirs.flatten()[:3].tolist()}"
    (mean, deviation, fourth), (mean_there, deviation_there, fourth_there) = moments(ours), moments(theirs)
    error = 5 * (2 / count) ** 0.5  # of the difference of two samples
    if deviation == 0:
        return "is a constant"
    if abs(mean - mean_there) > error * deviation_there:
        return f"mean {mean:.3g}, not {mean_there:.3g}"
    if abs(deviation / deviation_there - 1) > error * (max(fourth, fourth_there) - 1) ** 0.5 / 2:
        return f"deviation {deviation:.3g}, not {deviation_there:.3g}"
    bounded = count >= 500 and max(fourth, fourth_there) < 2.5  # no tails: the ends are as sharp as a sample is large
    ends = [abs(float(end(ours) - end(theirs))) for end in (torch.min, torch.max)]
    if bounded and max(ends) > 12 / count * float(theirs.max() - theirs.min()):
        return f"from {float(ours.min()):.4g} to {float(ours.max()):.4g}, not {float(theirs.min()):.4g} to {float(theirs.max()):.4g}"
    if count >= 500 and abs(fourth - fourth_there) > error * 96 ** 0.5:
        return f"fourth moment {fourth:.3g}, not {fourth_there:.3g}"
    return ""


def far_from_constant(ours, theirs):
    """"" when within one unit in the last place: logarithms of math libraries differ by it."""
    unit = torch.nextafter(theirs.abs(), torch.tensor(torch.inf)) - theirs.abs()
    return "" if bool(((ours - theirs).abs() <= unit).all()) else f"is {ours.flatten()[:3].tolist()}, not the constant"


def check(case, root):
    """How many tensors are equal to the bit, how many alike; what differs."""
    family, changes = CASES[case]
    folder = root / case
    config = config_of(family, changes)
    theirs = drawn_there(family, config, SEED, folder / "theirs")
    again = drawn_there(family, config, SEED + 1, folder / "again")
    ours = drawn_here(folder, root)
    if set(ours) != set(theirs):
        return 0, 0, [f"tensors {sorted(set(ours) ^ set(theirs))[:3]}"]
    equal = {name for name in theirs if torch.equal(ours[name], theirs[name])}
    wrong = []
    for name in sorted(set(theirs) - equal):
        fixed = torch.equal(theirs[name], again[name])
        if "correction" in name and float(ours[name].abs().max()) <= 0.0021:  # moves by its rate whatever the learning rate
            continue
        said = far_from_constant(ours[name], theirs[name]) if fixed else differs(ours[name], theirs[name])
        wrong += [f"{name}: {said}"] if said else []
    return len(equal), len(theirs), wrong


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    pattern, failed = sys.argv[1] if len(sys.argv) > 1 else "", []
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        write_tokens(root / "tokens.bin")
        for case in CASES:
            if pattern not in case:
                continue
            equal, count, wrong = check(case, root)
            print(f"{case:24} {equal:4} of {count:4} tensors to the bit; {'; '.join(wrong[:6]) or 'the others alike'}", flush=True)
            failed += [case] if wrong else []
    if failed:
        sys.exit(f"drawn otherwise: {', '.join(failed)}")


if __name__ == "__main__":
    main()
