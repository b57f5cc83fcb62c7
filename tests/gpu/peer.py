"""The step that speed.py measures, in transformers: eager, sdpa, fused AdamW; with --lora also peft."""
import argparse
import json
import os
import pathlib
import statistics
import time

import torch
import transformers

SHAPES = pathlib.Path(os.environ["AUTOMODEL_SHARED"]) / "data/configs"
WARM_UP = 3


def build(options):
    config = json.loads((SHAPES / f"{options.shape}.json").read_text())
    config["num_hidden_layers"] = options.layers or config["num_hidden_layers"]
    for key in ("layer_types", "max_window_layers"):
        config.pop(key, None)
    architecture = getattr(transformers, config["architectures"][0])
    settings = architecture.config_class(**config)
    settings._attn_implementation = "sdpa"
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        model = architecture(settings)
    torch.set_default_dtype(torch.float32)
    if options.lora:
        import peft
        model = peft.get_peft_model(model, peft.LoraConfig(
            r=options.lora, lora_alpha=2 * options.lora, target_modules="all-linear", task_type="CAUSAL_LM"),
            autocast_adapter_dtype=options.adapter_dtype == "float32")
        made = {str(p.dtype).removeprefix("torch.") for p in model.parameters() if p.requires_grad}
        assert made == {options.adapter_dtype}, f"peft made adapters in {made}"
    return model


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--shape", default="Qwen--Qwen2-0.5B")
    arguments.add_argument("--layers", type=int)
    arguments.add_argument("--length", type=int, default=1024)
    arguments.add_argument("--micro-batch", type=int, default=16)
    arguments.add_argument("--accumulate", type=int, default=1)
    arguments.add_argument("--steps", type=int, default=10)
    arguments.add_argument("--lora", type=int, default=0)
    arguments.add_argument("--adapter-dtype", choices=["float32", "bfloat16"], default="float32",
                           help="of --lora; float32 is what peft makes by itself of a bfloat16 base")
    options = arguments.parse_args()
    model = build(options)
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=1e-5, weight_decay=0.01, fused=True)
    rates = []
    for _ in range(options.steps):
        torch.cuda.synchronize()
        begin = time.monotonic()
        for _ in range(options.accumulate):
            ids = torch.randint(0, 65536, (options.micro_batch, options.length), device="cuda")
            (model(input_ids=ids, labels=ids, use_cache=False).loss / options.accumulate).backward()
        torch.nn.utils.clip_grad_norm_(trainable, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        torch.cuda.synchronize()
        rates.append(options.micro_batch * options.length * options.accumulate / (time.monotonic() - begin))
    rates = rates[WARM_UP:]
    print(f"transformers {transformers.__version__}: {options.shape}"
          f"{f', {options.layers} layers' if options.layers else ''}{f', LoRA r{options.lora} in {options.adapter_dtype}' if options.lora else ''}, "
          f"{options.micro_batch} x {options.length} x {options.accumulate}: "
          f"{statistics.median(rates):,.0f} tokens/s (from {min(rates):,.0f} to {max(rates):,.0f}), "
          f"peak {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")


if __name__ == "__main__":
    main()
