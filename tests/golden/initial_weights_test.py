"""Weights drawn by from_config equal the reference's to the bit: one step at learning rate 0 leaves them as they are."""
from safetensors.torch import load_file

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
checks.finish()
