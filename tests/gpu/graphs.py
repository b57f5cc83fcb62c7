"""Golden recipes with CUDA graphs and without: every number and the final weights are equal to the bit."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))
from checks import Checks
from golden import Workplace, need_golden, without_timing

import speed

RECIPES = ("sft_llama_const", "sft_qwen3_cosine", "chat_llama", "pretrain_nanogpt_llama", "lora_llama_fp32", "lora_llama")


def ran(recipe: str, graphs: str, *overrides: str) -> Workplace:
    work = Workplace(recipe)
    work.run("--device", "cuda", "--cuda_graphs", graphs, *overrides)
    return work


def weights(work: Workplace) -> dict[str, bytes]:
    return {str(path.relative_to(work.checkpoints)): path.read_bytes() for path in sorted(work.checkpoints.rglob("*.safetensors"))}


need_golden()
checks = Checks()
CASES = {recipe: (recipe, ()) for recipe in RECIPES} | {
    "dropout": ("lora_llama_fp32", ("--peft.dropout", "0.1")),
    "packed": ("sft_llama_const", ("--packed_sequence.packed_sequence_size", "512")),
}
for name, (recipe, overrides) in CASES.items():
    plain = ran(recipe, "false", *overrides)
    for graphs in ("true", "auto"):
        replayed = ran(recipe, graphs, *overrides)
        lines = [line for line in replayed.console.splitlines() if "CUDA graphs" in line]
        print(*lines, sep="\n")
        if graphs == "true":
            checks.true(any("captured and replayed" in line for line in lines), f"{name}: nothing was captured")
        checks.equal(f"{name}, cuda_graphs {graphs}: training", [without_timing(r) for r in replayed.training()],
                     [without_timing(r) for r in plain.training()])
        checks.equal(f"{name}, cuda_graphs {graphs}: validation", [without_timing(r) for r in replayed.validation()],
                     [without_timing(r) for r in plain.validation()])
        checks.true(weights(replayed) == weights(plain), f"{name}, cuda_graphs {graphs}: the weights differ")
    checks.true(weights(plain), f"{name}: no weights were written")

# The backward of cuDNN's attention adds in any order.
steps = {}
for graphs in ("false", "true"):
    options = speed.parser().parse_args(["--shape", "30M", "--length", "512", "--micro-batch", "8", "--accumulate", "2",
                                         "--deterministic", "--graphs", graphs])
    steps[graphs] = [without_timing(record) for record in speed.train(options)[0]]
checks.equal("30M, bfloat16, deterministic", steps["true"], steps["false"])

checks.finish()
