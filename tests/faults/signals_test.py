"""SIGTERM and Ctrl-C save and stop; Ctrl-C twice and SIGKILL stop at once, and the checkpoint before is intact."""
import signal
import time

from faults import Place, check, checkpoints, digests, equal, failures, finish, goes_on, whole

LENGTH = ("--step_scheduler.max_steps", "60", "--step_scheduler.ckpt_every_steps", "25", "--step_scheduler.num_epochs", "10",
          "--step_scheduler.save_checkpoint_every_epoch", "false", "--validation_dataset", "None")

whole_run = Place()
equal("the uninterrupted run", whole_run.train(*LENGTH)[0], 0)


def stopped_politely(number, status):
    place = Place()
    process = place.start(*LENGTH)
    check(place.wait_for_step(process, 30), f"{number.name}: the run ended before step 30")
    process.send_signal(number)
    equal(f"{number.name}: exit status", process.wait(timeout=60), status)
    log = place.log.read_text()
    step = place.lines()[-1]["step"]
    check(step < 59 and f"stopped by signal {int(number)} after step {step}" in log, f"{number.name}: {log[-500:]}")
    if number == signal.SIGINT:
        check("Ctrl-C again stops at once" in log, "the first Ctrl-C says nothing")
    latest = (place.run / "LATEST").readlink().name
    check(latest.endswith(f"_step_{step}"), f"{number.name}: stopped after step {step}, LATEST is {latest}")
    whole(number.name, place, latest)
    [row] = place.json("runs", "list")
    equal(f"{number.name}: in the run store", (row["state"], row["exit_status"], row["last_step"]), ("killed", status, step))
    goes_on(number.name, place, whole_run, *LENGTH)


def stopped_at_once(what, stop, expected_status):
    """In the middle of writing the second checkpoint."""
    place = Place()
    process = place.start(*LENGTH)
    check(place.wait_for_step(process, 30), f"{what}: the run ended before step 30")
    older = digests(place.run / "epoch_0_step_24")
    while process.poll() is None and not list(place.run.glob("*.incomplete")):
        time.sleep(0.0002)
    check(process.poll() is None, f"{what}: the run ended before its second checkpoint was seen")
    stop(process, place.log)
    equal(f"{what}: exit status", process.wait(timeout=60), expected_status)
    equal(f"{what}: the checkpoint before, file by file", digests(place.run / "epoch_0_step_24"), older)
    for name in checkpoints(place):
        if not name.endswith(".incomplete"):
            whole(what, place, name)
    equal(f"{what}: in the run store", place.json("runs", "list")[0]["state"], "killed")
    goes_on(what, place, whole_run, *LENGTH)
    check(not list(place.run.glob("*.incomplete")), f"{what}: an unfinished checkpoint is left")
    check(not (place.run / ".lock").exists(), f"{what}: the lock is left")


def ctrl_c_twice(process, log):
    process.send_signal(signal.SIGINT)
    # The second must not be merged with the first: wait until that one is told of.
    while "Ctrl-C again" not in log.read_text() and process.poll() is None:
        time.sleep(0.0002)
    process.send_signal(signal.SIGINT)


stopped_politely(signal.SIGTERM, 143)
stopped_politely(signal.SIGINT, 130)
stopped_at_once("Ctrl-C twice", ctrl_c_twice, -signal.SIGINT)
stopped_at_once("SIGKILL", lambda process, log: process.kill(), -signal.SIGKILL)
finish(failures, "signals")
