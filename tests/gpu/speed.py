"""Tokens a second of full training or LoRA on random tokens, in a model's real shape and random weights."""
import argparse
import json
import os
import pathlib
import random
import statistics
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import peer_cpu  # noqa: E402

PROGRAM = os.environ["AUTOMODEL_PROGRAM"]
SHAPES = pathlib.Path(os.environ["AUTOMODEL_SHARED"]) / "data/configs"
WARM_UP = 3  # steps that are not counted: allocator, plans of cuDNN and cuBLAS


def write_shard(path: pathlib.Path, num_tokens: int, vocabulary: int):
    """Random ids in the nanoGPT form that docs/formats/nanogpt.md describes."""
    ids = random.Random(1).choices(range(min(vocabulary, 65536)), k=num_tokens)
    header = struct.pack("<4i", 278895051, 1, num_tokens, 2).ljust(1024, b"\0")
    path.write_bytes(header + struct.pack(f"<{num_tokens}H", *ids))


def recipe_text(options, folder: pathlib.Path, config: pathlib.Path) -> str:
    recipe = {
        "recipe": "TrainFinetuneRecipeForNextTokenPrediction",
        "device": options.device,
        "cuda_graphs": {"auto": "auto", "true": True, "false": False}[options.graphs],
        "step_scheduler": {
            "global_batch_size": options.micro_batch * options.accumulate,
            "local_batch_size": options.micro_batch,
            "max_steps": options.steps,
        },
        "model": {
            "_target_": "nemo_automodel.NeMoAutoModelForCausalLM.from_config",
            "config": {"_target_": "transformers.AutoConfig.from_pretrained", "pretrained_model_name_or_path": str(config)},
            "torch_dtype": options.dtype,
        },
        "checkpoint": {"enabled": False, "checkpoint_dir": str(folder / "ckpt")},
        "distributed": {"strategy": "fsdp2", "activation_checkpointing": options.recompute},
        "dataset": {
            "_target_": "nemo_automodel.components.datasets.llm.nanogpt_dataset.NanogptDataset",
            "file_pattern": str(folder / "tokens_*.bin"),
            "seq_len": options.length,
        },
        "optimizer": {"_target_": "torch.optim.AdamW", "lr": 1e-5, "weight_decay": 0.01},
    }
    if options.deterministic:
        recipe["deterministic"] = True
    if options.stochastic_round:
        recipe["optimizer"]["bf16_stochastic_round"] = True
    if options.trace:
        recipe["profile"] = {"file": options.trace, "first_step": WARM_UP + 1}
    if options.lora:
        recipe["peft"] = {"_target_": "nemo_automodel.components._peft.lora.PeftConfig",
                          "target_modules": "*_proj", "dim": options.lora, "alpha": 2 * options.lora}
    return json.dumps(recipe, indent=2)


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--shape", default="Qwen--Qwen2-0.5B",
                           help="a file of the configs folder, without .json, or a shape of tests/bench/peer_cpu.py")
    arguments.add_argument("--graphs", default="auto", choices=("auto", "true", "false"), help="cuda_graphs of the recipe")
    arguments.add_argument("--layers", type=int, help="fewer layers than the shape has")
    arguments.add_argument("--length", type=int, default=1024)
    arguments.add_argument("--micro-batch", type=int, default=16)
    arguments.add_argument("--accumulate", type=int, default=1)
    arguments.add_argument("--steps", type=int, default=10)
    arguments.add_argument("--lora", type=int, default=0, help="rank; 0: full training")
    arguments.add_argument("--dtype", default="bfloat16")
    arguments.add_argument("--device", default="cuda")
    arguments.add_argument("--limit", type=float, default=300, help="seconds for the whole run")
    arguments.add_argument("--trace", help="also write a trace of two steps to this file")
    arguments.add_argument("--recompute", action="store_true")
    arguments.add_argument("--stochastic-round", action="store_true", help="of the optimizer's results")
    arguments.add_argument("--deterministic", action="store_true")
    return arguments


def train(options) -> tuple[list[dict], list[str]]:
    """A run's records, and what it said about CUDA graphs."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        config = (peer_cpu.config_of(options.shape, 49152) if options.shape in peer_cpu.SHAPES
                  else json.loads((SHAPES / f"{options.shape}.json").read_text()))
        config["num_hidden_layers"] = options.layers or config["num_hidden_layers"]
        (folder / "config.json").write_text(json.dumps(config))
        rows = options.micro_batch * options.accumulate * options.steps + 1
        write_shard(folder / "tokens_000000.bin", rows * options.length + 1, config["vocab_size"])
        (folder / "recipe.yaml").write_text(recipe_text(options, folder, folder / "config.json"))
        with (folder / "log").open("wb") as log:
            child = subprocess.Popen([PROGRAM, str(folder / "recipe.yaml")], stderr=log)
            try:
                status = child.wait(options.limit)
            except subprocess.TimeoutExpired:
                child.kill()
                status = f"none within {options.limit} s"
        if status != 0:
            sys.exit(f"status {status}\n{(folder / 'log').read_text()[-3000:]}")
        notes = [line for line in (folder / "log").read_text().splitlines() if "CUDA graphs" in line]
        records = [json.loads(line) for line in (folder / "ckpt/training.jsonl").read_text().splitlines()]
    return records, notes


def main():
    options = parser().parse_args()
    records, notes = train(options)
    rates = [record["tps"] for record in records[WARM_UP:]]
    print(f"{options.shape}{f', {options.layers} layers' if options.layers else ''}"
          f"{f', LoRA r{options.lora}' if options.lora else ''}, {options.dtype}, "
          f"{options.micro_batch} x {options.length} x {options.accumulate}, graphs {options.graphs}: "
          f"{statistics.median(rates):,.0f} tokens/s (from {min(rates):,.0f} to {max(rates):,.0f}), "
          f"peak {max(record['mem'] for record in records):.1f} GiB, loss {records[0]['loss']:.3f} to {records[-1]['loss']:.9f}", *notes, sep="\n  ")


if __name__ == "__main__":
    main()
