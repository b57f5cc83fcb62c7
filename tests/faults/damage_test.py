"""A checkpoint that changed on disk is found before anything is loaded from it: status 3, naming the file; the checkpoint
before it takes over when it is asked for."""
import pathlib
import random
import shutil

from faults import Place, check, digests, equal, failures, finish, goes_on, says, whole

NEWEST, OLDER = "epoch_0_step_5", "epoch_0_step_2"
LONGER = ("--step_scheduler.max_steps", "9")


def flip_a_bit(path: pathlib.Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def one(pattern: str, folder: pathlib.Path) -> pathlib.Path:
    [found] = folder.glob(pattern)
    return found


chance = random.Random(20261120)
SHARD, OPTIMIZER, POSITION = "model/shard-*.safetensors", "optim/*.safetensors", "step_scheduler.json"
DAMAGES = [  # name, file, what is done to it, words of the message
    *((f"bit {i} of the weights", SHARD, lambda path: flip_a_bit(path, chance), "damaged") for i in range(5)),
    *((f"bit {i} of the optimizer", OPTIMIZER, lambda path: flip_a_bit(path, chance), "damaged") for i in range(5)),
    ("a bit of the position", POSITION, lambda path: flip_a_bit(path, chance), "damaged"),
    ("weights cut by a byte", SHARD, lambda path: path.write_bytes(path.read_bytes()[:-1]), "truncated"),
    ("weights cut to nothing", SHARD, lambda path: path.write_bytes(b""), "truncated"),
    ("optimizer cut in half", OPTIMIZER, lambda path: path.write_bytes(path.read_bytes()[:path.stat().st_size // 2]), "truncated"),
    ("no weights", SHARD, lambda path: path.unlink(), "missing"),
    ("no position", POSITION, lambda path: path.unlink(), "missing"),
    ("a manifest cut in half", "manifest.json", lambda path: path.write_bytes(path.read_bytes()[:100]), "damaged"),
]

trained = Place()
equal("training", trained.train()[0], 0)
uninterrupted = Place()
equal("the uninterrupted run", uninterrupted.train(*LONGER)[0], 0)

place = Place()
for what, pattern, damage, word in DAMAGES:
    shutil.rmtree(place.run, ignore_errors=True)
    shutil.copytree(trained.run, place.run, symlinks=True)
    older = digests(place.run / OLDER)
    path = one(pattern, place.run / NEWEST)
    damage(path)
    status, log = place.train(*LONGER)
    equal(f"{what}: exit status", status, 3)
    says(what, log, f"{NEWEST}/{path.relative_to(place.run / NEWEST)}", word, f"restore_from takes another one ({OLDER})")
    equal(f"{what}: `checkpoint verify`", place.command("checkpoint", "verify", place.run / NEWEST).returncode, 3)
    equal(f"{what}: `checkpoint verify` of LATEST", place.command("checkpoint", "verify", place.run / "LATEST").returncode, 3)
    copy = place.run.parent / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(place.run / NEWEST, copy)
    equal(f"{what}: `checkpoint verify` of a copy", place.command("checkpoint", "verify", copy).returncode, 3)
    equal(f"{what}: nothing was trained", len(place.lines()), 6)
    equal(f"{what}: the older checkpoint", digests(place.run / OLDER), older)
whole("the older checkpoint", place, OLDER)
goes_on("from the older one", place, uninterrupted, *LONGER, "--checkpoint.restore_from", OLDER)
whole("the damaged checkpoint, written again", place, NEWEST)

# What people may change: the export, copies. What older programs wrote: no manifest.
shutil.rmtree(place.run)
shutil.copytree(trained.run, place.run, symlinks=True)
shutil.rmtree(place.run / NEWEST / "model/consolidated")
(place.run / NEWEST / "config.yaml").write_text("# a note\n")
goes_on("without its export", place, uninterrupted, *LONGER)
shutil.rmtree(place.run)
shutil.copytree(trained.run, place.run, symlinks=True)
(place.run / NEWEST / "manifest.json").unlink()
goes_on("without a manifest", place, uninterrupted, *LONGER)
check("has no manifest.json" in place.log.read_text(), "an unchecked checkpoint is not told of")
finish(failures, f"{len(DAMAGES)} damaged checkpoints")
