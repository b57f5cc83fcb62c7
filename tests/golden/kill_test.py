"""SIGKILL at five random steps of one run: it resumes by itself each time, and ends as if nothing had happened."""
import datetime
import random
import re
import signal
import time

from checks import Checks
from golden import Workplace, need_golden, without_timing

STEPS, EVERY = 40, 4
SETTINGS = ("--step_scheduler.max_steps", str(STEPS), "--step_scheduler.ckpt_every_steps", str(EVERY))


def newest_checkpoint(work: Workplace) -> int:
    """Step of the newest published checkpoint, -1 when there is none."""
    names = [re.fullmatch(r"epoch_\d+_step_(\d+)", path.name) for path in work.checkpoints.iterdir() if path.is_dir()]
    return max((int(name.group(1)) for name in names if name), default=-1)


def seconds_a_step(work: Workplace) -> float:
    first, last = (datetime.datetime.fromisoformat(work.training()[i]["timestamp"].replace("Z", "+00:00")) for i in (0, -1))
    return (last - first).total_seconds() / (len(work.training()) - 1)


need_golden()
checks = Checks()
uninterrupted = Workplace("sft_llama_const")
uninterrupted.run(*SETTINGS)
expected = {r["step"]: without_timing(r) for r in uninterrupted.training()}

chance = random.Random(20261120)
pause = seconds_a_step(uninterrupted)
work = Workplace("sft_llama_const")
next_step = 0
for _ in range(5):
    step = next_step + chance.randrange(1, 6)
    process = work.start(*SETTINGS)
    seen = len(work.training()) if work.checkpoints.exists() else 0
    reached = work.wait_for_step(process, step, after=seen)
    time.sleep(chance.uniform(0.0, pause))  # anywhere in a step, or in the middle of a checkpoint
    status = work.stop(process, signal.SIGKILL)
    checks.equal(f"reached step {step} and was killed there", (reached, status), (True, -signal.SIGKILL))
    records = work.training()
    checks.equal(f"first step of the run that was killed at {step}", records[seen]["step"], next_step)
    next_step = newest_checkpoint(work) + 1
    print(f"killed after step {records[-1]['step']}, newest checkpoint {next_step - 1}")

seen = len(work.training())
work.run(*SETTINGS)
records = work.training()
checks.equal("first step of the last run", records[seen]["step"], next_step)
checks.equal("last step", records[-1]["step"], STEPS - 1)
for record in records:
    checks.equal("a step of the killed run, to the bit", without_timing(record), expected[record["step"]])
their_val = {r["step"]: without_timing(r) for r in uninterrupted.validation()}
for record in work.validation():
    checks.equal("a validation of the killed run, to the bit", without_timing(record), their_val[record["step"]])
[final] = [path.name for path in uninterrupted.checkpoints.glob(f"epoch_*_step_{STEPS - 1}")]
checks.true(work.weights_file(final).read_bytes() == uninterrupted.weights_file(final).read_bytes(),
            "the final weights differ from those of the uninterrupted run")
checks.finish()
