"""`model info` of real sizes: counts, whole and by kind, equal those of transformers' models on the meta device, for every
config under ../shared/data/configs; and the sizes that authors have published. Needs no engine and reads no weights."""
import collections
import json
import os
import pathlib
import sys
import tempfile

import torch
import transformers

from program import ROOT, fails, call, skip

CONFIGS = pathlib.Path(os.environ.get("AUTOMODEL_SHARED", ROOT.parent / "shared")) / "data/configs"
# Models that see, or of layers that are not known here.
UNKNOWN = ("DeepseekV4ForCausalLM", "GlmMoeDsaForCausalLM", "Qwen2_5_VLForConditionalGeneration",
           "Qwen2VLForConditionalGeneration", "Qwen3_5MoeForConditionalGeneration", "Qwen3_5ForConditionalGeneration",
           "Qwen3VLForConditionalGeneration", "Qwen3VLMoeForConditionalGeneration")
BILLION, GIB = 1e9, 2**30


def kind_of(name, module):
    """The kind of one of transformers' parameters, by its name and its module's class."""
    for mark, kind in (("embed_tokens", "embedding"), ("lm_head", "head"), ("shared_expert", "shared_experts"),
                       (".experts.", "experts"), (".mlp.gate.", "router"), (".router.", "router")):
        if mark in name:
            return kind
    if "Norm" in type(module).__name__:
        return "norms"
    return "attention" if ".self_attn." in name else "mlp"


def count(config):
    """Parameters of transformers' model by kind, tied ones once."""
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    counts = collections.Counter()
    for path, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            counts[kind_of(f"{path}.{name}", module)] += parameter.numel()
    if config.tie_word_embeddings:
        del counts["head"]
    assert counts.total() == sum(parameter.numel() for parameter in model.parameters())
    return dict(counts)


def compare_with_transformers():
    failures = []
    for path in sorted(CONFIGS.glob("*.json")) + sorted(CONFIGS.glob("toy/*/config.json")):
        name = path.stem if path.stem != "config" else path.parent.name
        text = json.loads(path.read_text())
        if text["architectures"][0] in UNKNOWN:
            if text["architectures"][0] not in fails("model", "info", path):
                failures.append(f"{name}: refused without its name")
            continue
        info = json.loads(call("model", "info", path, "--json"))
        text.pop("quantization_config", None)  # sizes do not depend on it
        text.pop("auto_map", None)
        expected = count(transformers.CONFIG_MAPPING[text["model_type"]](**text))
        print(f"{name}: {info['parameters']:,} parameters, {info['active_parameters']:,} a token")
        if info["parameters_by_kind"] != expected or info["parameters"] != sum(expected.values()):
            failures.append(f"{name}: {info['parameters_by_kind']} for {expected}")
        if sum(info["active_parameters_by_kind"].values()) != info["active_parameters"]:
            failures.append(f"{name}: active parameters by kind do not add up")
    return failures


def with_changes(name, **changes):
    return json.loads((CONFIGS / f"{name}.json").read_text()) | changes


def published():
    """name, config, what was published of it, where"""
    yield "Mixtral 8x7B", with_changes("mistralai--Mixtral-8x7B-v0.1"), {"parameters": 46.7, "active": 12.9}, (
        "mistral.ai/news/mixtral-of-experts: 46.7B total parameters, 12.9B a token")
    yield "Qwen3-30B-A3B", with_changes("Qwen--Qwen3-30B-A3B"), {
        "parameters": 30.5, "without_tables": 29.9, "active": 3.3}, "model card"
    yield "Qwen3-235B-A22B", with_changes(
        "Qwen--Qwen3-30B-A3B", hidden_size=4096, num_hidden_layers=94, num_attention_heads=64, num_key_value_heads=4,
        intermediate_size=12288, moe_intermediate_size=1536, max_window_layers=94), {
        "parameters": 235, "without_tables": 234, "active": 22}, "model card"
    yield "Qwen3-8B", with_changes("Qwen--Qwen3-8B"), {"parameters": 8.2, "without_tables": 6.95}, "model card"
    yield "Qwen2.5-7B", with_changes("Qwen--Qwen2.5-7B-Instruct"), {"parameters": 7.61, "without_tables": 6.53}, "model card"
    yield "DeepSeek-V3", with_changes("deepseek-ai--DeepSeek-V3"), {"parameters": 671, "active_matrices": 37}, (
        "arXiv:2412.19437: 671B total parameters, 37B activated for each token")
    yield "gpt-oss-20b", with_changes("openai--gpt-oss-20b"), {
        "parameters": 20.91, "mlp": 19.12, "attention": 0.64, "tables": 1.16, "active_matrices": 3.61, "gib": 12.8}, (
        "arXiv:2508.10925, table 1")
    yield "gpt-oss-120b", with_changes(
        "openai--gpt-oss-20b", num_hidden_layers=36, num_local_experts=128,
        layer_types=["sliding_attention", "full_attention"] * 18), {
        "parameters": 116.83, "mlp": 114.71, "attention": 0.96, "tables": 1.16, "active_matrices": 5.13, "gib": 60.8}, (
        "arXiv:2508.10925, table 1")


def figures(info):
    """What cards give, in billions. A lookup in the table of embeddings is no work: some do not count it as active."""
    kinds, active = info["parameters_by_kind"], info["active_parameters_by_kind"]
    tables = kinds["embedding"] + kinds.get("head", 0)
    return {"parameters": info["parameters"] / BILLION, "active": info["active_parameters"] / BILLION,
            "active_matrices": (info["active_parameters"] - active["embedding"]) / BILLION,
            "without_tables": (info["parameters"] - tables) / BILLION, "tables": tables / BILLION,
            "attention": kinds["attention"] / BILLION,
            "mlp": sum(kinds.get(kind, 0) for kind in ("mlp", "experts", "router")) / BILLION,
            "gib": info["checkpoint_bytes"] / GIB}


def shows(card, ours):
    """Whether a figure on a card, rounded or cut, can be ours."""
    last = 10.0 ** -len(str(card).partition(".")[2])
    return card - last / 2 <= ours < card + last


def compare_with_cards(root):
    failures = []
    for name, config, card, source in published():
        path = root / "config.json"
        path.write_text(json.dumps(config))
        ours = figures(json.loads(call("model", "info", path, "--json")))
        print(f"{name}: " + ", ".join(f"{key} {ours[key]:.3f} for {value}" for key, value in card.items()))
        failures += [f"{name}: {key} {ours[key]:.4f}, published {value} ({source})" for key, value in card.items()
                     if not shows(value, ours[key])]
    return failures


def main():
    transformers.logging.set_verbosity_error()
    if not CONFIGS.exists():
        skip("../shared/data/configs is absent")
    with tempfile.TemporaryDirectory() as name:
        failures = compare_with_transformers() + compare_with_cards(pathlib.Path(name))
    if failures:
        sys.exit("\n".join(failures))


main()
