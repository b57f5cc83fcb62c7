"""Stopped after ten steps and started again: lines are appended, and equal those of the reference's resumed run."""
import layout
import recipe_test
from checks import Checks
from golden import GOLDEN, Workplace, need_golden, read_jsonl, without_timing

need_golden()
checks = Checks()
reference = GOLDEN / "resume_sft_llama_const"
work = Workplace("sft_llama_const")
work.run("--step_scheduler.max_steps", "10")
checks.equal("steps of the first run", [r["step"] for r in work.training()], list(range(10)))
work.run("--step_scheduler.max_steps=20")

for file, ours in (("training.jsonl", work.training()), ("validation.jsonl", work.validation())):
    recipe_test.compare_records(checks, file, ours, read_jsonl(reference / file))
layout.compare(checks, reference / "layout.txt", work.checkpoints)

uninterrupted = Workplace("sft_llama_const")
uninterrupted.run()
for mine, whole in zip(work.training(), uninterrupted.training(), strict=True):
    checks.equal("resumed against uninterrupted, to the bit", without_timing(mine), without_timing(whole))
checks.equal("final weights, to the bit", work.weights_file("epoch_0_step_19").read_bytes() ==
             uninterrupted.weights_file("epoch_0_step_19").read_bytes(), True)
checks.finish()
