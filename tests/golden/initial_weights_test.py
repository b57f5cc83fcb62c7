"""Weights drawn by from_config equal the reference's to the bit: one step at learning rate 0 leaves them as they are."""
from safetensors.torch import load_file

import bounds
import weights
from checks import Checks
from golden import GOLDEN, Workplace, need_golden

need_golden()
checks = Checks()
work = Workplace("pretrain_nanogpt_llama")
work.run("--step_scheduler.max_steps", "1", "--optimizer.lr", "0.0", "--lr_scheduler.min_lr", "0.0")
checks.equal("learning rate of the only step", [r["lr"] for r in work.training()], [0.0])
weights.compare_bits(checks, "initial weights", load_file(work.weights_file("epoch_0_step_0")),
                     load_file(GOLDEN / "pretrain_nanogpt_llama/init_model.safetensors"))

for name in ("lora_llama_fp32", "lora_llama"):
    work = Workplace(name)
    work.run("--step_scheduler.max_steps", "1", "--optimizer.lr", "0.0", "--lr_scheduler.min_lr", "0.0",
             "--step_scheduler.val_every_steps", "1000")
    ours = load_file(work.checkpoints / "epoch_0_step_0/model/adapter_model.safetensors")
    for matrix, theirs in load_file(GOLDEN / name / "init_lora.safetensors").items():
        error = (ours[f"base_model.model.{matrix}"].double() - theirs.double()).abs().max().item()
        checks.close("initial adapters", f"{name}: {matrix}", error, 0.0, absolute=bounds.INITIAL_ADAPTER)
checks.finish()
