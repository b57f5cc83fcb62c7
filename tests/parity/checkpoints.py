"""Makes the tiny checkpoints of variants.py with transformers, and computes what it gives on them."""
import contextlib
import json
import random

import torch
import transformers

from families import ARCHITECTURES, FILE_NAMES, FILE_PREFIXES
from variants import FAMILIES, SIZES, sizes



def classes(family):
    """Its config class and causal language model in transformers; a family is called as its model_type."""
    config = transformers.CONFIG_MAPPING[family]
    return config, transformers.MODEL_FOR_CAUSAL_LM_MAPPING[config]


IGNORE = -100


def make_config(variant, changes=None):
    config_class, _ = classes(variant.family)
    values = {**sizes(variant.family), **FAMILIES.get(variant.family, {}), **variant.config, **(changes or {})}
    values = json.loads(json.dumps(values))  # transformers writes into the dicts that it is given
    return config_class(**{key: value for key, value in values.items() if value is not None or key != "layer_types"})


def make_model(variant):
    """Random weights; norms and biases away from the ones and zeros that they start as."""
    torch.manual_seed(sum(map(ord, variant.key)))
    model = classes(variant.family)[1]._from_config(make_config(variant), dtype=torch.float32,
                                                    attn_implementation="eager")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.add_(0.3 * torch.randn_like(parameter))
            if name.endswith("A_log"):  # long memories: short ones have no gradient but rounding's
                parameter.sub_(4)
    return model


def to_old_form(path):
    """Writes a config.json as transformers 4 did; every second one with "type", as its first versions."""
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    kind = rope.pop("rope_type")
    config["rope_scaling"] = None if kind == "default" else {"type" if len(rope) % 2 else "rope_type": kind, **rope}
    config["torch_dtype"] = config.pop("dtype")
    config["transformers_version"] = "4.43.0"
    path.write_text(json.dumps(config, indent=2))


def save(variant, folder):
    model = make_model(variant).to(getattr(torch, variant.stored))
    model.config.architectures = [type(model).__name__]
    options = {"max_shard_size": variant.shard_bytes} if variant.shard_bytes else {}
    model.save_pretrained(folder, **options)
    if variant.shard_bytes:
        assert (folder / "model.safetensors.index.json").exists(), "one shard only"
    if variant.family in ARCHITECTURES:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"architectures": [ARCHITECTURES[variant.family]]}))
    if variant.old_config:
        to_old_form(folder / "config.json")


def make_rows(variant):
    """Token ids, and labels aligned with positions or None."""
    numbers = random.Random(variant.key)
    ids = [[numbers.randrange(SIZES["vocab_size"]) for _ in range(length)] for length in variant.lengths]
    for row in ids:
        row[len(row) // 2] = 7  # the padding row of some variants
    if not variant.masked_labels:
        return ids, None
    labels = [[IGNORE if numbers.random() < 0.4 else numbers.randrange(SIZES["vocab_size"]) for _ in row]
              for row in ids]
    return ids, labels


def file_name(model, name):
    """What checkpoints call a parameter."""
    ours, theirs = FILE_PREFIXES.get(model.config.model_type, ("", ""))
    name = FILE_NAMES.get(model.config.model_type, {}).get(name, name)
    return theirs + name.removeprefix(ours) if ours and name.startswith(ours) else name


def pad(rows, value):
    longest = max(map(len, rows))
    return torch.tensor([row + [value] * (longest - len(row)) for row in rows])


def run(model, ids, labels=None, grads=True):
    """Logits, loss and gradients by name. Rows are padded on the right: no position sees what follows it."""
    if labels is None:
        out = model(input_ids=pad(ids, 0), labels=pad(ids, IGNORE), use_cache=False)
        loss = out.loss
    else:
        out = model(input_ids=pad(ids, 0), use_cache=False)
        loss = torch.nn.functional.cross_entropy(out.logits.float().flatten(0, 1), pad(labels, IGNORE).flatten(),
                                                 ignore_index=IGNORE)
    gradients = {}
    if grads:
        loss.backward()
        gradients = {file_name(model, name): parameter.grad.float() for name, parameter in model.named_parameters()
                     if parameter.requires_grad}
    logits = out.logits.detach().float()
    for row, tokens in enumerate(ids):
        logits[row, len(tokens):] = 0
    return logits, loss.detach().float(), gradients


@contextlib.contextmanager
def default_dtype(dtype):
    """What a class makes without saying its type has this one, in a model loaded in another than float32 too."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def load(variant, folder, dtype=None):
    dtype = dtype or getattr(torch, variant.reference_run or variant.run)
    model, info = classes(variant.family)[1].from_pretrained(folder, dtype=dtype, attn_implementation="eager",
                                                             output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    return model
