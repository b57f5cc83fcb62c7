"""Families with experts against transformers, with one run of the program: logits, loss, every gradient, how many tokens
each expert got, the auxiliary loss; and what the program saves is loaded by transformers with the same logits.

moe_test.py [PATTERN]: only the variants whose name holds PATTERN.
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
from forward_test import BOUNDS, NOTICED, differing_when_released, gradient_error, norm, prepare
from moe_variants import FAMILIES, RELEASED, all_variants, values
from program import call


def classes(variant):
    config, model, _ = FAMILIES[variant.family]
    return getattr(transformers, config), getattr(transformers, model)


def make_model(variant, changes=None):
    """Random weights: norms, biases and corrections away from the ones and zeros that they start as, routers and experts
    far enough apart that a choice is not a matter of rounding."""
    config_class, model_class = classes(variant)
    torch.manual_seed(sum(map(ord, variant.key)))
    model = model_class._from_config(config_class(**values(variant, changes)), dtype=torch.float32,
                                     attn_implementation="eager", experts_implementation="eager")
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if "e_score_correction_bias" in name:
                tensor.copy_(0.2 * torch.randn_like(tensor))
            elif "inv_freq" in name:
                continue
            elif tensor.dim() == 1 or name.endswith("_bias"):
                tensor.add_(0.3 * torch.randn_like(tensor))
                if name.endswith("A_log"):  # long memories, as in checkpoints.py
                    tensor.sub_(5)
            else:
                tensor.copy_(0.15 * torch.randn_like(tensor))
    return model


def save(variant, folder):
    model = make_model(variant).to(getattr(torch, variant.stored))
    model.config.architectures = [type(model).__name__]
    model.save_pretrained(folder, **({"max_shard_size": variant.shard_bytes} if variant.shard_bytes else {}))
    if variant.key in RELEASED:
        path = folder / "config.json"
        config = json.loads(path.read_text()) | RELEASED[variant.key]
        path.write_text(json.dumps({key: value for key, value in config.items()
                                    if value is not None or RELEASED[variant.key].get(key, "") is not None}))


def load(variant, folder, dtype):
    config_class, model_class = classes(variant)
    config = config_class.from_pretrained(folder)
    config.model_type = config_class.model_type  # how transformers reads experts of files hangs on it
    model, info = model_class.from_pretrained(folder, config=config, dtype=dtype, attn_implementation="eager",
                                              experts_implementation="eager", output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    return model


def count_choices(model, counts, real):
    """Hooks that add up how often each router chooses each expert for tokens that are not padding (`real` [B, T]): every router
    returns its choice last, or none."""
    real = real.flatten()
    for name, module in model.named_modules():
        kind = type(module).__name__
        if "Router" in kind or kind.endswith("Gate"):
            def hook(_, __, output, name=name):
                scores, choice = output[0], output[-1]
                choice = choice.reshape(len(real), -1)[real]
                if choice.is_floating_point():  # Llama 4: scores are zero but for the chosen
                    choice = scores.reshape(len(real), -1)[real].nonzero()[:, 1]
                counts[name] = torch.bincount(choice.flatten(), minlength=scores.shape[-1]).float()
            module.register_forward_hook(hook)


def run(model, ids, labels=None, grads=True):
    """Logits, loss, gradients by parameter, auxiliary loss or None, choices by router in order."""
    counts = {}
    real = checkpoints.pad([[1] * len(row) for row in ids], 0)
    count_choices(model, counts, real.bool())
    targets = labels or [row[1:] + [checkpoints.IGNORE] for row in ids]
    # The auxiliary loss leaves out what the mask does; nothing else hangs on the padding at the end.
    mask = {"attention_mask": real} if getattr(model.config, "output_router_logits", False) else {}
    out = model(input_ids=checkpoints.pad(ids, 0), use_cache=False, **mask)
    loss = torch.nn.functional.cross_entropy(out.logits.float().flatten(0, 1),
                                             checkpoints.pad(targets, checkpoints.IGNORE).flatten(),
                                             ignore_index=checkpoints.IGNORE)
    if all(target == checkpoints.IGNORE for row in targets for target in row):
        loss = out.logits.float().sum() * 0
    aux = getattr(out, "aux_loss", None)
    if aux is not None:
        loss = loss + model.router_aux_loss_coef * aux
    gradients = {}
    if grads:
        loss.backward()
        gradients = {name: torch.zeros_like(p) if p.grad is None else p.grad
                     for name, p in model.named_parameters() if p.requires_grad}
    logits = out.logits.detach().float()
    for row, tokens in enumerate(ids):
        logits[row, len(tokens):] = 0
    return logits, loss.detach().float(), gradients, aux, list(counts.values())


def as_in_files(model, gradients, folder):
    """Gradients under the names and in the layout of checkpoints: transformers saves them as it saves weights."""
    whole = {name: tensor.float() if name not in gradients else gradients[name].float()
             for name, tensor in model.state_dict().items()}
    model.save_pretrained(folder, state_dict=whole)
    saved = load_file(folder / "model.safetensors")
    frozen = ("e_score_correction_bias", "inv_freq") + (("lm_head.weight",) if model.config.tie_word_embeddings else ())
    return {name: tensor.float() for name, tensor in saved.items() if not name.endswith(frozen)}


def distance(logits, gradients, exact):
    """From the float32 run: norms over all logits and over all gradients."""
    return (float((logits - exact[0]).norm()),
            norm({name: gradients[name] - g for name, g in exact[1].items()}))


def errors(file, ours, logits, loss, reference):
    """Of our logits, loss and gradients, and the parameter whose gradient is the furthest from the reference's."""
    whole = norm(reference)
    gradient, whose = max((gradient_error(ours[name], g, whole), name) for name, g in reference.items())
    return {"logits_max_abs": float((file["logits"] - logits).abs().max()),
            "loss_relative": abs(float(file["loss"]) - float(loss)) / max(abs(float(loss)), 1e-30),
            "grad_relative_norm": gradient}, whose


def exceeded(measured, variant):
    return [name for name, error in measured.items() if not error <= BOUNDS[variant.run][name]]


def compare(variant, folder):
    ids, labels = checkpoints.make_rows(variant)
    file = load_file(folder / "ours.safetensors")
    model = load(variant, folder, getattr(torch, variant.run))
    logits, loss, gradients, aux, choices = run(model, ids, labels)
    reference = as_in_files(model, gradients, folder / "gradients")
    ours = {name.removeprefix("grad."): tensor for name, tensor in file.items() if name.startswith("grad.")}
    assert set(ours) == set(reference), f"{variant.key}: gradients differ in {set(ours) ^ set(reference)}"
    measured, whose = errors(file, ours, logits, loss, reference)
    if variant.run == "float32" and exceeded(measured, variant):
        # Rounding of a variant that magnifies it, on either side: the same bounds against float64 decide.
        with checkpoints.default_dtype(torch.float64):
            model64 = load(variant, folder, torch.float64)
            logits64, loss64, gradients64, _, _ = run(model64, ids, labels)
        measured, whose = errors(file, ours, logits64, loss64, as_in_files(model64, gradients64, folder / "float64"))
        whose += " (float64)"
    if variant.run == "bfloat16":
        exact_model = load(variant, folder, torch.float32)
        exact = run(exact_model, ids, labels)
        exact = exact[0], as_in_files(exact_model, exact[2], folder / "exact")
        measured["times_own_error"] = max(a / b for a, b in zip(distance(file["logits"], ours, exact),
                                                                distance(logits, reference, exact)))
    over = exceeded(measured, variant)
    loads = [file[name] for name in sorted((n for n in file if n.startswith("expert_load.")),
                                           key=lambda n: int(n.rsplit(".", 1)[1]))]
    moved = sum(float((a - b).abs().sum()) / 2 for a, b in zip(loads, choices, strict=True))
    if moved > 0:
        over.append("choices")
    if (aux is None) != ("aux_loss" not in file):
        over.append("aux_loss")
    elif aux is not None:
        measured["aux"] = abs(float(file["aux_loss"]) - float(aux.detach())) / float(aux.detach())
        if measured["aux"] > BOUNDS[variant.run]["loss_relative"]:
            over.append("aux_loss")
    shift = None
    if variant.without is not None:
        other = make_model(variant, variant.without)
        other.load_state_dict(model.float().state_dict(), strict=False)
        with torch.no_grad():
            shift = float((run(other, ids, labels, grads=False)[0] - logits).abs().max())
        if shift < NOTICED:
            over.append("blind to the feature")
    return measured, whose, moved, shift, over


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    variants = [variant for variant in all_variants() if pattern in variant.key]
    failures, largest = [], {}
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        cases = prepare(variants, root, save)
        call("model", "forward", "--cases", cases)
        changed = differing_when_released(cases)
        for variant in variants:
            measured, whose, moved, shift, over = compare(variant, root / variant.key)
            over += ["reads weights after their release"] if variant.key in changed else []
            line = f"{variant.key:32} {variant.run:9} " + " ".join(f"{v:9.2e}" for v in measured.values())
            line += f"  {whose}" + (f"; {moved:g} choices moved" if moved else "") + (f"; {shift:.2g}" if shift else "")
            print(line + (f"  FAILS: {', '.join(over)}" if over else ""), flush=True)
            if over:
                failures.append(variant.key)
            for key, value in measured.items():
                largest[variant.run, key] = max(value, largest.get((variant.run, key), 0))
    print("largest:", ", ".join(f"{dtype} {key} {value:.2e}" for (dtype, key), value in largest.items()))
    if failures:
        sys.exit(f"{len(failures)} of {len(variants)} variants fail: {', '.join(failures)}")
    print(f"{len(variants)} variants agree with transformers {transformers.__version__}")


if __name__ == "__main__":
    main()
