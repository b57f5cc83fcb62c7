"""A training run with a learning rate of zero gives every family's checkpoint back: each tensor of the source under its name, to
the bit, and transformers loads the folder with nothing missing or left over. Only corrections of routers move: by their
rate a step, whatever the learning rate.

round_trip_test.py [PATTERN]: only the families whose name holds PATTERN.
"""
import os
import pathlib
import struct
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
import transformers
from safetensors.torch import load_file

import checkpoints
import moe_test
import moe_variants
from program import run
from variants import FAMILIES, Variant

RECIPE = """
recipe: TrainFinetuneRecipeForNextTokenPrediction
step_scheduler: {{global_batch_size: 2, local_batch_size: 2, max_steps: 2, num_epochs: 9, ckpt_every_steps: 100}}
model:
  _target_: nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained
  pretrained_model_name_or_path: {model}
  torch_dtype: float32
checkpoint: {{enabled: true, checkpoint_dir: {folder}/ckpt, model_save_format: safetensors, save_consolidated: true}}
dataset:
  _target_: nemo_automodel.components.datasets.llm.nanogpt_dataset.NanogptDataset
  file_pattern: {root}/tokens.bin
  seq_len: 32
dataloader: {{_target_: torchdata.stateful_dataloader.StatefulDataLoader, shuffle: false}}
optimizer: {{_target_: torch.optim.AdamW, lr: 0.0, weight_decay: 0.1}}
"""


def write_tokens(path):
    """A nanoGPT shard of 2,000 ids below 97: 256 header words (magic, version, count, bytes a token), then uint16."""
    header = [2788_95051, 1, 2000, 2] + [0] * 252
    path.write_bytes(struct.pack("<256i", *header) + struct.pack("<2000H", *((i * 7) % 97 for i in range(2000))))


RATE = 0.001
STEPS = 2


def moved_by_rate(before, after):
    """Whether each number went up, down or stayed in each of the steps."""
    steps = (after - before) / RATE
    return float((steps - steps.round()).abs().max()) < 1e-3 and float(steps.abs().max()) <= STEPS + 1e-3


def check(family, root):
    """"" when the family's checkpoint comes back, else what is wrong."""
    folder = root / family
    variant = Variant(family, "round-trip")
    with_experts = family in moe_variants.FAMILIES
    (moe_test if with_experts else checkpoints).save(variant, folder / "model")
    (folder / "recipe.yaml").write_text(RECIPE.format(model=folder / "model", folder=folder, root=root))
    done = run("pretrain", "llm", "-c", folder / "recipe.yaml")
    if done.returncode:
        return done.stderr[-600:]
    exported = next((folder / "ckpt").glob("epoch_*_step_*")) / "model" / "consolidated"
    before = load_file(folder / "model" / "model.safetensors")
    after = {name: value for file in exported.glob("*.safetensors") for name, value in load_file(file).items()}
    if set(before) != set(after):
        return f"tensors differ in {sorted(set(before) ^ set(after))[:4]}"
    changed = [name for name in before if not torch.equal(before[name], after[name])
               and not ("correction" in name and moved_by_rate(before[name], after[name]))]
    if changed:
        return f"{len(changed)} tensors changed: {changed[:4]}"
    model_class = (moe_test.classes(variant) if with_experts else checkpoints.classes(family))[1]
    _, info = model_class.from_pretrained(exported, output_loading_info=True)
    left = {what: names for what, names in info.items() if names and what != "error_msgs"}
    return f"transformers: {left}" if left else ""


def main():
    transformers.logging.set_verbosity_error()
    pattern, failed = sys.argv[1] if len(sys.argv) > 1 else "", []
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        write_tokens(root / "tokens.bin")
        for family in {**FAMILIES, **moe_variants.FAMILIES}:
            if pattern not in family:
                continue
            wrong = check(family, root)
            print(f"{family:16} {wrong or 'comes back'}", flush=True)
            if wrong:
                failed.append(family)
    if failed:
        sys.exit(f"do not come back: {', '.join(failed)}")


if __name__ == "__main__":
    main()
