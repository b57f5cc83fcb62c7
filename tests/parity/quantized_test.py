"""Checkpoints with quantised weights: FP8 blocks and MXFP4 load to transformers' own dequantised values (logits, loss and every
gradient), and a training run saves them as plain numbers with a config.json that says so.
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
from forward_test import gradient_error, norm
from moe_variants import all_variants
from program import call
from round_trip_test import RECIPE, write_tokens

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


# OCP Microscaling Formats 1.0: magnitudes of the eight codes of E2M1; the fourth bit is the sign.
E2M1 = torch.tensor([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])


def to_mxfp4(folder):
    """Rewrites the experts as 4-bit codes with a power of two for each 32 of them, as GPT-OSS's files are."""
    weights, quantised = load_file(folder / "model.safetensors"), {}
    for name, tensor in weights.items():
        if not name.endswith(("gate_up_proj", "down_proj")):
            quantised[name] = tensor
            continue
        blocks = tensor.transpose(1, 2).unflatten(-1, (-1, 32))
        exponents = blocks.abs().amax(-1).log2().floor() - 2  # the largest code is 1.5 * 2^2
        scaled = blocks / exponents.exp2()[..., None]
        codes = (scaled.abs()[..., None] - E2M1).abs().argmin(-1) + 8 * (scaled < 0)
        quantised[name + "_blocks"] = (codes[..., 0::2] + 16 * codes[..., 1::2]).to(torch.uint8)
        quantised[name + "_scales"] = (exponents + 127).to(torch.uint8)
    save_file({name: tensor.contiguous() for name, tensor in quantised.items()}, folder / "model.safetensors",
              metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {
        "quant_method": "mxfp4",
        "modules_to_not_convert": ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]}
    (folder / "config.json").write_text(json.dumps(config))


# variant, what it needs to be quantised, how that is done, how transformers undoes it
CASES = {
    "qwen3_moe-plain": (dict(moe_intermediate_size=32), to_fp8_blocks, lambda: transformers.FineGrainedFP8Config(dequantize=True)),
    "glm4_moe-plain": (dict(moe_intermediate_size=32), to_fp8_blocks, lambda: transformers.FineGrainedFP8Config(dequantize=True)),
    "deepseek_v3-plain": (dict(moe_intermediate_size=32, q_lora_rank=32, kv_lora_rank=32, qk_nope_head_dim=16, qk_rope_head_dim=16,
                               v_head_dim=16), to_fp8_blocks, lambda: transformers.FineGrainedFP8Config(dequantize=True)),
    "gpt_oss-plain": (dict(hidden_size=64, intermediate_size=96), to_mxfp4, lambda: transformers.Mxfp4Config(dequantize=True)),
}


def dequantised(variant, folder, how, dtype):
    return moe.classes(variant)[1].from_pretrained(folder, dtype=dtype, attn_implementation="eager",
                                                   experts_implementation="eager", quantization_config=how()).to(dtype)


def compare(variant, folder, how):
    """Errors of logits, loss and the worst gradient."""
    ids, labels = moe.checkpoints.make_rows(variant)
    (folder / "ids.json").write_text(json.dumps(ids))
    call("model", "forward", "-m", folder, "--ids", folder / "ids.json", "-o", folder / "ours.safetensors", "--grads",
         "--dtype", "float32")
    ours = load_file(folder / "ours.safetensors")
    model = moe.make_model(variant)  # never quantised: its gradients can be saved
    model.load_state_dict(dequantised(variant, folder, how, torch.float32).state_dict())
    logits, loss, gradients, *_ = moe.run(model, ids, labels)
    reference = moe.as_in_files(model, gradients, folder / "gradients")
    assert {"grad." + name for name in reference} == {name for name in ours if name.startswith("grad.")}
    whole = norm(reference)
    return {"logits_max_abs": float((ours["logits"] - logits).abs().max()),
            "loss_relative": abs(float(ours["loss"] - loss) / float(loss)),
            "grad_relative_norm": max(gradient_error(ours["grad." + name], g, whole) for name, g in reference.items())}, len(reference)


def saved(variant, folder, how):
    """"" when a run that learns nothing saves the dequantised values in bfloat16, else what is wrong."""
    write_tokens(folder / "tokens.bin")
    recipe = RECIPE.format(model=folder, folder=folder, root=folder).replace("torch_dtype: float32", "torch_dtype: bfloat16")
    (folder / "recipe.yaml").write_text(recipe)
    call("pretrain", "llm", "-c", folder / "recipe.yaml")
    exported = next((folder / "ckpt").glob("epoch_*_step_*")) / "model" / "consolidated"
    config = json.loads((exported / "config.json").read_text())
    if "quantization_config" in config or config["dtype"] != "bfloat16":
        return "config.json still says that the weights are quantised"
    ours, info = moe.classes(variant)[1].from_pretrained(exported, dtype=torch.bfloat16, output_loading_info=True)
    if info["missing_keys"] or info["unexpected_keys"]:
        return f"transformers: {info}"
    theirs = dequantised(variant, folder, how, torch.bfloat16).state_dict()
    changed = [name for name, tensor in ours.state_dict().items()
               if not torch.equal(tensor, theirs[name]) and "correction" not in name]
    return f"{len(changed)} tensors differ: {changed[:4]}" if changed else ""


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    bounds, failed = moe.BOUNDS["float32"], []
    for key, (sizes, quantise, how) in CASES.items():
        variant = next(variant for variant in all_variants() if variant.key == key)
        variant.config = {**variant.config, **sizes}
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            moe.save(variant, folder)
            quantise(folder)
            errors, count = compare(variant, folder, how)
            wrong = saved(variant, folder, how)
            print(f"{key} {quantise.__name__}: " + ", ".join(f"{what} {error:.2e}" for what, error in errors.items())
                  + f" ({count} gradients); {wrong or 'saved as bfloat16'}", flush=True)
            if wrong or any(error > bounds[what] for what, error in errors.items()):
                failed.append(key)
    if failed:
        sys.exit(f"fail: {', '.join(failed)}")


if __name__ == "__main__":
    main()
