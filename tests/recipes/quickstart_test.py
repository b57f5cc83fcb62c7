"""The quick start's two recipes as packaging/quickstart runs them: the model answers the questions of its own set as it was
taught, greedily, and first of all the one that the script asks."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "parity"))
from program import ROOT, program

SHARE = ROOT / "share/quickstart"
RIGHT = 0.98  # of the answers, to the letter; another processor's sums may cost one
TURN = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"


def automodel(folder, *words):
    done = subprocess.run([program(), *map(str, words)], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"automodel {' '.join(map(str, words[:4]))}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def train(folder):
    """The recipes name their files from the root of the tree and write to runs/."""
    (folder / "share").symlink_to(ROOT / "share")
    pages = [*ROOT.glob("docs/*.md"), *ROOT.glob("core/*/*.h")]
    automodel(folder, "data", "build", "--tokenizer", SHARE / "tiny-llama", "-o", "runs/quickstart/text", *sorted(pages))
    automodel(folder, "pretrain", "llm", "-c", "share/configs/quickstart_pretrain.yaml")
    automodel(folder, "finetune", "llm", "-c", "share/configs/quickstart_finetune.yaml")
    return folder / "runs/quickstart/finetune/LATEST/model/consolidated"


def answers(folder, model, questions):
    prompts = [word for question in questions for word in ("-p", TURN.format(question))]
    lines = automodel(folder, "generate", "-m", model, "--max-new-tokens", 120, "--json", *prompts).splitlines()
    return [json.loads(line)["text"].removesuffix("<|im_end|>").strip() for line in lines]


def main():
    asked = re.search(r'^question="(.*)"$', (ROOT / "packaging/quickstart").read_text(), re.MULTILINE).group(1)
    rows = [json.loads(line)["messages"] for line in (SHARE / "chat.jsonl").open()]
    pairs = {row[0]["content"]: row[1]["content"] for row in rows if len(row) == 2}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        given = dict(zip(pairs, answers(folder, train(folder), list(pairs)), strict=True))
    wrong = [question for question in pairs if given[question] != pairs[question]]
    for question in wrong:
        print(f"{question} {given[question]!r}, not {pairs[question]!r}")
    print(f"{len(pairs) - len(wrong)} of {len(pairs)} answers are right; {asked} {given[asked]}")
    if asked in wrong or len(pairs) - len(wrong) < RIGHT * len(pairs):
        sys.exit("the quick start's model does not know its answers")


main()
