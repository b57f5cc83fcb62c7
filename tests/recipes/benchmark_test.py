"""The benchmark recipe: its summary's numbers agree with each other, with the steps' own times and with the model's cost."""
import json
import pathlib
import sys
import tempfile

import tiny
from program import call, fails, run

STEPS, WARM_UP, BATCH, LENGTH, PEAK = 6, 2, 4, 64, 0.5


def near(got, expected, what):
    if abs(got - expected) > 1e-6 * abs(expected):
        sys.exit(f"{what}: {got}, expected {expected}")


def check(folder):
    tiny.save_model("qwen3_moe", folder / "model")
    recipe = {
        "recipe": "TrainFinetuneRecipeForNextTokenPrediction", "device": "cpu",
        "benchmark": {"warmup_steps": WARM_UP, "peak_tflops": PEAK, "nsys_start": -1, "nsys_end": -1, "nsys_ranks": []},
        "step_scheduler": {"global_batch_size": BATCH, "local_batch_size": 2, "max_steps": STEPS},
        "model": {"_target_": "nemo_automodel.NeMoAutoModelForCausalLM.from_config",
                  "config": str(folder / "model/config.json"), "torch_dtype": "float32",
                  "backend": {"_target_": "nemo_automodel.components.models.common.BackendConfig",
                              "fake_balanced_gate": True}},
        "checkpoint": {"checkpoint_dir": str(folder / "run")},
        "dataset": {"_target_": "nemo_automodel.components.datasets.llm.mock_iterable_dataset.MockIterableDataset",
                    "seq_len": LENGTH, "num_samples": 100},
        "dataloader": {"batch_size": None},
    }
    file = folder / "recipe.yaml"
    file.write_text(json.dumps(recipe))
    summary_file = folder / "times.json"
    done = run("benchmark", "llm", "-c", file, "--benchmark.json_output_path", summary_file)
    if done.returncode != 0:
        sys.exit(done.stderr[-2000:])
    assert "experts take tokens in turn" in done.stderr and "Average MFU: " in done.stderr, done.stderr
    got = json.loads(summary_file.read_text())
    steps = [json.loads(line) for line in (folder / "run/benchmark/training.jsonl").read_text().splitlines()]
    assert len(steps) == STEPS and (got["total_steps"], got["warmup_steps"], got["training_steps"]) == (6, 2, 4), got
    assert (got["global_batch_size"], got["local_batch_size"], got["seq_len"], got["world_size"]) == (4, 2, LENGTH, 1), got
    assert all(step["num_tokens_per_step"] == BATCH * (LENGTH - 1) for step in steps), steps
    seconds = [step["num_tokens_per_step"] / step["tps"] for step in steps]
    near(got["warmup_time_seconds"], sum(seconds[:WARM_UP]), "warm-up")
    near(got["training_time_seconds"], sum(seconds[WARM_UP:]), "timed steps")
    near(got["avg_iter_time_seconds"], sum(seconds[WARM_UP:]) / (STEPS - WARM_UP), "average")
    near(got["avg_mfu_percent"], 100 * got["tflops_per_gpu"] / PEAK, "MFU")
    cost = json.loads(call("model", "info", folder / "model", "--length", LENGTH, "--json"))["flops_per_token"]
    near(got["tflops_per_gpu"] * got["avg_iter_time_seconds"], 1e-12 * cost * BATCH * LENGTH, "FLOPs of a step")
    again = run("benchmark", "llm", "-c", file, "--benchmark.json_output_path", summary_file)
    assert again.returncode == 0 and json.loads(summary_file.read_text())["training_steps"] == STEPS - WARM_UP, again.stderr
    assert not list((folder / "run").rglob("epoch_*")), "a benchmark saves a checkpoint"
    assert "leaves no step to time" in fails("benchmark", "llm", "-c", file, "--benchmark.warmup_steps", STEPS)
    print(f"average step {got['avg_iter_time_seconds']:.4f} s, {got['avg_mfu_percent']:.3f} % of {PEAK} TFLOP/s")


def main():
    with tempfile.TemporaryDirectory() as name:
        check(pathlib.Path(name))


main()
