"""What a run exported loads in transformers with no missing or unexpected key and gives the same logits."""
import json
import subprocess

import torch
import transformers
from safetensors.torch import load_file

import bounds
from checks import Checks
from golden import PROGRAM, Workplace, need_golden

need_golden()
checks = Checks()
for name in ("sft_llama_const", "sft_qwen3_cosine"):  # an untied head and a tied one
    work = Workplace(name)
    work.run("--step_scheduler.max_steps", "3", "--step_scheduler.val_every_steps", "1000")
    folder = work.checkpoints / "epoch_0_step_2/model/consolidated"

    model, info = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        checks.equal(f"{name}: {kind}", sorted(info[kind]), [])
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = [tokenizer("Natalia sold clips to 48 of her friends.")["input_ids"], tokenizer("How many?")["input_ids"]]

    (work.folder / "ids.json").write_text(json.dumps(ids))
    subprocess.run([PROGRAM, "model", "forward", "-m", folder, "--ids", work.folder / "ids.json", "-o",
                    work.folder / "out.safetensors"], check=True)
    ours = load_file(work.folder / "out.safetensors")["logits"]
    for row, tokens in enumerate(ids):
        with torch.no_grad():
            theirs = model.eval()(torch.tensor([tokens])).logits[0]
        error = (ours[row, : len(tokens)] - theirs).abs().max().item()
        checks.close("logits", f"{name} row {row}", error, 0.0, absolute=bounds.LOGIT)
checks.finish()
