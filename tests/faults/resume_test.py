"""A run that goes on with another recipe: every row once whatever the batch, and what would lose work is refused by name."""
import json
import re
import shutil

from faults import DATA, VALIDATION, Place, check, digests, equal, failures, finish, says

ROWS = len(DATA.read_text().splitlines())
STILL = ("--optimizer.lr", "0", "--validation_dataset", "None", "--step_scheduler.max_steps", "None",
         "--step_scheduler.num_epochs", "1", "--step_scheduler.ckpt_every_steps", "1000")


def batches(rows: int, rows_at_once: int) -> tuple[str, ...]:
    return ("--step_scheduler.global_batch_size", str(rows), "--step_scheduler.local_batch_size", str(rows_at_once))


def labels(place: Place) -> list[int]:
    return [line["num_label_tokens"] for line in place.lines()]


def started(*overrides) -> Place:
    """A place whose run has done some steps."""
    place = Place()
    status, log = place.train(*STILL, *overrides)
    equal(f"{overrides}: the first start", (status, log[-500:] if status else ""), (0, ""))
    return place


def every_row_once():
    whole = started(*batches(8, 2))
    for second in ((8, 4), (8, 8), (4, 1), (6, 3), (51, 51)):
        place = started(*batches(8, 2), "--step_scheduler.max_steps", "5")
        status, log = place.train(*STILL, *batches(*second))
        equal(f"{second}: exit status", (status, log[-500:] if status else ""), (0, ""))
        equal(f"{second}: label tokens of the epoch", sum(labels(place)), sum(labels(whole)))
        equal(f"{second}: steps", len(labels(place)), 5 + -(-(ROWS - 40) // second[0]))
        if second[0] == 8:
            equal(f"{second}: label tokens by step", labels(place), labels(whole))
        said = f"step_scheduler.local_batch_size 2 -> {second[1]}"
        check(said in log, f"{second}: {said!r} is not told")
    place = started(*batches(8, 2), "--step_scheduler.num_epochs", "2", "--step_scheduler.max_steps", "20")
    status, _ = place.train(*STILL, "--step_scheduler.num_epochs", "3", *batches(16, 4))
    equal("in the second of three epochs: label tokens", (status, sum(labels(place))), (0, 3 * sum(labels(whole))))


def other_data_are_refused():
    # Here shuffle, seed and packs matter: the first run has the recipe's own.
    rows = DATA.read_text().splitlines(keepends=True)
    other_rows = [*rows[:3], rows[4], *rows[4:]]
    changes = {
        "seed": ("--seed", "7"),
        "dataloader.shuffle": ("--dataloader.shuffle", "false"),
        "dataset.split": ("--dataset.split", "train[:90]"),
        "dataset.shuffle_seed": ("--dataset.shuffle_seed", "3"),
        "packed_sequence.packed_sequence_size": ("--packed_sequence.packed_sequence_size", "512"),
        "the data files": ("--dataset.path_or_dataset_id", "other.jsonl"),
    }
    place = started(*batches(8, 2), "--step_scheduler.max_steps", "5")
    (place.folder / "other.jsonl").write_text("".join(other_rows))
    before = digests(place.run)
    for key, overrides in changes.items():
        status, log = place.train(*STILL, *batches(8, 2), *overrides)
        equal(f"{key}: exit status", status, 2)
        says(key, log, "not in the order of the checkpoint's run", key + " ", "checkpoint.accept_changed_data")
        equal(f"{key}: the folder", digests(place.run), before)
    # The same bytes under another name are the same data.
    shutil.copy(DATA, place.folder / "same.jsonl")
    longer = (*STILL, *batches(8, 2), "--dataset.path_or_dataset_id", "same.jsonl", "--step_scheduler.max_steps", "6")
    equal("a copy of the data", place.train(*longer)[0], 0)
    status, log = place.train(*STILL, *batches(8, 2), *changes["the data files"], "--checkpoint.accept_changed_data", "true")
    check(status == 0 and "resumed although the data have changed: the data files" in log, log[-800:])

    packed = ("--packed_sequence.packed_sequence_size", "512")
    place = started(*batches(2, 1), *packed, "--step_scheduler.max_steps", "3")
    status, log = place.train(*STILL, *batches(2, 1), *packed, "--dataset.seq_length", "24", "--dataset.truncation", "true")
    equal("other packs: exit status", status, 2)
    says("other packs", log, "packs ", "checkpoint.accept_changed_data")


def another_base_is_refused():
    """Of the same class and size."""
    source = Place()
    bases = []
    for seed in (1, 2):
        made = started("--step_scheduler.max_steps", "1", "--seed", str(seed))
        base = source.folder / f"base_{seed}"
        shutil.copytree(made.run / "LATEST/model/consolidated", base)
        bases.append(base)

    def pretrained(base, *more):
        return (*STILL, *batches(8, 2), "--model._target_", "nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained",
                "--model.config", "None", "--model.pretrained_model_name_or_path", base, *more)

    for more in ((), ("--peft._target_", "nemo_automodel.components._peft.lora.PeftConfig", "--peft.dim", "2")):
        place = Place()
        recipe = place.folder / "recipe.yaml"
        recipe.write_text(re.sub(r"(?s)  config:\n(    [^\n]*\n)+", "", recipe.read_text())
                          .replace("from_config", "from_pretrained"))
        def train(base, *overrides):
            return place.train(*STILL, *batches(8, 2), "--model.pretrained_model_name_or_path", base, *more, *overrides)
        status, log = train(bases[0], "--step_scheduler.max_steps", "3")
        equal(f"{more}: from the first base", (status, log[-500:] if status else ""), (0, ""))
        before = digests(place.run)
        status, log = train(bases[1])
        equal(f"{more}: from the other base: exit status", status, 2)
        says(f"{more}", log, "not those with which the checkpoint's run began", "checkpoint.accept_changed_base",
             "checkpoint.checkpoint_dir")
        equal(f"{more}: the folder", digests(place.run), before)
        shutil.copytree(bases[0], place.folder / "moved")
        status, log = train("moved", "--step_scheduler.max_steps", "4")
        equal(f"{more}: the first base elsewhere", (status, log[-500:] if status else ""), (0, ""))
        status, log = train(bases[1], "--checkpoint.accept_changed_base", "true")
        check(status == 0 and "resumed although the model's own weights have changed" in log, log[-800:])


def another_kind_is_refused():
    place = started(*batches(8, 2), "--step_scheduler.max_steps", "3")
    before = digests(place.run)
    ways = ("checkpoint.checkpoint_dir another folder", "move or delete")
    lora = ("--peft._target_", "nemo_automodel.components._peft.lora.PeftConfig")
    for what, overrides, words in (
            ("adapters", lora, ("all weights of LlamaForCausalLM", "adapters of rank 8 on 7 linears")),
            ("another class", ("--model.config.architectures", "['MistralForCausalLM']", "--model.config.model_type", "mistral"),
             ("all weights of LlamaForCausalLM", "all weights of MistralForCausalLM")),
            ("no checkpoints", ("--checkpoint.enabled", "false"), ("checkpoint.enabled: false", "training.jsonl"))):
        status, log = place.train(*STILL, *batches(8, 2), *overrides)
        equal(f"{what}: exit status", status, 2)
        says(what, log, *words, *ways)
        check("Model summary" not in log, f"{what}: the model was loaded first")
        equal(f"{what}: the folder", digests(place.run), before)
    place = started(*batches(8, 2), *lora, "--step_scheduler.max_steps", "3")
    for what, overrides in (("other rank", (*lora, "--peft.dim", "2")), ("other linears", (*lora, "--peft.target_modules", "*q_proj")),
                            ("no adapters", ())):
        status, log = place.train(*STILL, *batches(8, 2), *overrides)
        equal(f"{what}: exit status", status, 2)
        says(what, log, "adapters of rank 8 on 7 linears", *ways)


def schedule_and_keys():
    first = ("--step_scheduler.max_steps", "4", "--lr_scheduler.lr_decay_style", "linear", "--lr_scheduler.lr_warmup_steps", "0",
             "--lr_scheduler.lr_decay_steps", "10", "--lr_scheduler.min_lr", "0", "--optimizer.lr", "0.01")
    then = (*first, "--step_scheduler.max_steps", "6", "--optimizer.lr", "0.001")
    use, override = "--lr_scheduler.use_checkpoint_opt_param_scheduler", "--lr_scheduler.override_opt_param_scheduler"

    def resumed(*overrides):
        place = started(*batches(2, 2), *first)
        status, log = place.train(*STILL, *batches(2, 2), *then, *overrides)
        return status, log, place.lines()

    for overrides, rate in (((), 5e-3), ((use, "true"), 5e-3), ((override, "true"), 5e-4), ((use, "false", override, "true"), 5e-4)):
        status, log, lines = resumed(*overrides)
        equal(f"{overrides}: exit status", status, 0)
        check(len(lines) == 6 and abs(lines[4]["lr"] - rate) < 1e-12, f"{overrides}: lr {[line['lr'] for line in lines]}")
        check("checkpoint's: optimizer.lr 0.01 -> 0.001" in log, f"{overrides}: the changed key is not told")
        equal(f"{overrides}: told that the checkpoint's counts", "max_lr 0.001 -> 0.01" in log, rate == 5e-3)
    status, log, _ = resumed(use, "false")
    equal("neither: exit status", status, 2)
    says("neither", log, "max_lr 0.001 -> 0.01", "use_checkpoint_opt_param_scheduler", "override_opt_param_scheduler")
    status, log = Place().train(*first, use, "true", override, "true")
    equal("both: exit status", status, 2)
    says("both", log, "contradicts use_checkpoint_opt_param_scheduler")


def losses_that_are_not():
    """No label, no number: not in a validation, not in a step."""
    place = Place()
    (place.folder / "none.jsonl").write_text(VALIDATION.read_text())
    status, log = place.train("--validation_dataset.path_or_dataset_id", "none.jsonl", "--validation_dataset.seq_length", "4",
                              "--validation_dataset.truncation", "true")
    equal("validation without labels: exit status", status, 0)
    equal("its losses", {line["val_loss"] for line in place.lines("validation.jsonl")}, {None})
    check(not (place.run / "LOWEST_VAL").is_symlink(), "LOWEST_VAL names a checkpoint")
    equal("in losses.json", "val_loss" in json.loads((place.run / "LATEST/losses.json").read_text()), False)
    shown = place.json("runs", "show", "last")
    equal("in the store", (shown["lowest_val_loss"], [c["val_loss"] for c in shown["checkpoints"]]), (None, [None, None]))


every_row_once()
other_data_are_refused()
another_base_is_refused()
another_kind_is_refused()
schedule_and_keys()
losses_that_are_not()
finish(failures, "resume")
