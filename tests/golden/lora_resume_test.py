"""A LoRA run with dropout: killed and resumed, or with recomputed blocks, it gives the same bits; in other micro-batches the
same numbers."""
import os
import signal

from safetensors.torch import load_file

import bounds
import weights
from checks import Checks
from golden import Workplace, need_golden, without_timing

STEPS, EVERY, KILLED_AT = 14, 4, 9
SETTINGS = ("--step_scheduler.max_steps", str(STEPS), "--step_scheduler.ckpt_every_steps", str(EVERY),
            "--step_scheduler.val_every_steps", "1000", "--peft.dropout", "0.2")


def adapter(work: Workplace):
    return load_file(work.checkpoints / f"epoch_0_step_{STEPS - 1}/model/adapter_model.safetensors")


def same_bits(checks: Checks, what: str, work: Workplace, reference: Workplace):
    expected = {r["step"]: without_timing(r) for r in reference.training()}
    for record in work.training():
        checks.equal(f"{what}: step {record['step']}, to the bit", without_timing(record), expected[record["step"]])
    weights.compare_bits(checks, f"{what}: final adapter", adapter(work), adapter(reference))


os.environ["OMP_NUM_THREADS"] = "1"  # the tensors are tiny; waiting threads cost more than they help
need_golden()
checks = Checks()
for recipe, position in (("lora_llama_fp32", "post"), ("lora_llama", "pre")):
    settings = (*SETTINGS, "--peft.dropout_position", position)
    whole = Workplace(recipe)
    whole.run(*settings)
    dropless = Workplace(recipe)
    dropless.run("--step_scheduler.max_steps", "2", "--step_scheduler.val_every_steps", "1000")
    checks.true(whole.training()[1]["loss"] != dropless.training()[1]["loss"], f"{position}: nothing was dropped")

    killed = Workplace(recipe)
    process = killed.start(*settings)
    reached = killed.wait_for_step(process, KILLED_AT)
    checks.equal("reached its step and was killed", (reached, killed.stop(process, signal.SIGKILL)), (True, -signal.SIGKILL))
    killed.run(*settings)
    checks.true("Resumed: " in killed.console, f"{position}: the run did not resume")
    same_bits(checks, f"{position}, killed and resumed", killed, whole)

    recomputed = Workplace(recipe)
    recomputed.run(*settings, "--distributed.activation_checkpointing", "true")
    same_bits(checks, f"{position}, blocks recomputed", recomputed, whole)

    if recipe.endswith("fp32"):
        split = Workplace(recipe)
        split.run(*settings, "--step_scheduler.local_batch_size", "2")
        for mine, theirs in zip(split.training(), whole.training(), strict=True):
            checks.close("loss in other micro-batches", f"step {mine['step']}", mine["loss"], theirs["loss"],
                         relative=bounds.LOSS)

    # The base under another name is a warning, not another run.
    if recipe.endswith("fp32"):
        killed.run(*settings, "--model.pretrained_model_name_or_path", "inputs/ckpt/../ckpt/tiny-llama")
        checks.true("was trained on inputs/ckpt/tiny-llama; it goes on with" in killed.console and
                    "Resumed: " in killed.console, "a base under another name")

    # A run with other adapters, or without, may not write into that folder.
    for other in (("--peft.dim", "4"), ("--peft", "none")):
        if recipe.endswith("fp32"):
            before = (adapter(killed), len(killed.training()))
            killed.run(*settings, *other, "--step_scheduler.max_steps", "1", expected_status=2)
            checks.true("holds checkpoints of another run" in killed.console, f"{other}: {killed.console[-500:]}")
            weights.compare_bits(checks, f"{other}: the first run's adapter", adapter(killed), before[0])
            checks.equal(f"{other}: lines of training.jsonl", len(killed.training()), before[1])
checks.finish()
