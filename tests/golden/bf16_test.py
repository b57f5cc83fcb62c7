"""Two bfloat16 steps on the reference's recorded batches against transformers and torch.optim.AdamW, live: weights stored
in bfloat16 without a master copy, and with a float32 master."""
import json

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

import bounds
from checks import Checks
from golden import GOLDEN, Workplace, need_golden

STEPS, LR = 2, 1e-3
SETTINGS = ("--step_scheduler.max_steps", str(STEPS), "--step_scheduler.val_every_steps", "1000",
            "--model.torch_dtype", "bfloat16")


def recorded_steps() -> list[list[dict]]:
    """The micro-batches of the first two steps, whose tensors are recorded in full."""
    rows = [json.loads(line) for line in (GOLDEN / "sft_llama_const/batches.jsonl").open()]
    return [[row for row in rows if row["step"] == step] for step in range(STEPS)]


def torch_run(master: bool) -> tuple[list[float], dict[str, torch.Tensor]]:
    """Losses of the steps and the weights after them. Gradients add up in float32; clipping is at 1."""
    model = AutoModelForCausalLM.from_pretrained(GOLDEN / "inputs/ckpt/tiny-llama", dtype=torch.bfloat16)
    named = dict(model.named_parameters())
    held = {name: p.detach().float().clone() if master else p.detach().clone() for name, p in named.items()}
    optimizer = torch.optim.AdamW(held.values(), lr=LR, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    losses = []
    for micro_batches in recorded_steps():
        labels_in_step = sum(sum(label != -100 for label in row) for mb in micro_batches for row in mb["labels"])
        grads = {name: torch.zeros_like(p, dtype=torch.float32) for name, p in named.items()}
        total = 0.0
        for mb in micro_batches:
            logits = model(torch.tensor(mb["input_ids"])).logits.float()
            loss = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), torch.tensor(mb["labels"]).flatten(), ignore_index=-100, reduction="sum")
            model.zero_grad()
            (loss / labels_in_step).backward()
            total += loss.item() / labels_in_step
            for name, p in named.items():
                grads[name] += p.grad.float()
        losses.append(total)
        norm = torch.sqrt(sum((g.double() ** 2).sum() for g in grads.values())).item()
        for name, value in held.items():
            value.grad = (grads[name] if master else grads[name].bfloat16()) * min(1.0, 1.0 / (norm + 1e-6))
        optimizer.step()
        with torch.no_grad():
            for name, p in named.items():
                p.copy_(held[name])
    return losses, {name: p.detach().clone() for name, p in named.items()}


need_golden()
checks = Checks()
for master in (False, True):
    what = "float32 master" if master else "no master"
    losses, weights = torch_run(master)
    work = Workplace("sft_llama_const")
    work.run(*SETTINGS, "--optimizer.master_weights", str(master).lower())
    for record, loss in zip(work.training(), losses, strict=True):
        checks.close(f"loss, {what}", f"step {record['step']}", record["loss"], loss, relative=bounds.BF16_LOSS)
    start = load_file(GOLDEN / "inputs/ckpt/tiny-llama/model.safetensors")
    [folder] = work.checkpoints.glob(f"epoch_*_step_{STEPS - 1}")
    ours = load_file(work.weights_file(folder.name))
    for name, theirs in weights.items():
        checks.equal(f"type of {name}", ours[name].dtype, torch.bfloat16)
        travel = (theirs.float() - start[name].bfloat16().float()).norm().item()
        distance = (ours[name].float() - theirs.float()).norm().item()
        checks.close(f"weights / travel, {what}", name, distance / max(travel, 1e-12), 0.0, absolute=bounds.BF16_TRAVEL)
checks.finish()
