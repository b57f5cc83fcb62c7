"""Trained models against transformers: token losses of Gemma 3 270M, masked words of bert-base-uncased, sentence vectors of
all-MiniLM-L6-v2. Needs AUTOMODEL_REAL_MODELS: a folder that ../shared/real-models/build has filled."""
import json
import os
import pathlib
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file

from program import call, skip

TEXTS = ["The quick brown fox jumps over the lazy dog, and the dog does not mind.",
         "In 1969 two people walked on the Moon while a third stayed in orbit around it.",
         "Water boils at 100 degrees Celsius at sea level; on a mountain it boils earlier.",
         "She sold her old bicycle and bought a train ticket to Lisbon."]
MASKED = ["Paris is the [MASK] of France.", "The cat sat on the [MASK].", "He drank a cup of [MASK] before work.",
          "Two plus two is [MASK]."]


def forward(folder, model, ids, *options):
    (folder / "ids.json").write_text(json.dumps(ids))
    call("model", "forward", "-m", model, "--ids", folder / "ids.json", "-o", folder / "out.safetensors", *options)
    return load_file(folder / "out.safetensors")


def padded(ids, fill):
    longest = max(map(len, ids))
    return {"input_ids": torch.tensor([row + [fill] * (longest - len(row)) for row in ids]),
            "attention_mask": torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids])}


def load(cls, model):
    return cls.from_pretrained(model, dtype=torch.float32, attn_implementation="eager").eval()


def token_losses(logits, ids):
    table = torch.log_softmax(logits[: len(ids) - 1].double(), dim=-1)
    return -table.gather(1, torch.tensor(ids[1:])[:, None])[:, 0]


def gemma(folder, models):
    """Largest error of a token's loss; the mean; tokens whose likeliest successor differs."""
    model = models / "gemma-3-270m-q4_k_m-fp32"
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    reference = load(transformers.AutoModelForCausalLM, model)
    ours = forward(folder, model, ids)["logits"]
    error, total, count, differ = 0.0, 0.0, 0, 0
    for row, tokens in enumerate(ids):
        theirs = reference(input_ids=torch.tensor([tokens])).logits[0].detach()
        losses = token_losses(theirs, tokens)
        error = max(error, float((token_losses(ours[row], tokens) - losses).abs().max()))
        differ += int((ours[row, : len(tokens)].argmax(-1) != theirs.argmax(-1)).sum())
        total, count = total + float(losses.sum()), count + len(losses)
    print(f"Gemma 3 270M: mean loss {total / count:.4f} over {count} tokens, largest error of one {error:.1e}, "
          f"likeliest token differs at {differ}")
    return error < 1e-4 and differ == 0


def bert(folder, models):
    """The five likeliest words of each gap, with their probabilities."""
    model = models / "bert-base-uncased-mlm-fp32"
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    ids = [tokenizer(text)["input_ids"] for text in MASKED]
    with torch.no_grad():
        theirs = load(transformers.BertForMaskedLM, model)(**padded(ids, 0)).logits
    ours = forward(folder, model, ids)["logits"]
    fine, error = True, 0.0
    for row, tokens in enumerate(ids):
        gap = tokens.index(tokenizer.mask_token_id)
        error = max(error, float((ours[row, : len(tokens)] - theirs[row, : len(tokens)]).abs().max()))
        ours_best, theirs_best = (logits[row, gap].softmax(-1).topk(5) for logits in (ours, theirs))
        fine = fine and bool((ours_best.indices == theirs_best.indices).all())
        fine = fine and float((ours_best.values - theirs_best.values).abs().max()) < 1e-5
        print(f"bert-base-uncased: {MASKED[row]} " + ", ".join(
            f"{tokenizer.decode([word])} {share:.3f}" for word, share in zip(ours_best.indices, ours_best.values)))
    print(f"bert-base-uncased: largest error of a logit {error:.1e}")
    return fine and error < 1e-3


def mini_lm(folder, models):
    """Vectors of unit length, by the mean over tokens."""
    model = models / "all-MiniLM-L6-v2"
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    inputs = padded(ids, 0)
    with torch.no_grad():
        hidden = load(transformers.BertModel, model)(**inputs).last_hidden_state
    mask = inputs["attention_mask"].unsqueeze(-1)
    theirs = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)
    ours = torch.nn.functional.normalize(forward(folder, model, ids, "--pooling", "mean")["embedding"], dim=-1)
    error = float((ours - theirs).abs().max())
    print(f"all-MiniLM-L6-v2: largest error of a unit vector's number {error:.1e}")
    return error < 1e-5


def main():
    if not os.environ.get("AUTOMODEL_REAL_MODELS"):
        skip("AUTOMODEL_REAL_MODELS is not set (a folder that ../shared/real-models/build has filled)")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    models = pathlib.Path(os.environ["AUTOMODEL_REAL_MODELS"]).resolve() / "models"
    with tempfile.TemporaryDirectory() as name:
        failed = [check.__name__ for check in (gemma, bert, mini_lm) if not check(pathlib.Path(name), models)]
    if failed:
        sys.exit(f"differ from transformers: {', '.join(failed)}")


if __name__ == "__main__":
    main()
