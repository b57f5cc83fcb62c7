"""What the program reads from a config.json against transformers: rotary frequencies in every regime, numbers of
parameters, and every key that transformers writes. Needs no engine."""
import json
import pathlib
import sys
import tempfile

import numpy
import torch
import transformers
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

import checkpoints
import families
from program import call
from variants import FAMILIES, SIZES, Variant, all_variants, rope

BOUNDS = json.loads((pathlib.Path(__file__).parent / "tolerances.json").read_text())


def write(config, path, use_diff=True):
    name = checkpoints.classes(config.model_type)[1].__name__
    config.architectures = [families.ARCHITECTURES.get(config.model_type, name)]
    path.write_text(config.to_json_string(use_diff=use_diff))


def reference_rope(config, length):
    """Frequencies in force for a batch of `length` tokens, and the attention factor, as transformers' module has them."""
    module = transformers.models.llama.modeling_llama.LlamaRotaryEmbedding(config)
    if config.rope_parameters["rope_type"] in ("dynamic", "longrope"):
        module(torch.zeros(1), torch.arange(length)[None])
    return module.inv_freq, module.attention_scaling


def real_ropes():
    """Settings of released models, and a sweep over theta and width."""
    llama3 = dict(low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)
    yield "Llama-3.1", dict(head_dim=128), rope("llama3", factor=8.0, **llama3) | {"rope_theta": 500000.0}
    yield "Llama-3.2", dict(head_dim=64), rope("llama3", factor=32.0, **llama3) | {"rope_theta": 500000.0}
    yield "Qwen2.5-yarn", dict(head_dim=128), {"rope_type": "yarn", "rope_theta": 1e6, "factor": 4.0,
                                               "original_max_position_embeddings": 32768}
    yield "Yarn-Llama-2", dict(head_dim=128), rope("yarn", factor=16.0, original_max_position_embeddings=4096)
    factors = [1.0 + 0.37 * i for i in range(48)]
    yield "Phi-like", dict(head_dim=96), rope("longrope", short_factor=[1.0] * 48, long_factor=factors,
                                              original_max_position_embeddings=4096)
    for theta in (10000.0, 100000.0, 500000.0, 1e6, 1e7, 12345.678):
        for head_dim in (6, 16, 20, 36, 64, 80, 96, 128, 256):
            yield f"theta {theta:g} width {head_dim}", dict(head_dim=head_dim), {"rope_type": "default", "rope_theta": theta}
            for kind, factor in (("linear", 3.0), ("linear", 8), ("dynamic", 2.5), ("yarn", 7.5)):
                yield f"{kind} {theta:g} width {head_dim}", dict(head_dim=head_dim), {
                    "rope_type": kind, "rope_theta": theta, "factor": factor}


def compare_ropes(root):
    worst, count, differing, failures = 0, 0, 0, []
    path = root / "config.json"
    for name, sizes, parameters in real_ropes():
        for length in (100, 4097, 140000):
            values = {**SIZES, "max_position_embeddings": 131072, **sizes, "rope_parameters": dict(parameters)}
            config = transformers.LlamaConfig(**values)
            write(config, path)
            ours = json.loads(call("model", "info", path, "--json", "--length", length))["ropes"][0]
            inv_freq, attention = reference_rope(config, length)
            mine = numpy.array(ours["inv_freq_at_length"], dtype=numpy.float32)
            ulp = numpy.abs(mine.view(numpy.int32).astype(numpy.int64)
                            - inv_freq.numpy().view(numpy.int32).astype(numpy.int64))
            count += len(ulp)
            differing += int((ulp > 0).sum())
            worst = max(worst, int(ulp.max()))
            if ulp.max() > BOUNDS["rope_ulp"] or abs(ours["attention_factor"] - attention) > 1e-15:
                failures.append(f"{name} at {length}: {ulp.max()} ulp, attention {ours['attention_factor']} for {attention}")
            if parameters["rope_type"] not in ("dynamic", "longrope"):
                break
    print(f"rope: {count} frequencies, {differing} differ, by at most {worst} ulp")
    return failures


def compare_parameters(root):
    failures, count = [], 0
    for variant in all_variants():
        config = checkpoints.make_config(variant)
        write(config, root / "config.json")
        if variant.old_config:
            text = json.loads((root / "config.json").read_text())
            (root / "config.json").write_text(json.dumps({"dtype": "float32", **text}))
            checkpoints.to_old_form(root / "config.json")
        info = json.loads(call("model", "info", root / "config.json", "--json"))
        with torch.device("meta"):
            model = checkpoints.classes(variant.family)[1](config)
        expected = sum(parameter.numel() for parameter in model.parameters())
        if info["parameters"] != expected:
            failures.append(f"{variant.key}: {info['parameters']} parameters, transformers has {expected}")
        count += 1
    print(f"parameters: {count} configs")
    return failures


def read_every_key(root):
    """The class's own defaults, with and without the keys that transformers leaves out as default."""
    failures = []
    # The pattern of Nemotron-H's defaults has experts, which are refused by name.
    for family in (family for family in FAMILIES if family != "nemotron_h"):
        for use_diff in (True, False):
            config = checkpoints.classes(family)[0](dtype="bfloat16")
            # Defaults with which transformers itself cannot build the model.
            if getattr(config, "num_key_value_heads", 0) is None:
                config.num_key_value_heads = config.num_attention_heads
            if family == "ministral":
                config.head_dim = config.hidden_size // config.num_attention_heads
            write(config, root / "config.json", use_diff)
            info = json.loads(call("model", "info", root / "config.json", "--json"))
            keys = len(json.loads((root / "config.json").read_text()))
            print(f"keys: {family}, {keys} of {'to_diff_dict' if use_diff else 'to_dict'}")
            with torch.device("meta"):
                expected = checkpoints.classes(family)[1](config).num_parameters()
            if info["parameters"] != expected or info["dtype"] != "bfloat16":
                failures.append(f"{family}: {info['parameters']} parameters for {expected}")
    return failures


def main():
    transformers.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        failures = read_every_key(root) + compare_parameters(root) + compare_ropes(root)
    if failures:
        sys.exit("\n".join(failures))


main()
