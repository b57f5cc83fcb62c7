"""Two runs on one folder: the second is refused and says who holds it; a dead holder holds nothing."""
import time

from faults import Place, check, equal, failures, finish, says

ENDLESS = ("--step_scheduler.max_steps", "1000000", "--step_scheduler.num_epochs", "1000000", "--validation_dataset", "None",
           "--step_scheduler.ckpt_every_steps", "1000000", "--step_scheduler.save_checkpoint_every_epoch", "false")

place = Place()
first = place.start(*ENDLESS, log=place.folder / "first.log")
check(place.wait_for_step(first, 3), "the first run ended: " + (place.folder / "first.log").read_text()[-500:])
for overrides in ((), ("--checkpoint.checkpoint_dir", "./run/../run/"), ("--checkpoint.enabled", "false")):
    status, log = place.train(*overrides)
    equal(f"the second run {overrides}: exit status", status, 2)
    says("the second run", log, "another run writes to this checkpoint folder", f"process {first.pid} on ")
equal("another folder beside it: exit status", place.train("--checkpoint.checkpoint_dir", "other")[0], 0)
equal("the first run", first.poll(), None)
first.kill()
first.wait()
check((place.run / ".lock").exists(), "the killed run took its lock file along: the next check proves nothing")
equal("after the first was killed: exit status", place.train()[0], 0)
check(not (place.run / ".lock").exists(), "a run that ended left its lock")

# Many at the same moment: one gets the folder, the others are told.
runs = [place.start(*ENDLESS, "--checkpoint.checkpoint_dir", "contested", log=place.folder / f"{i}.log") for i in range(6)]
place.run = place.folder / "contested"
deadline = time.monotonic() + 60
while sum(run.poll() is None for run in runs) > 1 and time.monotonic() < deadline:
    time.sleep(0.01)
equal("exit statuses of six at once", sorted(str(run.poll()) for run in runs), ["2"] * 5 + ["None"])
check(any(place.wait_for_step(run, 2) for run in runs if run.poll() is None), "the winner ended")
steps = [line["step"] for line in place.lines()]
equal("steps of the winner", steps, list(range(len(steps))))
for run in runs:
    run.kill()
    run.wait()
finish(failures, "two runs on one folder")
