"""A limit of file size (ulimit -f) under each writer: an error that names the file, exit status 1, nothing unfinished."""
import resource
import signal
import subprocess

from faults import Place, check, equal, failures, finish, losses, says
from program import PROGRAM

KIB = 1024
REASON = "File too large"


def limited(size: int):
    """For the child: files of `size` bytes at most, and the signal's own action, which ends a process."""
    def prepare():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return prepare


def command(place: Place, size: int, *words, stdout=subprocess.DEVNULL) -> tuple[int, str]:
    """Standard error comes through a pipe: it has no limit."""
    done = subprocess.run([PROGRAM, *map(str, words)], cwd=place.folder, env=place.environment(), stdout=stdout,
                          stderr=subprocess.PIPE, text=True, preexec_fn=limited(size), timeout=120)
    return done.returncode, done.stderr


def unfinished(place: Place) -> list[str]:
    return sorted(str(path.relative_to(place.folder)) for path in place.folder.rglob("*")
                  if any(mark in path.name for mark in (".incomplete", ".tmp.", ".partial", ".new")))


def fails(what: str, place: Place, outcome: tuple[int, str], *words: str) -> None:
    status, log = outcome
    equal(f"{what}: exit status", (status, log[-600:] if status != 1 else ""), (1, ""))
    says(what, log, REASON, *words)
    equal(f"{what}: unfinished files", unfinished(place), [])


def trains(place: Place, size: int, *overrides) -> tuple[int, str]:
    return command(place, size, "recipe.yaml", *overrides)


def of_a_run() -> None:
    place = Place()
    place.store = "none"
    fails("checkpoint", place, trains(place, 100 * KIB), "cannot write", ".safetensors", "saving run/epoch_0_step_2")
    equal("checkpoint: what is left of it", [path.name for path in place.run.glob("epoch_*")], [])
    equal("checkpoint: steps written down", sorted(losses(place.lines())), [0, 1, 2])

    place = Place()
    place.store = "none"
    place.train("--step_scheduler.max_steps", "3")
    fails("the second checkpoint", place, trains(place, 100 * KIB), "cannot write", "saving run/epoch_0_step_5")
    done = place.command("checkpoint", "verify", place.run / "epoch_0_step_2")
    equal("the first checkpoint is whole", done.returncode, 0)

    place = Place()
    place.store = "none"
    fails("metrics", place, trains(place, 700, "--checkpoint.enabled", "false"), "training.jsonl", "cannot append")
    lines = place.lines()  # parses every line
    check(0 < len(lines) < 6, f"metrics: {len(lines)} whole lines")

    place = Place()
    status, log = trains(place, 30 * KIB, "--checkpoint.enabled", "false")
    equal("run store: the run goes on", (status, len(place.lines())), (0, 6))
    check("WARNING" in log and "runs.db" in log and REASON in log, f"run store: {log[-1200:]}")

    place = Place()
    place.store = "none"
    status, log = trains(place, 20 * KIB, "--checkpoint.enabled", "false", "--profile.file", "trace.json",
                         "--profile.first_step", "2", "--profile.num_steps", "2")
    equal("trace: exit status", (status, log[-600:] if status != 1 else ""), (1, ""))
    says("trace", log, "trace.json", "cannot write")
    check(not (place.folder / "trace.json").exists(), "trace: half of it stays")


def of_commands(whole: Place) -> None:
    model = whole.run / "LATEST/model/consolidated"
    (whole.folder / "ids.json").write_text("[[1, 2, 3, 4, 5, 6, 7, 8]]")
    (whole.folder / "text.txt").write_text("one two three " * 20000)
    cases = {
        "model forward": (("model", "forward", "-m", model, "--ids", "ids.json", "-o", "out.safetensors"),
                          "out.safetensors"),
        "checkpoint convert": (("checkpoint", "convert", model, "converted"), "model.safetensors"),
        "checkpoint merge": (("checkpoint", "merge", "-m", model, "-a", "adapters", "-o", "merged"), ".safetensors"),
        "data build": (("data", "build", "--tokenizer", model, "-o", "shards/set", "text.txt"), "set_000000.bin"),
    }
    for what, (words, file) in cases.items():
        fails(what, whole, command(whole, 30 * KIB, *words), file, "cannot write")
        for output in ("out.safetensors", "converted", "merged", "shards/set_000000.bin"):
            check(not (whole.folder / output).exists(), f"{what}: {output} is there")
        status, log = command(whole, 1 << 30, *words)
        equal(f"{what}: without the limit", (status, log[-400:] if status else ""), (0, ""))
        for output in ("out.safetensors", "converted", "merged", "shards"):
            subprocess.run(["rm", "-rf", whole.folder / output], check=True)
    with open(whole.folder / "shown.yaml", "wb") as shown:
        status, log = command(whole, 100, "config", "show", "-c", "recipe.yaml", stdout=shown)
    equal("standard output in a file: exit status", status, 1)
    says("standard output in a file", log, "cannot write the result to standard output")


whole = Place()
equal("the run without a limit", whole.train()[0], 0)
adapters = ("--peft._target_", "nemo_automodel.components._peft.lora.PeftConfig", "--peft.match_all_linear", "true",
            "--peft.dim", "2", "--checkpoint.checkpoint_dir", "adapters")
equal("adapters without a limit", whole.train(*adapters)[0], 0)
of_a_run()
of_commands(whole)
finish(failures, "limits of file size")
