"""Checkpoints with quantised weights: FP8 blocks load to transformers' own dequantised values (logits and gradients of a
tiny model), and are saved as plain numbers with a config.json that says so.
"""
import json
import os
import pathlib
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
import transformers
from safetensors.torch import load_file, save_file

import moe_test as moe
from moe_variants import all_variants
from program import call

BLOCK = 16


def to_fp8_blocks(folder):
    """Rewrites the projections of a checkpoint as float8 with a scale for each block; the last blocks are cut short."""
    weights, quantised = load_file(folder / "model.safetensors"), {}
    for name, tensor in weights.items():
        if "_proj" not in name or tensor.dim() != 2:
            quantised[name] = tensor
            continue
        rows, columns = tensor.shape
        assert rows % BLOCK == 0 and columns % BLOCK == 0, name  # transformers reads no other
        blocks = tensor.view(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK)
        scales = blocks.abs().amax((1, 3)) / 448
        quantised[name] = (blocks / scales[:, None, :, None]).view(rows, columns).to(torch.float8_e4m3fn)
        quantised[name + "_scale_inv"] = scales
    save_file(quantised, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    layers = range(config["num_hidden_layers"])
    config["quantization_config"] = {
        "quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic", "weight_block_size": [BLOCK, BLOCK],
        "modules_to_not_convert": ["lm_head", "model.embed_tokens", *(f"model.layers.{i}.mlp.gate" for i in layers)]}
    (folder / "config.json").write_text(json.dumps(config))


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    bounds = moe.BOUNDS["float32"]
    for key in ("qwen3_moe-plain", "glm4_moe-plain"):
        variant = next(variant for variant in all_variants() if variant.key == key)
        variant.config = {**variant.config, "moe_intermediate_size": 32}
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            moe.save(variant, folder)
            to_fp8_blocks(folder)
            ids, labels = moe.checkpoints.make_rows(variant)
            (folder / "ids.json").write_text(json.dumps(ids))
            call("model", "forward", "-m", folder, "--ids", folder / "ids.json", "-o", folder / "ours.safetensors",
                 "--grads", "--dtype", "float32")
            model = moe.classes(variant)[1].from_pretrained(
                folder, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager",
                quantization_config=transformers.FineGrainedFP8Config(dequantize=True))
            ours = load_file(folder / "ours.safetensors")
            logits = moe.run(model, ids, labels)[0]
            error = float((ours["logits"] - logits).abs().max())
            print(f"{key}: FP8 blocks, logits {error:.2e}")
            if error > bounds["logits_max_abs"]:
                sys.exit(f"{key}: logits differ by {error}")


main()
