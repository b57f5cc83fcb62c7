"""SIGTERM and Ctrl-C save and stop; Ctrl-C twice and SIGKILL stop at once, and the checkpoint before is intact."""
import signal
import time

from faults import VALIDATION, Place, check, checkpoints, digests, equal, failures, finish, goes_on, whole

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
    equal(f"{number.name}: in the run store", (row["state"], row["exit_status"], row["last_step"]), ("stopped", status, step))
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
    # The second must not be merged with the first: wait until that one is told of, and half a second more, in which the
    # process is held where it is.
    while "Ctrl-C again" not in log.read_text() and process.poll() is None:
        time.sleep(0.0002)
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.6)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)


def one_press_sent_twice():
    """A launcher that forwards the terminal's signal: the second comes within half a second and counts for nothing."""
    place = Place()
    process = place.start(*LENGTH)
    check(place.wait_for_step(process, 30), "one press: the run ended before step 30")
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.002)
    equal("one press: exit status", process.wait(timeout=60), 130)
    step = place.lines()[-1]["step"]
    check((place.run / "LATEST").readlink().name.endswith(f"_step_{step}"), f"one press: no checkpoint after step {step}")
    goes_on("one press", place, whole_run, *LENGTH)


def in_a_validation():
    """It is broken off, nothing is written of it, and the run saves and ends."""
    place = Place()
    (place.folder / "long.jsonl").write_text(VALIDATION.read_text() * 2000)
    process = place.start("--step_scheduler.max_steps", "60", "--step_scheduler.val_every_steps", "3",
                          "--validation_dataset.path_or_dataset_id", "long.jsonl")
    check(place.wait_for_step(process, 2), "in a validation: the run ended before step 2")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    equal("in a validation: exit status", process.wait(timeout=20), 130)
    log = place.log.read_text()
    check("the validation is broken off" in log and "stopped by signal 2 after step 2" in log, log[-800:])
    equal("in a validation: its lines", place.lines("validation.jsonl"), [])
    equal("in a validation: steps done", [line["step"] for line in place.lines()], [0, 1, 2])
    check((place.run / "LATEST").readlink().name.endswith("_step_2"), "in a validation: no checkpoint")


stopped_politely(signal.SIGTERM, 143)
stopped_politely(signal.SIGINT, 130)
stopped_at_once("Ctrl-C twice", ctrl_c_twice, -signal.SIGINT)
stopped_at_once("SIGKILL", lambda process, log: process.kill(), -signal.SIGKILL)
one_press_sent_twice()
in_a_validation()
finish(failures, "signals")
