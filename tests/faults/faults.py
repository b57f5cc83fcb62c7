"""What the fault tests share: a place to train in, digests of checkpoints, comparisons that are all made."""
import hashlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
from program import automodel, finish  # noqa: E402, F401
from tiny_run import DATA, VALIDATION, Place  # noqa: E402, F401

failures: list[str] = []
# Of a step: what depends on the machine and the moment.
TIMING = ("timestamp", "tps", "tps_per_gpu", "mfu", "mem")


def check(condition, message: str) -> None:
    if not condition:
        failures.append(message)


def equal(what: str, got, expected) -> None:
    check(got == expected, f"{what}: {got!r}, expected {expected!r}")


def says(what: str, log: str, *words: str) -> None:
    """One error, and these words in it."""
    message = log[log.find("error: "):] if "error: " in log else ""
    check(log.count("error: ") == 1 and all(word in message for word in words),
          f"{what}: expected one error with {words}: {log[-1500:]}")


def digests(folder: pathlib.Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def losses(lines: list[dict]) -> dict[int, dict]:
    """By step, the last line of a step winning, without what the moment decides."""
    return {line["step"]: {key: value for key, value in line.items() if key not in TIMING} for line in lines}


def checkpoints(place: Place) -> set[str]:
    return {path.name for path in place.run.iterdir() if path.name.startswith("epoch_")}


def whole(what: str, place: Place, name: str) -> None:
    done = place.command("checkpoint", "verify", place.run / name)
    check(done.returncode == 0 and "files as they were written" in done.stdout,
          f"{what}: {name} is not whole: {done.stdout}{done.stderr}")


def weights(place: Place, step: int) -> bytes:
    [shard] = place.run.glob(f"epoch_*_step_{step}/model/shard-*.safetensors")
    return shard.read_bytes()


def goes_on(what: str, place: Place, uninterrupted: Place, *overrides: str) -> None:
    """The same command again ends as if nothing had happened, to the bit."""
    status, log = place.train(*overrides)
    equal(f"{what}: exit status of the next start", (status, log[-800:] if status else ""), (0, ""))
    expected = losses(uninterrupted.lines())
    equal(f"{what}: every step, to the bit", losses(place.lines()), expected)
    last = max(expected)
    check(weights(place, last) == weights(uninterrupted, last), f"{what}: the final weights differ")
