"""A golden recipe, unchanged: recipe_test.py NAME. Every step, validation, console line, file and final weight."""
import json
import re
import sys

import bounds
import layout
import live_lora
import weights
from checks import Checks
from golden import GOLDEN, Workplace, need_golden, read_jsonl

LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| INFO \| \S+ \| (.*)")
NUMBERS = {"loss": bounds.LOSS, "grad_norm": bounds.GRAD_NORM, "lr": bounds.LEARNING_RATE, "val_loss": bounds.VAL_LOSS}
# In bfloat16 other kernels round otherwise, and twenty steps carry that far: live_lora.py compares with PEFT on this machine.
COMPUTED_IN_BF16 = {"lora_llama": {"lr": bounds.LEARNING_RATE}}
COUNTS = ("step", "epoch", "num_label_tokens", "num_tokens_per_step")


def compare_records(checks: Checks, file: str, ours: list[dict], reference: list[dict], numbers=NUMBERS):
    checks.equal(f"{file}: steps in order", [r["step"] for r in ours], [r["step"] for r in reference])
    for mine, theirs in zip(ours, reference):
        where = f"{file} step {theirs['step']}"
        checks.equal(f"{where}: keys", list(mine), list(theirs))
        for key in COUNTS:
            checks.equal(f"{where}: {key}", mine.get(key), theirs.get(key))
        for key, bound in numbers.items():
            if key in theirs:
                checks.close(key, where, mine.get(key, float("nan")), theirs[key], relative=bound)
        checks.true(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", mine.get("timestamp", "")),
                    f"{where}: timestamp {mine.get('timestamp')!r} is not ISO-8601 UTC with milliseconds")
        for key in ("mem", "tps", "tps_per_gpu"):
            if key in theirs:
                checks.true(isinstance(mine.get(key), (int, float)) and mine[key] >= 0, f"{where}: {key} is {mine.get(key)!r}")
        if "mfu" in theirs:
            checks.true(mine.get("mfu") is None or mine["mfu"] > 0, f"{where}: mfu is {mine.get('mfu')!r}")


def training_line(r: dict) -> str:
    return (f"step {r['step']} | epoch {r['epoch']} | loss {r['loss']:.4f} | grad_norm {r['grad_norm']:.4f} | "
            f"lr {r['lr']:.2e} | mem {r['mem']:.2f} GiB | tps {r['tps']:.2f}({r['tps_per_gpu']:.2f}/gpu) | "
            f"num_label_tokens {r['num_label_tokens']}")


def validation_line(r: dict) -> str:
    return (f"[val] name \"default\" | step {r['step']} | epoch {r['epoch']} | loss {r['val_loss']:.4f} | "
            f"lr {r['lr']:.2e} | num_label_tokens {r['num_label_tokens']}")


def metric_lines(console: str) -> list[str]:
    texts = (LOG_LINE.fullmatch(line.rstrip()) for line in console.splitlines())
    return [t.group(1) for t in texts if t and re.match(r"(step \d|\[val\] )", t.group(1))]


def in_order(training: list[dict], validation: list[dict]) -> list[str]:
    due = {}
    for record in validation:
        due.setdefault(record["step"], []).append(validation_line(record))
    lines = []
    for record in training:
        lines += [training_line(record), *due.get(record["step"], [])]
    return lines


def compare_summary(checks: Checks, console: str, their_console: str):
    for what in ("Trainable parameters", "Total parameters", "Trainable parameters percentage"):
        line = re.compile(rf"\| {what}: (\S+)")
        checks.equal(what, line.findall(console), line.findall(their_console))


def main(name: str):
    need_golden()
    checks = Checks()
    reference = GOLDEN / name
    work = Workplace(name)
    console = work.run()

    ours, theirs = work.training(), read_jsonl(reference / "training.jsonl")
    numbers = COMPUTED_IN_BF16.get(name, NUMBERS)
    compare_records(checks, "training.jsonl", ours, theirs, numbers)
    our_val, their_val = work.validation(), read_jsonl(reference / "validation.jsonl")
    compare_records(checks, "validation.jsonl", our_val, their_val, numbers)

    # The reference's own console proves the form (its progress bar swallowed a few lines); ours must show every number.
    shown = metric_lines((reference / "console.log").read_text())
    checks.true(len(shown) > len(theirs) / 2, "the reference's console holds too few lines to prove the form")
    checks.equal("the form of the reference's console lines", shown,
                 [line for line in in_order(theirs, their_val) if line in shown])
    our_lines, due = metric_lines(console), in_order(ours, our_val)
    checks.equal("number of console lines", len(our_lines), len(due))
    for mine, expected in zip(our_lines, due):
        if mine.startswith("step "):  # ours goes on with how far the run is
            step = int(mine.split()[1]) + 1
            end = re.fullmatch(rf"(.*) \| step {step} of {len(theirs)}, [0-9.e+-]+ s a step, [0-9a-z ]+ left", mine)
            checks.true(end, f"console line without its progress: {mine}")
            mine = end.group(1) if end else mine
        checks.equal("console line", mine, expected)

    layout.compare(checks, reference / "layout.txt", work.checkpoints)

    final = f"epoch_{theirs[-1]['epoch']}_step_{theirs[-1]['step']}"
    losses = json.loads((work.checkpoints / final / "losses.json").read_text())
    their_losses = json.loads((reference / "final/losses.json").read_text())
    checks.equal("losses.json: keys", list(losses), list(their_losses))
    if name in COMPUTED_IN_BF16:
        checks.equal("losses.json", list(losses.values()), [ours[-1]["loss"], our_val[-1]["val_loss"]])
    else:
        for key, value in their_losses.items():
            checks.close("losses.json", key, losses.get(key, float("nan")), value, relative=bounds.LOSS)
    checks.equal("config.yaml, byte for byte", (work.checkpoints / final / "config.yaml").read_bytes().decode(),
                 (reference / "final/config.yaml").read_bytes().decode())

    if (reference / "final/adapter").exists():
        weights.compare_adapter(checks, work, reference, final, None if name in COMPUTED_IN_BF16 else bounds.WEIGHT_TRAVEL)
        compare_summary(checks, console, (reference / "console.log").read_text())
    else:
        weights.compare_final(checks, work, reference, final)
    if name in COMPUTED_IN_BF16:
        live_lora.compare(checks, work, name, final)
    checks.finish()


if __name__ == "__main__":
    main(sys.argv[1])
