"""Back to an older checkpoint: LATEST decides from then on, and no checkpoint is lost."""
from faults import Place, check, checkpoints, digests, equal, failures, finish

LENGTH = ("--step_scheduler.num_epochs", "10", "--step_scheduler.ckpt_every_steps", "2", "--validation_dataset", "None",
          "--step_scheduler.save_checkpoint_every_epoch", "false", "--step_scheduler.max_steps")


def train(what, place, steps, *more) -> str:
    status, log = place.train(*LENGTH, str(steps), *more)
    equal(f"{what}: exit status", (status, log[-500:] if status else ""), (0, ""))
    return log


def latest(place) -> str:
    return (place.run / "LATEST").readlink().name


place = Place()
train("the first branch", place, 10)
kept = {name: digests(place.run / name) for name in checkpoints(place)}
log = train("back", place, 6, "--checkpoint.restore_from", "epoch_0_step_1", "--optimizer.lr", "1e-4")
check("branch 1 begins here" in log and "epoch_0_step_9" in log, log[-1500:])
equal("LATEST after going back", latest(place), "epoch_0_step_5")
equal("nothing of the first branch is lost",
      {name: digests(place.run / name) for name in kept if name not in ("epoch_0_step_3", "epoch_0_step_5")} |
      {name: digests(place.run / f"{name}.branch_0") for name in ("epoch_0_step_3", "epoch_0_step_5")}, kept)

log = train("again", place, 8)
check("run/epoch_0_step_5\n" in log and "branch" not in log, "goes on from LATEST, in the same branch: " + log[-1500:])
equal("LATEST after that", latest(place), "epoch_0_step_7")
log = train("again, keeping two", place, 10, "--checkpoint.max_recent_checkpoints", "2")
equal("what retention leaves", checkpoints(place), {"epoch_0_step_7", "epoch_0_step_9"})

# Stopped before the new branch's first checkpoint: the next start goes on from where it went back to.
place = Place()
train("another first branch", place, 6)
(place.run / "LATEST").unlink()
(place.run / "LATEST").symlink_to("epoch_0_step_1")
log = train("LATEST moved by hand", place, 4)
check("Loading checkpoint from run/epoch_0_step_1\n" in log and "branch 1 begins here" in log, log[-1500:])
equal("its checkpoints", checkpoints(place), {"epoch_0_step_1", "epoch_0_step_3.branch_0", "epoch_0_step_3", "epoch_0_step_5"})

runs = place.json("runs", "list")
before = place.json("runs", "show", runs[0]["id"])
equal("the run store links a resumed run to the first", (len(runs), before["continues"]), (2, runs[1]["id"]))
check(before["resumed_from"].endswith("/run/epoch_0_step_1"), before["resumed_from"])
train("nothing left to do", place, 4)
equal("a start without work is no run", len(place.json("runs", "list")), 2)
finish(failures, "branches")
