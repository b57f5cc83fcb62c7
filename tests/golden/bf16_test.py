"""Two bfloat16 steps on the reference's recorded batches against transformers and torch.optim.AdamW, live: weights stored
in bfloat16 without a master copy, and with a float32 master."""
import torch
from safetensors.torch import load_file

import live
from checks import Checks
from golden import Workplace, need_golden

STEPS, LR = 2, 1e-3

need_golden()
checks = Checks()
for held in (torch.bfloat16, torch.float32):
    work = Workplace("sft_llama_const")
    work.run("--step_scheduler.max_steps", str(STEPS), "--step_scheduler.ckpt_every_steps", "1",
             "--step_scheduler.val_every_steps", "1000", "--model.torch_dtype", "bfloat16",
             "--optimizer.master_weights", str(held == torch.float32).lower())
    start = live.State({name: weight.to(held) for name, weight in load_file(live.MODEL / "model.safetensors").items()})
    live.compare_steps(checks, f"held in {held}", work, start, LR, live.recorded_steps("sft_llama_const", STEPS))
    for name, weight in load_file(work.weights_file(f"epoch_0_step_{STEPS - 1}")).items():
        checks.equal(f"type of {name} in the export", weight.dtype, torch.bfloat16)
checks.finish()
