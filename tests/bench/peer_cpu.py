"""Training on the CPU beside transformers + torch in one run: tokens a second, peak memory, time to the first step.

Both load the same checkpoint of a Llama shape and train it on random tokens with fused AdamW and the same threads, one
after the other, a row of 512 tokens a step. The limit is what torch's own matrix products alone would take, measured in between.
"""
import argparse
import datetime
import json
import math
import os
import pathlib
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("AUTOMODEL_PROGRAM") or str(ROOT / "build/release/automodel")
LENGTH = int(os.environ.get("PEER_LENGTH", "512"))  # tokens of a row
WARM_UP = 2
STARTS = 5  # of each side

SHAPES = {
    "30M": {"hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 8, "num_attention_heads": 6,
            "num_key_value_heads": 6},
    "135M": {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
             "num_key_value_heads": 3},
    # Qwen3-MoE: 32 M parameters without the embedding, 10 M of them active. Shown best with a small vocabulary.
    "moe-30M": {"architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "hidden_size": 384,
                "intermediate_size": 1024, "num_hidden_layers": 6, "num_attention_heads": 6, "num_key_value_heads": 6,
                "head_dim": 64, "moe_intermediate_size": 256, "num_experts": 16, "num_experts_per_tok": 4,
                "norm_topk_prob": True},
    # Nemotron-H: Mamba-2 and MLPs, one layer of attention.
    "mamba2-30M": {"architectures": ["NemotronHForCausalLM"], "model_type": "nemotron_h", "hidden_size": 512,
                   "intermediate_size": 1536, "layers_block_type": ["linear_attention", "mlp"] * 6 + ["full_attention"],
                   "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 64, "mamba_num_heads": 16,
                   "mamba_head_dim": 64, "n_groups": 1, "ssm_state_size": 128, "num_hidden_layers": 13},
    # Qwen3.5: gated DeltaNet in six layers of eight.
    "deltanet-30M": {"architectures": ["Qwen3_5ForCausalLM"], "model_type": "qwen3_5_text", "hidden_size": 512,
                     "intermediate_size": 1280, "num_hidden_layers": 8, "num_attention_heads": 8, "num_key_value_heads": 2,
                     "head_dim": 64, "linear_num_key_heads": 4, "linear_num_value_heads": 8, "linear_key_head_dim": 128,
                     "linear_value_head_dim": 128},
}
# The mixers by themselves: the same layers with next to nothing else.
SHAPES["mamba2-mixers"] = SHAPES["mamba2-30M"] | {"layers_block_type": ["linear_attention"] * 12, "num_hidden_layers": 12}
SHAPES["deltanet-mixers"] = SHAPES["deltanet-30M"] | {"layer_types": ["linear_attention"] * 8, "intermediate_size": 16}


def config_of(shape: str, vocabulary: int) -> dict:
    llama = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "mlp_bias": False}
    names = {} if SHAPES[shape].get("model_type") == "nemotron_h" else {"rope_theta": 10000.0, "hidden_act": "silu"}
    return {**names, **({} if "model_type" in SHAPES[shape] else llama), **SHAPES[shape], "vocab_size": vocabulary,
            "tie_word_embeddings": True, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "attention_bias": False,
            "initializer_range": 0.02, "bos_token_id": 0, "eos_token_id": 0}


def ids_in(config_folder: pathlib.Path) -> int:
    """Token ids are drawn below this: what 16 bits hold of the vocabulary."""
    return min(json.loads((config_folder / "config.json").read_text())["vocab_size"], 49152)


def recipe(folder: pathlib.Path, dtype: str, steps: int) -> dict:
    return {
        "recipe": "TrainFinetuneRecipeForNextTokenPrediction", "device": "cpu",
        "step_scheduler": {"global_batch_size": 1, "local_batch_size": 1, "max_steps": steps},
        "model": {"_target_": "nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained",
                  "pretrained_model_name_or_path": str(folder / "model"), "torch_dtype": dtype},
        "checkpoint": {"enabled": False, "checkpoint_dir": str(folder / "ckpt")},
        "dataset": {"_target_": "nemo_automodel.components.datasets.llm.nanogpt_dataset.NanogptDataset",
                    "file_pattern": str(folder / "tokens_*.bin"), "seq_len": LENGTH},
        "optimizer": {"_target_": "torch.optim.AdamW", "lr": 1e-4, "weight_decay": 0.01},
    }


def after_warm_up(rates: list) -> float:
    return statistics.median(rates[WARM_UP:]) if len(rates) > WARM_UP else math.nan


def measure_ours(folder: pathlib.Path, dtype: str, steps: int, environment: dict) -> dict:
    ids = random.Random(1).choices(range(ids_in(folder / "model")), k=steps * LENGTH + LENGTH + 1)
    (folder / "tokens_000000.bin").write_bytes(
        struct.pack("<4i", 278895051, 1, len(ids), 2).ljust(1024, b"\0") + struct.pack(f"<{len(ids)}H", *ids))
    (folder / "recipe.yaml").write_text(json.dumps(recipe(folder, dtype, steps)))
    begin = time.time()
    child = subprocess.Popen([PROGRAM, str(folder / "recipe.yaml")], stdout=subprocess.DEVNULL,
                             stderr=(folder / "log").open("wb"), env=environment)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit((folder / "log").read_text()[-2000:])
    records = [json.loads(line) for line in (folder / "ckpt/training.jsonl").read_text().splitlines()]
    first = records[0]
    written = datetime.datetime.fromisoformat(first["timestamp"].replace("Z", "+00:00")).timestamp()
    return {"rate": after_warm_up([r["tps"] for r in records]), "peak_gib": usage.ru_maxrss / 2**20,
            "start": written - LENGTH / first["tps"] - begin}


def measure_peer(folder: pathlib.Path, dtype: str, steps: int, environment: dict) -> dict:
    begin = time.time()
    done = subprocess.run([sys.executable, __file__, "--peer", str(folder / "model"), "--dtypes", dtype,
                           "--steps", str(steps)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(done.stderr[-2000:])
    result = json.loads(done.stdout)
    return {**result, "start": result["first_step_at"] - begin}


def median_starts(folder: pathlib.Path, dtype: str, environment: dict) -> tuple[float, float]:
    """Seconds from a process's start to the begin of its first step: ours, theirs. Each side's starts follow one another,
    as a user's do: on a virtual machine the first start after others freed much memory also waits for the host's pages."""
    ours, theirs = [], []
    for _ in range(STARTS):
        theirs.append(measure_peer(folder, dtype, 0, {**environment, "PEER_LIMIT": "0"})["start"])
    for _ in range(STARTS):
        shutil.rmtree(folder / "ckpt", ignore_errors=True)
        ours.append(measure_ours(folder, dtype, 1, environment)["start"])
    return statistics.median(ours), statistics.median(theirs)


def make_checkpoint(config_file: str, dtype_name: str):
    """Random weights in `model` beside the file, made in a process of its own: also loads both sides' files once."""
    import torch
    import transformers
    values = json.loads(pathlib.Path(config_file).read_text())
    config = transformers.CONFIG_MAPPING[values["model_type"]](**values)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype_name))
    model.save_pretrained(pathlib.Path(config_file).parent / "model")


def peer(model_folder: str, dtype_name: str, steps: int):
    """The other side, in a process of its own."""
    import resource
    import torch
    import transformers
    dtype = getattr(torch, dtype_name)
    config = transformers.AutoConfig.from_pretrained(model_folder)
    # Its own choice is sdpa where the family has it; that leaves out a softcap of the scores.
    softcap = getattr(config, "attn_logit_softcapping", None)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        model_folder, dtype=dtype, **({"attn_implementation": "eager"} if softcap else {}))
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
    first_step_at = time.time()
    rates = []
    vocabulary = ids_in(pathlib.Path(model_folder))
    for _ in range(steps):
        begin = time.monotonic()
        ids = torch.randint(0, vocabulary, (1, LENGTH))
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        rates.append(LENGTH / (time.monotonic() - begin))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    result = {"rate": after_warm_up(rates), "peak_gib": peak, "first_step_at": first_step_at}
    if os.environ.get("PEER_LIMIT") != "0":
        result["gemm_rate"] = gemm_limit(json.loads((pathlib.Path(model_folder) / "config.json").read_text()), dtype)
    print(json.dumps(result))


def gemm_limit(config: dict, dtype) -> float:
    """Tokens a second if a step were its matrix products alone, each timed by itself in this process."""
    import torch
    d, f, v = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    kv = d // config["num_attention_heads"] * config["num_key_value_heads"]
    layers = config.get("num_hidden_layers") or len(config["layers_block_type"])
    seconds = 0.0
    # rows, outputs, inputs, how many of a kind; experts have an equal share of the tokens
    mlp = [(LENGTH, 2 * f, d, layers), (LENGTH, d, f, layers)]
    if experts := config.get("num_experts") or config.get("num_local_experts"):
        f = config["moe_intermediate_size"]
        rows = LENGTH * config["num_experts_per_tok"] // experts
        mlp = [(rows, 2 * f, d, layers * experts), (rows, d, f, layers * experts), (LENGTH, experts, d, layers)]
    for rows, out, inner, count in [(LENGTH, d + 2 * kv, d, layers), (LENGTH, d, d, layers), *mlp, (LENGTH, v, d, 1)]:
        x, w, dy = (torch.randn(s, dtype=dtype) for s in ((rows, inner), (out, inner), (rows, out)))
        for product in (lambda: x @ w.t(), lambda: dy @ w, lambda: dy.t() @ x):
            product()
            times = []
            for _ in range(5):
                begin = time.monotonic()
                product()
                times.append(time.monotonic() - begin)
            seconds += count * statistics.median(times)
    return LENGTH / seconds


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--shapes", nargs="+", default=list(SHAPES))
    arguments.add_argument("--vocabularies", nargs="+", type=int, default=[49152, 151936])
    arguments.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    arguments.add_argument("--steps", type=int, default=WARM_UP + 5, help="of which the first two are not counted")
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments.add_argument("--peer", help=argparse.SUPPRESS)
    arguments.add_argument("--make", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.make:
        return make_checkpoint(options.make, options.dtypes[0])
    if options.peer:
        return peer(options.peer, options.dtypes[0], options.steps)
    environment = {**os.environ, "AUTOMODEL_RUNS": "none", "OMP_NUM_THREADS": str(options.threads), "MKL_NUM_THREADS": str(options.threads)}
    print(f"{options.threads} threads; medians of {options.steps - WARM_UP} steps; ours / transformers")
    print("| shape | vocabulary | type | tokens/s | times | of the GEMM limit | peak GiB | times | to first step, s | times |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for shape in options.shapes:
        for vocabulary in options.vocabularies:
            for dtype in options.dtypes:
                with tempfile.TemporaryDirectory() as name:
                    folder = pathlib.Path(name)
                    (folder / "config.json").write_text(json.dumps(config_of(shape, vocabulary)))
                    subprocess.run([sys.executable, __file__, "--make", str(folder / "config.json"), "--dtypes", dtype],
                                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    theirs = measure_peer(folder, dtype, options.steps, environment)
                    ours = measure_ours(folder, dtype, options.steps, environment)
                    our_start, their_start = median_starts(folder, dtype, environment)
                print(f"| {shape} | {vocabulary} | {dtype} | {ours['rate']:.0f} / {theirs['rate']:.0f} | "
                      f"{ours['rate'] / theirs['rate']:.2f} | {ours['rate'] / theirs['gemm_rate']:.2f} | "
                      f"{ours['peak_gib']:.2f} / {theirs['peak_gib']:.2f} | {ours['peak_gib'] / theirs['peak_gib']:.2f} | "
                      f"{our_start:.2f} / {their_start:.2f} | {our_start / their_start:.2f} |", flush=True)


if __name__ == "__main__":
    main()
