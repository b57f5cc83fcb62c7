"""A training step of every family on the CPU beside transformers in one run: the checkpoints of tests/parity, grown to about
30 million parameters, a row of 512 random tokens a step, as peer_cpu.py trains them.

peer_families.py [FAMILY...]
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "parity"))
import torch
import transformers

import checkpoints
import families
import moe_test
import moe_variants
import peer_cpu
import variants

VOCABULARY = 4096
SIZES = dict(variants.SIZES, vocab_size=VOCABULARY, hidden_size=512, intermediate_size=1536, num_hidden_layers=8,
             num_attention_heads=8, num_key_value_heads=2, pad_token_id=0, max_position_embeddings=2048, initializer_range=0.02,
             tie_word_embeddings=True)
# What a family's tiny config has, grown; without effect where it has no such key.
GROWN = dict(
    n_embd=512, n_layer=8, n_head=8, n_positions=2048, num_attention_heads=8, head_dim=64, max_position_embeddings=2048,
    sliding_window=256, query_pre_attn_scalar=64, attention_chunk_size=256, num_experts=16, num_local_experts=16,
    n_routed_experts=16, moe_num_experts=16, num_experts_per_tok=4, moe_k=4, moe_topk=4, moe_intermediate_size=160,
    shared_expert_intermediate_size=160, shared_intermediate_size=1536, intermediate_size_mlp=1536, kv_lora_rank=128,
    q_lora_rank=192, qk_nope_head_dim=32, qk_rope_head_dim=32, v_head_dim=64, linear_num_key_heads=4,
    linear_num_value_heads=8, linear_key_head_dim=64, linear_value_head_dim=64, mamba_d_ssm=1024, mamba_n_heads=16,
    mamba_num_heads=16, mamba_head_dim=64, mamba_d_head=64, mamba_d_state=64, ssm_state_size=64)
# Their experts have the width that elsewhere is the MLP's.
NARROW = ("mixtral", "olmoe", "granitemoe", "minimax_m2", "hunyuan_v1_moe", "gpt_oss", "llama4_text")


def repeated(value, layers):
    return (value * layers)[:layers]


def config_of(family):
    """The config of about 30 million parameters."""
    has_experts = family in moe_variants.FAMILIES
    own = moe_variants.FAMILIES[family][2] if has_experts else variants.FAMILIES[family]
    values = {**(families.OWN_SIZES.get(family) or SIZES), **own}
    for key in set(values) & set(GROWN):
        if values[key] is not None:
            values[key] = GROWN[key]
    if family in families.OWN_SIZES:
        values["vocab_size"] = VOCABULARY
    if family in NARROW:
        values["intermediate_size"] = 160
    if "kv_lora_rank" in values:
        values["num_key_value_heads"] = values["num_attention_heads"]
    layers = 8
    for key in ("layer_types", "layers_block_type", "no_rope_layers"):
        if isinstance(values.get(key), list):
            values[key] = repeated(values[key], layers)
    values = {key: value for key, value in values.items() if value is not None}
    config_class = moe_test.classes(variants.Variant(family, "speed"))[0] if has_experts else checkpoints.classes(family)[0]
    return config_class(**json.loads(json.dumps(values)))


def model_class(family):
    if family in moe_variants.FAMILIES:
        return moe_test.classes(variants.Variant(family, "speed"))[1]
    return checkpoints.classes(family)[1]


def measure(family, steps, environment):
    """Millions of parameters; tokens a second, here and there."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = model_class(family)._from_config(config_of(family), dtype=torch.float32)
        model.save_pretrained(folder / "model")
        if family in families.ARCHITECTURES:  # transformers saves another name
            path = folder / "model/config.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | {"architectures": [families.ARCHITECTURES[family]]}))
        size = sum(parameter.numel() for parameter in model.parameters()) / 1e6
        del model
        theirs = peer_cpu.measure_peer(folder, "float32", steps, environment)
        ours = peer_cpu.measure_ours(folder, "float32", steps, environment)
    return size, ours["rate"], theirs["rate"]


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    every = [*variants.FAMILIES, *(family for family in moe_variants.FAMILIES if family not in variants.FAMILIES)]
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("families", nargs="*", default=every, help="of tests/parity; all without any")
    arguments.add_argument("--steps", type=int, default=peer_cpu.WARM_UP + 5, help="of which the first two are not counted")
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = arguments.parse_args()
    environment = {**os.environ, "AUTOMODEL_RUNS": "none", "OMP_NUM_THREADS": str(options.threads),
                   "MKL_NUM_THREADS": str(options.threads), "PEER_LIMIT": "0"}
    print(f"{options.threads} threads; medians of {options.steps - peer_cpu.WARM_UP} steps; float32; ours / transformers")
    print("| family | million parameters | tokens/s | times |\n| --- | --- | --- | --- |")
    for family in options.families:
        size, ours, theirs = measure(family, options.steps, environment)
        print(f"| {family} | {size:.0f} | {ours:.0f} / {theirs:.0f} | {ours / theirs:.2f} |", flush=True)


if __name__ == "__main__":
    main()
