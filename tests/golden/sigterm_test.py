"""SIGTERM: the step is finished, a checkpoint written, exit status 143; the next start goes on to the bit."""
import signal

from checks import Checks
from golden import Workplace, need_golden, without_timing

need_golden()
checks = Checks()
uninterrupted = Workplace("sft_llama_const")
uninterrupted.run()
expected = {r["step"]: without_timing(r) for r in uninterrupted.training()}

work = Workplace("sft_llama_const")
process = work.start()
checks.true(work.wait_for_step(process, 5), "the run ended before step 5")
checks.equal("exit status", work.stop(process, signal.SIGTERM), 143)
stopped_at = work.training()[-1]["step"]
checks.true(stopped_at < 19, f"the run went on to its end (step {stopped_at})")
checks.equal("LATEST", str((work.checkpoints / "LATEST").readlink()), f"epoch_0_step_{stopped_at}")
checks.equal("validations at a checkpoint that a signal caused",
             [r["step"] for r in work.validation() if r["step"] == stopped_at and stopped_at % 10 != 9], [])

seen = len(work.training())
work.run()
records = work.training()
checks.equal("first step after the signal", records[seen]["step"], stopped_at + 1)
for record in records:
    checks.equal("a step of the stopped run, to the bit", without_timing(record), expected[record["step"]])
checks.equal("steps", [r["step"] for r in records], list(range(20)))
checks.true(work.weights_file("epoch_0_step_19").read_bytes() ==
            uninterrupted.weights_file("epoch_0_step_19").read_bytes(), "the final weights differ")
checks.finish()
