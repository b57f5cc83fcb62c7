"""What a newcomer meets when something is not as it should be: warnings before the first step, what a failed run leaves,
messages that name a way out. Each run is of a tiny model."""
import json
import shutil

from program import ROOT, finish
from tiny_run import DATA, SHARE, Place

failures = []


def check(condition, message):
    if not condition:
        failures.append(message)


def holds(what, log, *texts):
    for text in texts:
        check(text in log, f"{what}: expected {text!r} in:\n{log[-2500:]}")


def lacks(what, log, *texts):
    for text in texts:
        check(text not in log, f"{what}: {text!r} should not stand in:\n{log[-2500:]}")


def results_only():
    place = Place()
    done = place.command("finetune", "llm", "-c", "recipe.yaml", "--step_scheduler.max_steps", "1")
    check(done.returncode == 0 and done.stdout == "", f"finetune: standard output holds {done.stdout[:300]!r}")
    holds("the recipe in force", done.stderr, "cfg-path: recipe.yaml", "max_steps: 1")
    done = place.command("finetune", "llm", "-c", "recipe.yaml", "--dataset.path_or_dataset_id", "nowhere.jsonl")
    check(done.returncode == 3 and done.stdout == "", f"wrong data: {done.returncode}, {done.stdout[:300]!r}")


def long_rows():
    """Counted by hand: rows of N times the same word, which has its own token."""
    place = Place()
    rows = [json.loads(line) for line in DATA.read_text().splitlines()][:6]
    for row, times in zip(rows, (1, 1, 600, 1, 200, 1)):
        row["messages"][1]["content"] = " the" * times
    data = place.folder / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    status, log = place.train("--dataset.path_or_dataset_id", data, "--dataset.seq_length", "128",
                              "--step_scheduler.max_steps", "1", "--validation_dataset", "null")
    check(status == 0, f"long rows: status {status}")
    holds("long rows", log, "2 of 6 rows are longer than dataset.seq_length 128 and are not cut (dataset.truncation: "
          f"longest_first cuts), the first is {data}:3 with ",
          "1 of 6 rows is longer than the 512 positions that the model was made for (max_position_embeddings), the first is "
          f"{data}:3")
    check(log.index("longer than dataset.seq_length") < log.index("| step 0"), "the warning comes after the first step")
    status, log = Place().train("--dataset.path_or_dataset_id", data, "--dataset.seq_length", "128",
                                "--dataset.truncation", "longest_first", "--step_scheduler.max_steps", "1")
    lacks("cut rows", log, "longer than")
    holds("lengths", log, "dataset: 6 rows of ", "validation_dataset: ")
    status, log = Place().train("--validation_dataset.path_or_dataset_id", data, "--step_scheduler.max_steps", "1",
                                "--validation_dataset.seq_length", "128")
    holds("validation", log, "2 of 6 rows are longer than validation_dataset.seq_length 128")


def first_row():
    place = Place()
    data = place.folder / "rows.jsonl"
    data.write_text('{"question": "Q", "answer": "A"}\n' * 200)
    status, log = place.train("--dataset.path_or_dataset_id", data)
    check(status == 3, f"wrong columns: status {status}")
    holds("wrong columns", log, f'{data}:1: "messages" is missing', "the row has: question, answer",
          "ColumnMappedTextInstructionDataset")
    check(not place.run.exists(), f"a run that failed on its data leaves {sorted(place.folder.rglob('run/*'))}")


def remarks():
    place = Place()
    status, log = place.train("--step_scheduler.global_batch_size", "512", "--step_scheduler.max_steps", "1",
                              "--dataset.split", "train[:4]")
    check(status == 0, f"large step: status {status}")
    holds("large step", log, "step_scheduler.global_batch_size 512 is more than an epoch has: a step takes its 2 micro-batches")
    status, log = Place().train("--optimizer.lr", "1000", "--clip_grad_norm.max_norm", "null",
                                "--step_scheduler.max_steps", "12", "--lr_scheduler", "null")
    check("the run is diverging; lower optimizer.lr" in log or "the run has diverged" in log, f"lr 1000: {log[-1500:]}")
    status, log = Place().train("--step_scheduler.max_steps", "1")
    lacks("an ordinary run", log, "WARNING")
    holds("types", log, "computed in float32")


def lora_type():
    peft = ["--peft._target_", "nemo_automodel.components._peft.lora.PeftConfig", "--peft.target_modules", "*_proj",
            "--step_scheduler.max_steps", "1"]
    status, log = Place().train(*peft)
    holds("LoRA of float32", log, "WARNING", "peft: base and adapters are computed and stored in bfloat16, not in float32",
          "distributed.mp_policy.param_dtype: float32")
    for setting in (["--distributed.mp_policy.param_dtype", "float32"], ["--model.torch_dtype", "bfloat16"]):
        status, log = Place().train(*peft, *setting)
        check(status == 0, f"LoRA {setting}: {log[-500:]}")
        lacks(f"LoRA {setting}", log, "peft: base and adapters")


def no_tokenizer():
    """Pretraining on ids: told before the first step; generate's message names cures that work."""
    place = Place()
    place.command("data", "build", "--tokenizer", SHARE / "tiny-llama", "-o", "shard", ROOT / "README.md")
    shards = ("{'_target_': 'nemo_automodel.components.datasets.llm.nanogpt_dataset.NanogptDataset', "
              "'file_pattern': 'shard_*.bin', 'seq_len': SEQ}")
    pretrain = ["--validation_dataset", "null", "--step_scheduler.max_steps", "1", "--dataset"]
    status, log = place.train(*pretrain, shards.replace("SEQ", "600"), "--tokenizer", "null")
    check(status == 0, f"pretraining: {log[-800:]}")
    holds("pretraining", log, "checkpoints will have no tokenizer", "tokenizer.pretrained_model_name_or_path: DIR",
          "dataset.seq_len 600 is longer than the 512 positions")
    done = place.command("generate", "-m", "run", "-p", "automodel")
    check(done.returncode == 3, f"generate without a tokenizer: {done.returncode}")
    holds("generate", done.stderr, "no tokenizer", "--tokenizer DIR", "tokenizer.pretrained_model_name_or_path")
    done = place.command("generate", "-m", "run", "-p", "automodel", "--tokenizer", SHARE / "tiny-llama", "--json",
                         "--max-new-tokens", "2")
    check(done.returncode == 0 and len(json.loads(done.stdout)["ids"]) == 2, f"--tokenizer: {done.stderr[-500:]}")
    other = Place()
    shutil.copy(place.folder / "shard_000000.bin", other.folder)
    status, log = other.train(*pretrain, shards.replace("SEQ", "64"))
    check(status == 0, f"pretraining with a tokenizer: {log[-800:]}")
    lacks("with a tokenizer", log, "no tokenizer", "longer than")
    done = other.command("generate", "-m", "run", "-p", "automodel", "--max-new-tokens", "2", "--json")
    check(done.returncode == 0, f"generate: {done.stderr[-500:]}")


def advice_for_chats():
    """The messages that generate's --chat gives, and that what they advise works."""
    place = Place()
    place.train("--step_scheduler.max_steps", "1")
    exported = place.run / "LATEST/model/consolidated"
    base = place.folder / "base"
    shutil.copytree(exported, base)
    config = json.loads((base / "tokenizer_config.json").read_text())
    template = config.pop("chat_template", None)
    if (base / "chat_template.jinja").exists():
        template = (base / "chat_template.jinja").read_text()
        (base / "chat_template.jinja").unlink()
    (base / "tokenizer_config.json").write_text(json.dumps(config))
    (place.folder / "chat.json").write_text(json.dumps([{"role": "user", "content": "Hi"}]))
    (place.folder / "my.jinja").write_text(template)
    chat = ["generate", "--chat", "chat.json", "--max-new-tokens", "1", "--json"]
    done = place.command(*chat, "-m", base)
    check(done.returncode == 2, f"base model: status {done.returncode}")
    holds("base model", done.stderr, "no chat template", "--chat-template FILE")
    asked = json.loads(place.command(*chat, "-m", exported, "--system", "Be brief.").stdout)
    lent = json.loads(place.command(*chat, "-m", base, "--system", "Be brief.", "--chat-template", "my.jinja").stdout)
    check(asked["prompt_ids"] == lent["prompt_ids"] and "Be brief." in asked["prompt"], f"{asked}\n{lent}")
    (place.folder / "whole.json").write_text(json.dumps(
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]))
    whole = json.loads(place.command("generate", "--chat", "whole.json", "--max-new-tokens", "1", "--json", "-m",
                                     exported).stdout)
    check(whole["prompt"] == asked["prompt"], f"--system: {asked['prompt']!r}, not {whole['prompt']!r}")
    text = json.loads(place.command(*chat, "-m", base, "--chat-template", "{% for m in messages %}{{ m.content }}{% endfor %}")
                      .stdout)
    check(text["prompt"] == "Hi", f"a template as text: {text['prompt']!r}")
    done = place.command("generate", "-m", exported, "-p", "Hi", "--max-new-tokens", "1")
    holds("-p on a model with a template", done.stderr, "--chat FILE puts messages through the chat template")
    done = place.command("checkpoint", "merge", "-m", exported, "-a", "run", "-o", "merged")
    holds("merging a full model", done.stderr, "a full model, not an adapter", "model/consolidated")
    done = place.command("model", "info", "bases")
    holds("a misspelt folder", done.stderr, "did you mean base?")


def traces():
    """A run that ends while it is traced writes what there is; one that ends before says so."""
    place = Place()
    profile = ("--profile.file", "trace.json", "--profile.num_steps", "1", "--step_scheduler.max_steps", "4")
    status, log = place.train(*profile, "--profile.first_step", "3")
    check(status == 0, f"traced in its last step: status {status}")
    holds("traced in its last step", log, "Trace of 1 step from step 3")
    check(json.loads((place.folder / "trace.json").read_text())["traceEvents"], "an empty trace")
    place = Place()
    status, log = place.train(*profile, "--profile.first_step", "4")
    check(status == 0 and not (place.folder / "trace.json").exists(), f"too short for a trace: status {status}")
    holds("too short for a trace", log, "profile.first_step 4: the run ended before it, after 4 steps")


for part in (results_only, long_rows, first_row, remarks, lora_type, no_tokenizer, advice_for_chats, traces):
    part()
finish(failures, "7 parts")
