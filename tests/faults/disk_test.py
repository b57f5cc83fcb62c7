"""A small tmpfs that fills up under the metrics, a checkpoint, or the run store; folders that cannot be written."""
import atexit
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from faults import Place, check, checkpoints, digests, equal, failures, finish, goes_on, losses, says, whole

SIZE_KIB = 6000


def in_own_mount_namespace():
    """Starts this script again where it may mount: as root, or as the root of a user namespace."""
    if os.environ.get("AUTOMODEL_MAY_MOUNT"):
        return
    for flags in (["-m"], ["-rm"]):
        probe = ["unshare", *flags, "sh", "-c", "mount -t tmpfs none /mnt"]
        if subprocess.run(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
            os.environ["AUTOMODEL_MAY_MOUNT"] = "1"
            os.execvp("unshare", ["unshare", *flags, sys.executable, *sys.argv])
    print("SKIP: no permission to mount a tmpfs")
    sys.exit(77)


def mount(*options: str) -> pathlib.Path:
    folder = tempfile.mkdtemp(prefix="automodel_tmpfs_")
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "none", folder], check=True)
    atexit.register(lambda: subprocess.run(["umount", "-l", folder]).returncode or os.rmdir(folder))
    return pathlib.Path(folder)


def fill(folder: pathlib.Path, but_kib: int = 0, name="filler") -> pathlib.Path:
    """Takes all room of a tmpfs except some. A program that writes there meanwhile may take the last of it first."""
    filler = folder / name
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as out:
        free = os.statvfs(folder)
        out.write(b"x" * max(0, free.f_bavail * free.f_bsize - but_kib * 1024))
        while but_kib == 0:  # a write may have been cut short
            out.write(b"x" * 4096)
    return filler


def in_a_checkpoint(uninterrupted):
    disk = mount(f"size={SIZE_KIB}k")
    place = Place(disk)
    place.store = uninterrupted.folder / "other.db"
    equal("first half", place.train("--step_scheduler.max_steps", "3")[0], 0)
    older = digests(place.run / "epoch_0_step_2")
    filler = fill(disk, but_kib=200)
    status, log = place.train()
    equal("checkpoint: exit status", status, 1)
    says("checkpoint", log, "epoch_0_step_5", "No space left on device")
    equal("checkpoint: the one before, file by file", digests(place.run / "epoch_0_step_2"), older)
    equal("checkpoint: what is left", checkpoints(place), {"epoch_0_step_2"})
    whole("checkpoint", place, "epoch_0_step_2")
    [row] = place.json("runs", "list", "-n", "1")
    equal("checkpoint: in the run store", (row["state"], row["exit_status"], row["last_step"]), ("failed", 1, 5))
    filler.unlink()
    goes_on("checkpoint, after room was made", place, uninterrupted)


def in_the_metrics(uninterrupted):
    disk = mount(f"size={SIZE_KIB}k")
    place = Place(disk)
    place.store = uninterrupted.folder / "third.db"
    equal("first half", place.train("--step_scheduler.max_steps", "3")[0], 0)
    process = place.start("--step_scheduler.max_steps", "100000", "--step_scheduler.num_epochs", "100000",
                          "--step_scheduler.ckpt_every_steps", "100000", "--validation_dataset", "None",
                          "--step_scheduler.save_checkpoint_every_epoch", "false",
                          log=uninterrupted.folder / "full.log")
    check(place.wait_for_step(process, 20), "metrics: the run ended before step 20")
    filler = fill(disk)
    equal("metrics: exit status", process.wait(timeout=60), 1)
    says("metrics", (uninterrupted.folder / "full.log").read_text(), "training.jsonl", "cannot append")
    whole("metrics", place, "epoch_0_step_2")
    written = [line for line in (place.run / "training.jsonl").read_text().split("\n")]
    [row] = place.json("runs", "list", "-n", "1")
    equal("metrics: in the run store", row["state"], "failed")
    equal("metrics: whole lines and stored steps", len(written) - 1 - 3, row["last_step"] - row["first_step"] + 1)
    # No room even for the lock (the failed run's own has made some): refused before anything runs.
    rest = fill(disk, name="rest")
    place.log = uninterrupted.folder / "no_room.log"
    status, log = place.train()
    rest.unlink()
    equal("no room at all: exit status", status, 1)
    says("no room at all", log, "checkpoint folder cannot be written", "No space left on device")
    filler.unlink()
    status, log = place.train()
    equal("metrics, after room was made: exit status", status, 0)
    lines = [line for line in (place.run / "training.jsonl").read_text().splitlines()]
    whole_lines = []
    for line in lines:
        try:
            whole_lines.append(json.loads(line))
        except ValueError:
            pass
    check(len(lines) - len(whole_lines) <= 1, "metrics: more than the one line that the full disk cut is broken")
    expected = losses(uninterrupted.lines())
    equal("metrics, after room was made", {step: losses(whole_lines)[step] for step in expected}, expected)


def in_the_store():
    disk = mount("size=512k")
    filler = fill(disk)
    place = Place()
    place.store = disk / "runs.db"
    status, log = place.train()
    equal("store full from the start: training", (status, len(place.lines())), (0, 6))
    check("WARNING" in log and "full" in log and "runs import" in log, f"store full from the start: {log[-1500:]}")
    filler.unlink()
    equal("store, imported after room was made", place.json("runs", "import", "run")[0]["last_step"], 5)

    # Full for a while in the middle: what could not be written is kept and written later.
    place = Place()
    place.store = disk / "runs.db"
    process = place.start("--step_scheduler.max_steps", "100000", "--step_scheduler.num_epochs", "100000",
                          "--checkpoint.enabled", "false", "--validation_dataset", "None")
    check(place.wait_for_step(process, 50), "store: the run ended before step 50")
    filler = fill(disk)
    while process.poll() is None and "WARNING" not in place.log.read_text():
        pass
    equal("store full in the middle: the run", process.poll(), None)
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    process.terminate()
    equal("store full in the middle: exit status", process.wait(timeout=60), 143)
    steps = place.rows("SELECT count(*), max(step) FROM metrics WHERE run = (SELECT max(seq) FROM runs)")
    equal("store full in the middle: every step in it", steps, [(len(place.lines()), len(place.lines()) - 1)])


def read_only(uninterrupted):
    disk = mount("size=64m")
    place = Place(disk)
    place.store = disk / "odd #%41?name.db"
    place.log = uninterrupted.folder / "read_only.log"
    equal("first half", place.train("--step_scheduler.max_steps", "3")[0], 0)
    before = place.lines()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for folder in ("run", "new"):
        status, log = place.train("--checkpoint.checkpoint_dir", folder)
        equal(f"read-only, {folder}: exit status", status, 1)
        says(f"read-only, {folder}", log, folder, "Read-only file system", "checkpoint.checkpoint_dir")
        check("Model summary" not in log, "read-only: found out after the model was loaded")
    equal("read-only: nothing was trained", place.lines(), before)
    whole("read-only", place, "epoch_0_step_2")

    done = place.command("runs", "list")
    check(done.returncode == 0 and " done " in done.stdout and "read only" in done.stderr,
          f"a store that can only be read: {done.stdout}{done.stderr}")

    # A home that cannot be written: no store, but a run.
    elsewhere = Place()
    status, log = elsewhere.train("--step_scheduler.max_steps", "2", AUTOMODEL_RUNS="", XDG_STATE_HOME=str(disk))
    equal("read-only home: exit status", status, 0)
    check("Read-only file system" in log and "Training goes on" in log, f"read-only home: {log[-800:]}")
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


in_own_mount_namespace()
uninterrupted = Place()
equal("the uninterrupted run", uninterrupted.train()[0], 0)
in_a_checkpoint(uninterrupted)
in_the_metrics(uninterrupted)
in_the_store()
read_only(uninterrupted)
finish(failures, "full and read-only disks")
