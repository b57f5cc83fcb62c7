"""SmolLM2-135M-Instruct against transformers' values: losses, argmax, gradient norms, ten AdamW steps; then a stock
recipe fine-tunes it and its validation loss falls."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file

import bounds
from checks import Checks, skip
from golden import PROGRAM, SHARED, read_jsonl

REFERENCE = SHARED / "real-models/smollm2-135m.reference.json"
STOCK = SHARED / "data/automodel-recipes/llm_finetune/llama3_1/customizer_llama_3_1_8b_full_sft_tp.yaml"


def automodel(*arguments):
    finished = subprocess.run([str(PROGRAM), *map(str, arguments)], stderr=subprocess.PIPE, text=True)
    if finished.returncode:
        print(finished.stderr[-4000:])
        print(f"FAILED automodel {' '.join(map(str, arguments))}: exit status {finished.returncode}")
        sys.exit(1)


def forward(folder: pathlib.Path, model: pathlib.Path, ids: list[list[int]], *options: str) -> dict[str, torch.Tensor]:
    (folder / "ids.json").write_text(json.dumps(ids))
    output = folder / "out.safetensors"
    automodel("model", "forward", "-m", model, "--ids", folder / "ids.json", "-o", output, *options)
    return load_file(output)


def token_losses(logits: torch.Tensor, ids: list[int]) -> torch.Tensor:
    """Cross-entropy of every next token, in float32 as the reference values were made: with 49,152 words torch's own
    float32 sums lie 9e-6 below the exact ones."""
    table = torch.log_softmax(logits[: len(ids) - 1], dim=-1)
    return -table.gather(1, torch.tensor(ids[1:])[:, None])[:, 0].double()


def check_forward(checks: Checks, folder, model, rows):
    out = forward(folder, model, [row["ids"] for row in rows])
    total, count, agree, positions = 0.0, 0, 0, 0
    for number, row in enumerate(rows):
        logits = out["logits"][number, : len(row["ids"])]
        losses = token_losses(logits, row["ids"])
        error = (losses - torch.tensor(row["fp32"]["nll"], dtype=torch.float64)).abs().max().item()
        checks.close("loss of a token", f"row {number}", error, 0.0, absolute=bounds.TOKEN_LOSS_ABSOLUTE)
        agree += (logits.argmax(-1) == torch.tensor(row["fp32"]["argmax"])).sum().item()
        positions += len(row["ids"])
        total, count = total + losses.sum().item(), count + len(losses)
    checks.close("mean loss", f"{count} tokens", total / count, 1.890075, absolute=bounds.MEAN_LOSS_ABSOLUTE)
    checks.true(agree >= bounds.ARGMAX_SHARE * positions, f"argmax agrees on {agree} of {positions} tokens")
    print(f"mean loss {total / count:.6f} over {count} tokens; argmax agrees on {agree} of {positions}")


def check_gradients(checks: Checks, folder, model, rows, reference):
    out = forward(folder, model, [rows[0]["ids"]], "--grads")
    checks.close("loss of row 0", "model forward", out["loss"].item(), reference["loss"], relative=bounds.LOSS)
    expected = reference["per_param_norm"]
    checks.equal("parameters with a gradient", sorted(k.removeprefix("grad.") for k in out if k.startswith("grad.")),
                 sorted(expected))
    square = 0.0
    for name, norm in expected.items():
        # In float32, as the reference values were made: over 900,000 elements torch's own sum is off by up to 1.4e-4.
        ours = out[f"grad.{name}"].norm().item()
        square += ours * ours
        checks.close("gradient norm", name, ours, norm, relative=bounds.PARAMETER_GRAD_NORM)
    checks.close("global gradient norm", "row 0", square**0.5, reference["global_norm"], relative=bounds.GRAD_NORM)


def check_ten_steps(checks: Checks, folder, model, rows, reference):
    """Row i in step i, every token supervised: a conversation of one assistant turn whose template adds nothing."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    with (folder / "rows.jsonl").open("w") as file:
        for row in rows:
            file.write(json.dumps({"messages": [{"role": "assistant", "content": tokenizer.decode(row["ids"])}]}) + "\n")
    recipe = folder / "ten_steps.yaml"
    recipe.write_text(f"""
recipe: TrainFinetuneRecipeForNextTokenPrediction
step_scheduler: {{global_batch_size: 1, local_batch_size: 1, max_steps: 10, num_epochs: 1}}
model:
  _target_: nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained
  pretrained_model_name_or_path: {model}
  torch_dtype: float32
checkpoint: {{checkpoint_dir: {folder}/ten_steps, save_consolidated: final}}
clip_grad_norm: {{max_norm: null}}
dataset:
  _target_: nemo_automodel.components.datasets.llm.chat_dataset.ChatDataset
  path_or_dataset_id: {folder}/rows.jsonl
  chat_template: "{{% for m in messages %}}{{{{ m.content }}}}{{% endfor %}}"
dataloader: {{shuffle: false}}
optimizer: {{_target_: torch.optim.AdamW, lr: 1.0e-5, betas: [0.9, 0.999], eps: 1.0e-8, weight_decay: 0.0}}
""")
    automodel(recipe)
    steps = read_jsonl(folder / "ten_steps/training.jsonl")
    checks.equal("label tokens of each step", [s["num_label_tokens"] for s in steps], [len(r["ids"]) - 1 for r in rows])
    for number, step in enumerate(steps):
        checks.close("loss of ten steps", f"step {number}", step["loss"], reference["loss_before_step"][number],
                     relative=bounds.LOSS)
        checks.close("gradient norm of ten steps", f"step {number}", step["grad_norm"], reference["grad_norm"][number],
                     relative=bounds.GRAD_NORM)
    out = forward(folder, folder / "ten_steps/epoch_0_step_9/model/consolidated", [row["ids"] for row in rows])
    losses = [token_losses(out["logits"][n], row["ids"]) for n, row in enumerate(rows)]
    mean = (sum(l.sum() for l in losses) / sum(len(l) for l in losses)).item()
    checks.close("mean loss after ten steps", "all rows", mean, 1.633610, absolute=bounds.MEAN_LOSS_ABSOLUTE)


def check_stock_recipe(checks: Checks, folder, model):
    data = SHARED / "golden/inputs/data"
    automodel("finetune", "llm", "-c", STOCK, "--model.pretrained_model_name_or_path", model,
              "--model.torch_dtype", "float32", "--distributed.dp_size", "none", "--distributed.tp_size", "1",
              "--dataset.path_or_dataset_id", data / "gsm8k_train.jsonl", "--dataset.limit_dataset_samples", "36",
              "--dataset.column_mapping", "{'question': 'question', 'answer': 'answer'}",
              "--validation_dataset.path_or_dataset_id", data / "gsm8k_val.jsonl",
              "--validation_dataset.column_mapping", "{'question': 'question', 'answer': 'answer'}",
              "--validation_dataset.limit_dataset_samples", "8",
              "--step_scheduler.global_batch_size", "4", "--step_scheduler.local_batch_size", "2",
              "--step_scheduler.max_steps", "9", "--step_scheduler.val_every_steps", "3",
              "--step_scheduler.ckpt_every_steps", "9", "--optimizer.lr", "2e-5",
              "--checkpoint.enabled", "false", "--checkpoint.checkpoint_dir", folder / "stock")
    values = [r["val_loss"] for r in read_jsonl(folder / "stock/validation.jsonl")]
    print("validation loss of the stock recipe:", " ".join(f"{v:.4f}" for v in values))
    checks.true(len(values) == 3 and values[-1] < values[0] - 0.01, f"the validation loss does not fall: {values}")


def main():
    if not REFERENCE.exists():
        skip("../shared/real-models is absent")
    if not os.environ.get("AUTOMODEL_REAL_MODELS"):
        skip("AUTOMODEL_REAL_MODELS is not set (a folder that ../shared/real-models/build has filled)")
    model = pathlib.Path(os.environ["AUTOMODEL_REAL_MODELS"]).resolve() / "models/SmolLM2-135M-Instruct-q4_1-fp32"
    reference = json.loads(REFERENCE.read_text())
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="automodel_real_") as name:
        folder = pathlib.Path(name)
        check_forward(checks, folder, model, reference["rows"])
        check_gradients(checks, folder, model, reference["rows"], reference["row0_grad"])
        check_ten_steps(checks, folder, model, reference["rows"], reference["train10"])
        check_stock_recipe(checks, folder, model)
    checks.finish()


if __name__ == "__main__":
    main()
