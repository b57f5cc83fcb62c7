"""The config.json of released models, of the shared data and of transformers' own defaults: read with the number of parameters
that transformers gives them, or refused for a stated reason. Needs no engine.

published_test.py [PATTERN]: only those whose name holds PATTERN; prints what is said of each.
"""
import collections
import json
import os
import pathlib
import sys
import tempfile

import torch
import transformers

import heads_test
import moe_variants
from program import ROOT, run
from published_configs import PUBLISHED, REMOTE
from variants import FAMILIES

SHARED = pathlib.Path(os.environ.get("AUTOMODEL_SHARED", ROOT.parent / "shared"))
# Keys that a file may hold without a word, and that nobody reads: of these a warning must tell.
TOLD = {"google/gemma-2-9b-it": ["sliding_window_size"], "MiniMaxAI/MiniMax-M2": [],
        "Qwen/Qwen3-Coder-480B-A35B-Instruct": ["qkv_bias", "use_qk_norm", "shared_expert_intermediate_size"],
        "LGAI-EXAONE/EXAONE-4.0-32B": []}
MULTIMODAL = "with pictures or sound"


def shared_configs():
    """config.json files, and those of data/configs, which are called otherwise."""
    files = sorted({*SHARED.rglob("config.json"), *(SHARED / "data" / "configs").glob("*.json")})
    for path in files:
        config = json.loads(path.read_text())
        if "model_type" in config:
            yield str(path.relative_to(SHARED)), config


def default_configs():
    classes = {transformers.CONFIG_MAPPING[kind] for kind in (*FAMILIES, *heads_test.ENCODERS)}
    classes |= {getattr(transformers, names[0]) for names in moe_variants.FAMILIES.values()}
    for config_class in sorted(classes, key=lambda one: one.model_type):
        config = config_class(dtype="bfloat16")
        # Defaults with which transformers itself cannot build the model.
        if getattr(config, "num_key_value_heads", 0) is None:
            config.num_key_value_heads = config.num_attention_heads
        if getattr(config, "head_dim", 0) is None:
            config.head_dim = config.hidden_size // config.num_attention_heads
        if config.hidden_size % config.num_attention_heads and not hasattr(config, "head_dim"):
            config.head_dim = 128
        if getattr(config, "num_experts_per_tok", 0) is None:
            config.num_experts_per_tok = 2
        values = json.loads(config.to_json_string(use_diff=False))
        yield f"defaults of {config.model_type}", values


def model_class(config):
    """transformers' class for a config; None where it has none for text."""
    kind = transformers.CONFIG_MAPPING[config["model_type"]]
    name = (config.get("architectures") or [""])[0]
    mapping = transformers.MODEL_FOR_MASKED_LM_MAPPING if name.endswith("MaskedLM") or config["model_type"] in heads_test.ENCODERS \
        else transformers.MODEL_FOR_CAUSAL_LM_MAPPING
    if name.endswith("Model") and not name.endswith("LMHeadModel"):
        mapping = transformers.MODEL_MAPPING
    return kind, mapping.get(kind, None) if kind in mapping else None


def parameters(config):
    """transformers' count; None where it has no class for text of this kind."""
    if config["model_type"] not in transformers.CONFIG_MAPPING or "vision_config" in config:
        return None
    plain = {key: value for key, value in config.items() if key != "quantization_config"}
    plain = json.loads(json.dumps(plain), object_hook=lambda o: float(o["__float__"]) if set(o) == {"__float__"} else o)
    kind, architecture = model_class(plain)
    if architecture is None:
        return None
    with torch.device("meta"):
        built = architecture._from_config(kind.from_dict(plain))
    # The pooler of an encoder is not used; corrections of routers are no parameters here.
    left_out = ("pooler.", "e_score_correction_bias")
    return sum(parameter.numel() for name, parameter in built.named_parameters() if not any(part in name for part in left_out))


def check(name, config, path):
    """How the file ended, and what is wrong with that."""
    path.write_text(json.dumps(config))
    done = run("model", "info", path, "--json")
    told = done.stderr.replace(str(path), "config.json")
    if done.returncode != 0:
        reason = told.strip().splitlines()[-1]
        if "is not implemented; known" in reason:
            return "refused: no such family", ""
        return "refused", f"{name}: {reason}"
    for key in TOLD.get(name, []):
        if f'"{key}"' not in told:
            return "accepted", f"{name}: no word of {key}: {told}"
    if name in TOLD and not TOLD[name] and "WARNING" in told:
        return "accepted", f"{name}: {told}"
    expected, ours = parameters(config), json.loads(done.stdout)["parameters"]
    if expected is not None and expected != ours:
        return "accepted", f"{name}: {ours} parameters, transformers has {expected}"
    return ("accepted with a warning" if "WARNING" in told else "accepted") + ("" if expected else ", no class"), ""


def main():
    transformers.logging.set_verbosity_error()
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    sources = {"published": {**PUBLISHED, **REMOTE}.items(), "defaults": default_configs(),
               "shared": shared_configs() if SHARED.is_dir() else []}
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        for source, configs in sources.items():
            ends = collections.Counter()
            for name, config in configs:
                if pattern not in name:
                    continue
                end, wrong = check(name, config, pathlib.Path(folder) / "config.json")
                ends[end] += 1
                failures += [wrong] if wrong else []
                if pattern:
                    print(f"{name}: {end}")
            print(f"{source:10} {sum(ends.values()):3}: " + ", ".join(f"{count} {end}" for end, count in sorted(ends.items())))
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
