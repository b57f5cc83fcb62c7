"""Packed rows teach what the same rows teach apart: the losses and gradient norms of two steps over all rows, of a dense
family, one with windows, one with experts and the two kinds of scans."""
import json
import math
import pathlib
import re
import sys
import tempfile

import tiny
from program import run

FAMILIES = ("llama", "gemma3_text", "qwen3_moe", "falcon_h1", "qwen3_next")
NUM_ROWS = 12
BOUND = 2e-6  # relative; float32 sums in another order


def write_rows(folder):
    file = folder / "rows.jsonl"
    rows = [{"q": f"What is {i} times {i * 7}?", "a": f"{i * i * 7}" + " indeed" * (i % 4)} for i in range(NUM_ROWS)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def train(checkpoint, rows, folder, batch, pack_size):
    """(records of the steps, the log)."""
    recipe = {
        "recipe": "TrainFinetuneRecipeForNextTokenPrediction", "device": "cpu",
        "step_scheduler": {"global_batch_size": batch, "local_batch_size": 1, "max_steps": 2, "num_epochs": 2},
        "model": {"_target_": "nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained",
                  "pretrained_model_name_or_path": str(checkpoint)},
        "checkpoint": {"enabled": False, "checkpoint_dir": str(folder)},
        "dataset": {"_target_": "nemo_automodel.components.datasets.llm.column_mapped_text_instruction_dataset."
                                "ColumnMappedTextInstructionDataset",
                    "path_or_dataset_id": str(rows), "column_mapping": {"question": "q", "answer": "a"}},
        "dataloader": {"collate_fn": "nemo_automodel.components.datasets.utils.packed_sequence_thd_collater"},
        "packed_sequence": {"packed_sequence_size": pack_size},
        "optimizer": {"_target_": "torch.optim.SGD", "lr": 0.05},
    }
    folder.mkdir()
    (folder / "recipe.yaml").write_text(json.dumps(recipe))
    done = run(folder / "recipe.yaml")
    if done.returncode != 0:
        sys.exit(done.stderr[-2000:])
    return [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()], done.stderr


def compare(family, root):
    checkpoint = root / family
    if not tiny.save_model(family, checkpoint):
        sys.exit(f"the parity suite makes no checkpoint of {family}")
    rows = write_rows(checkpoint)
    _, log = train(checkpoint, rows, root / f"{family}-plan", 1, 100)
    packed_rows, packs = map(int, re.search(r"Packed (\d+) rows into (\d+) sequences", log).groups())
    assert packed_rows == NUM_ROWS and 3 <= packs < NUM_ROWS / 2, log
    packed, _ = train(checkpoint, rows, root / f"{family}-packed", packs, 100)
    apart, _ = train(checkpoint, rows, root / f"{family}-apart", NUM_ROWS, 0)
    worst = 0.0
    for one, other in zip(packed, apart, strict=True):
        assert one["num_label_tokens"] == other["num_label_tokens"], (one, other)
        worst = max(worst, *(abs(one[key] / other[key] - 1) for key in ("loss", "grad_norm")))
    print(f"{family}: {NUM_ROWS} rows in {packs} packs, worst relative difference {worst:.1e}")
    return worst


def main():
    with tempfile.TemporaryDirectory() as name:
        worst = max(compare(family, pathlib.Path(name)) for family in FAMILIES)
    if not math.isfinite(worst) or worst > BOUND:
        sys.exit(f"above {BOUND}")


main()
