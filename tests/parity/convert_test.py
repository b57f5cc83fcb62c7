"""`checkpoint convert` of encoders, classifiers, embeddings and quantised checkpoints: every tensor comes back under its name to
the bit, transformers loads the folder with nothing missing or left over and computes the same; other types of numbers are
torch's; FP8 blocks and MXFP4 become transformers' dequantised values; what cannot be written right is refused.

convert_test.py [PATTERN]: only the cases whose name holds PATTERN.
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

import checkpoints
import heads_test
import moe_test
import moe_variants
import quantized_test
import variants
from heads_test import ENCODERS
from program import call, fails

TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
SIZE = 40_000


def head_variants():
    """Each head of each encoder, each classifier and some embeddings."""
    chosen = [heads_test.Variant(family, head, "plain") for family in ENCODERS
              for head in ("MaskedLM", "SequenceClassification", "Model")]
    for family in [*variants.FAMILIES, *moe_variants.FAMILIES]:
        if heads_test.classified(family):
            chosen.append(heads_test.Variant(family, "SequenceClassification", "3-labels", {"num_labels": 3, "pad_token_id": 0}))
    return chosen + [heads_test.Variant(family, "Model", "plain") for family in ("llama", "qwen3", "gpt2")]


def weights_in(folder):
    return {name: value for file in folder.glob("*.safetensors") for name, value in load_file(file).items()}


def convert(source, target, *words):
    call("checkpoint", "convert", source, target, *words)
    return weights_in(target)


def loaded(cls, folder, **options):
    model, info = cls.from_pretrained(folder, output_loading_info=True, **options)
    left = {what: sorted(map(str, names)) for what, names in info.items() if names and what != "error_msgs"}
    return model.eval(), f"transformers: {left}" if left else ""


def outputs(model):
    """What the model computes of two rows."""
    ids = torch.tensor([[(5 * i * i + 3 * i + 11 * r) % 89 + 8 for i in range(20)] for r in range(2)])
    with torch.no_grad():
        out = model(input_ids=ids)
    return out.logits if hasattr(out, "logits") else out.last_hidden_state


def wrong_types(source, target, before):
    """"" when the numbers in other types are torch's, else what is wrong."""
    for name, dtype in TYPES.items():
        after = convert(source, target / name, "--dtype", name)
        wrong = [key for key, value in before.items() if not torch.equal(after[key], value.to(dtype))
                 or after[key].dtype != (torch.float32 if "correction" in key else dtype)]
        config = json.loads((target / name / "config.json").read_text())
        if set(after) != set(before) or wrong or config["dtype"] != name:
            return f"{name}: {wrong[:4]}, config.json says {config['dtype']}"
    return ""


def check_head(variant, root):
    """"" when the checkpoint comes back, else what is wrong."""
    source, target = root / variant.key, root / (variant.key + "-out")
    heads_test.save(variant, source)
    before = load_file(source / "model.safetensors")
    after = convert(source, target, "--max-shard-size", f"{SIZE}B")
    if len(list(target.glob("*.safetensors"))) < 2:
        return "is one file"
    too_large = [file.name for file in target.glob("*.safetensors") if len(load_file(file)) > 1
                 and sum(value.nbytes for value in load_file(file).values()) > SIZE]
    if too_large:
        return f"files over {SIZE} bytes: {too_large}"
    if set(before) != set(after):
        return f"tensors differ in {sorted(set(before) ^ set(after))[:4]}"
    changed = [name for name in before if before[name].dtype != after[name].dtype or not torch.equal(before[name], after[name])]
    if changed:
        return f"{len(changed)} tensors changed: {changed[:4]}"
    if (source / "config.json").read_bytes() != (target / "config.json").read_bytes():
        return "config.json changed"
    cls = heads_test.model_class(variant)[1]
    options = {"dtype": torch.float32, "attn_implementation": "eager"}
    (model, wrong), (original, _) = loaded(cls, target, **options), loaded(cls, source, **options)
    if wrong or not torch.equal(outputs(model), outputs(original)):
        return wrong or "other logits"
    return wrong_types(source, target, before) if variant.family in (*ENCODERS, "llama", "glm4_moe") else ""


def check_quantised(key, sizes, quantise, how, root):
    """"" when transformers' dequantised values are written, else what is wrong."""
    variant = next(variant for variant in moe_variants.all_variants() if variant.key == key)
    variant.config = {**variant.config, **sizes}
    source = root / ("quantised-" + key)
    moe_test.save(variant, source)
    quantise(source)
    stored = json.loads((source / "config.json").read_text())["dtype"]
    for words, name in [((), stored), (("--dtype", "bf16"), "bfloat16"), (("--dtype", "float32"), "float32")]:
        target = root / f"quantised-{key}-{'-'.join(words)}"
        convert(source, target, *words)
        config = json.loads((target / "config.json").read_text())
        if "quantization_config" in config or config["dtype"] != name:
            return f"config.json says {config.get('quantization_config')}, {config['dtype']}"
        model, wrong = loaded(moe_test.classes(variant)[1], target, dtype=TYPES[name])
        theirs = quantized_test.dequantised(variant, source, how, TYPES[name]).state_dict()
        theirs |= {tensor: value for tensor, value in load_file(source / "model.safetensors").items() if "correction" in tensor}
        changed = [tensor for tensor, value in model.state_dict().items() if not torch.equal(value, theirs[tensor])]
        if wrong or changed:
            return wrong or f"{name}: {len(changed)} tensors differ: {changed[:4]}"
    return ""


def check_refused(root):
    """"" when what cannot be written right is refused by name, else what is wrong. Scales of a layer that the model leaves out are
    read like all others; numbers beyond float16 are told, whatever they were stored as."""
    variant = next(variant for variant in moe_variants.all_variants() if variant.key == "glm4_moe-plain")
    variant.config = {**variant.config, **quantized_test.CASES["glm4_moe-plain"][0]}
    source = root / "source"
    moe_test.save(variant, source)
    quantized_test.to_fp8_blocks(source)
    file = source / "model.safetensors"
    weights = load_file(file)
    extra, scales = "model.layers.46.eh_proj.weight", "model.layers.46.eh_proj.weight_scale_inv"
    used = next(name for name in weights if name.endswith("_scale_inv"))
    eight = torch.ones(32, 32).to(torch.float8_e4m3fn)
    cases = {
        "smaller blocks": ({extra: eight, scales: torch.ones(4, 4)}, (), "expected [2, 2] floating numbers"),
        "too few scales": ({extra: eight, scales: torch.ones(1, 2)}, (), "expected [2, 2] floating numbers"),
        "scales of bytes": ({extra: eight, scales: torch.ones(2, 2, dtype=torch.uint8)}, (), "expected [2, 2] floating numbers"),
        "no scales": ({extra: eight}, (), "has no scales"),
        "beyond float16": ({used: weights[used] * 1e9}, ("--dtype", "float16"), "beyond 65,504"),
    }
    for name, (changed, words, message) in cases.items():
        save_file(weights | changed, file, metadata={"format": "pt"})
        said = fails("checkpoint", "convert", source, root / "target", *words)
        if message not in said or (root / "target").exists():
            return f"{name}: {said}"
    save_file(weights | {extra: eight, scales: torch.full((2, 2), 3.0)}, file, metadata={"format": "pt"})
    if not torch.equal(convert(source, root / "target", "--dtype", "float32")[extra], torch.full((32, 32), 3.0)):
        return "other numbers in a layer that the model leaves out"
    config = json.loads((source / "config.json").read_text())
    del config["quantization_config"]
    (source / "config.json").write_text(json.dumps(config))
    said = fails("checkpoint", "convert", source, root / "unsaid")
    return "" if "quantization_config" in said else f"no quantization_config: {said}"


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    pattern, failed = sys.argv[1] if len(sys.argv) > 1 else "", []
    checks = {variant.key: (check_head, variant) for variant in head_variants()}
    checks |= {"quantised-" + key: (check_quantised, key, *case) for key, case in quantized_test.CASES.items()}
    checks["refused"] = (check_refused,)
    for name, (check, *words) in checks.items():
        if pattern not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            wrong = check(*words, pathlib.Path(folder))
        print(f"{name:48} {wrong or 'as expected'}", flush=True)
        failed += [name] if wrong else []
    if failed:
        sys.exit(f"not as expected: {', '.join(failed)}")


if __name__ == "__main__":
    main()
