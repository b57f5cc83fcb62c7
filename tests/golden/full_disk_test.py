"""A write that fails in the middle of a checkpoint: a clear message, the older checkpoint as it was, and no half one."""
import hashlib
import pathlib
import resource

import layout
from checks import Checks
from golden import Workplace, need_golden, without_timing

# The weights (1.4 MB) fit, the optimizer's state (2.8 MB) does not.
FILE_SIZE_LIMIT = 2_000_000


def limit_file_size():
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE_LIMIT, FILE_SIZE_LIMIT))


def digests(folder: pathlib.Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


need_golden()
checks = Checks()
work = Workplace("sft_llama_const")
work.run("--step_scheduler.max_steps", "10")
older = digests(work.checkpoints / "epoch_0_step_9")

console = work.run(expected_status=1, preexec_fn=limit_file_size)
message = console[console.find("error: "):]
checks.equal("number of errors", console.count("error: "), 1)
checks.true("epoch_0_step_19" in message and "File too large" in message,
            f"the message does not name the checkpoint and the system's reason: {message}")
checks.equal("the older checkpoint, file by file", digests(work.checkpoints / "epoch_0_step_9"), older)
checks.equal("LATEST", str((work.checkpoints / "LATEST").readlink()), "epoch_0_step_9")
checks.true(not (work.checkpoints / "epoch_0_step_19").exists(), "a checkpoint that was not written whole is published")

work.run()
uninterrupted = Workplace("sft_llama_const")
uninterrupted.run()
last_ten = [without_timing(r) for r in work.training()][-10:]
checks.equal("steps after room was made, to the bit", last_ten, [without_timing(r) for r in uninterrupted.training()][10:])
checks.true(work.weights_file("epoch_0_step_19").read_bytes() ==
            uninterrupted.weights_file("epoch_0_step_19").read_bytes(), "the final weights differ")
names = {name for name in layout.found(work.checkpoints) if name.count("/") == 0}
checks.equal("what is left in the folder", names, {"LATEST", "LOWEST_VAL", "epoch_0_step_9", "epoch_0_step_19",
                                                   "training.jsonl", "validation.jsonl"})
checks.finish()
