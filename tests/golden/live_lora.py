"""A LoRA run in bfloat16 against PEFT on this machine: two steps from the reference's initial adapters, and the validation loss
at the end of the whole run."""
import json

import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

import bounds
import live
from golden import GOLDEN, Workplace

STEPS, LR, ROWS = 2, 0.005, 4
LORA = {"r": 8, "lora_alpha": 32}


def validation_batches() -> list[dict]:
    """Question, a space, answer; the answer is learnt. The reference's length of a prompt counts the begin token that its
    tokenizer would add."""
    tokenizer = AutoTokenizer.from_pretrained(live.MODEL)
    rows = []
    for line in (GOLDEN / "inputs/data/gsm8k_val.jsonl").open():
        row = json.loads(line)
        ids = tokenizer(f"{row['question']} {row['answer']}")["input_ids"]
        prompt = len(tokenizer(row["question"])["input_ids"]) + 1
        rows.append((ids[:-1], [live.IGNORE] * (prompt - 1) + ids[prompt:]))
    batches = [rows[begin:begin + ROWS] for begin in range(0, len(rows), ROWS)]
    longest = [max(len(ids) for ids, _ in batch) for batch in batches]
    return [{"input_ids": [ids + [tokenizer.pad_token_id] * (length - len(ids)) for ids, _ in batch],
             "labels": [labels + [live.IGNORE] * (length - len(labels)) for _, labels in batch]}
            for batch, length in zip(batches, longest)]


def compare(checks, whole: Workplace, name: str, final: str):
    first = Workplace(name)
    first.run("--step_scheduler.max_steps", str(STEPS), "--step_scheduler.ckpt_every_steps", "1",
              "--step_scheduler.val_every_steps", "1000")
    start = live.State(load_file(GOLDEN / name / "init_lora.safetensors"))
    live.compare_steps(checks, "adapters", first, start, LR, live.recorded_steps(name, STEPS), LORA)
    for record, other in zip(first.training(), whole.training()):
        checks.equal("loss of the short run and of the whole", record["loss"], other["loss"])

    batches, record = validation_batches(), whole.validation()[-1]
    checks.equal("label tokens of the validation", record["num_label_tokens"], live.num_labels(batches))
    peer = live.Peer(torch.float32, LORA)
    peer.set(live.State.left_by(whole.checkpoints / final).weights)
    with torch.no_grad():
        loss = sum(peer.loss(batch).item() for batch in batches) / live.num_labels(batches)
    checks.close("validation loss, from float32's", final, record["val_loss"], loss, relative=bounds.BF16_LOSS)
