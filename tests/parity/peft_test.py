"""Adapters against Hugging Face's PEFT, live, both ways: logits, loss, every gradient; and checkpoint merge against
merge_and_unload."""
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tensors are tiny; waiting threads cost more than they help
import peft
import torch
import transformers
from safetensors.torch import load_file

import checkpoints
from program import call, program
from variants import Variant

BOUNDS = json.loads((pathlib.Path(__file__).parent / "tolerances.json").read_text())["float32"]
ALL_PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
TIED = {"tie_word_embeddings": True}

# What is adapted, and how: rank, alpha and the rest of LoraConfig.
CASES = [
    ("every projection", Variant("llama", "peft-all", {}), dict(r=4, lora_alpha=10, target_modules=ALL_PROJECTIONS)),
    ("q and v of a biased qkv", Variant("qwen2", "peft-qv", {}), dict(r=3, lora_alpha=6, target_modules=["q_proj", "v_proj"])),
    ("down_proj of the last layer", Variant("qwen3", "peft-one", TIED),
     dict(r=2, lora_alpha=2, target_modules=["down_proj"], layers_to_transform=[2])),
    ("head alone", Variant("llama", "peft-head", {}), dict(r=5, lora_alpha=10, target_modules=["lm_head"])),
    ("all and the tied head, rank-stabilised", Variant("qwen3", "peft-tied", TIED),
     dict(r=4, lora_alpha=3, target_modules=ALL_PROJECTIONS + ["lm_head"], use_rslora=True)),
    ("several shards", Variant("mistral", "peft-shards", {}, shard_bytes=60_000), dict(r=4, lora_alpha=8, target_modules=["o_proj", "up_proj"])),
]


def their_model(variant, folder, options):
    torch.manual_seed(5)
    base = checkpoints.load(variant, folder)
    model = peft.get_peft_model(base, peft.LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.0, **options))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.normal_(0, 0.2)
    return model


def their_results(model, ids):
    logits, loss, gradients = checkpoints.run(model, ids)
    names = {name: name.removeprefix("base_model.model.").replace(".default.", ".") for name in gradients}
    return logits, loss, {names[name]: value for name, value in gradients.items()}


def relative(ours, theirs):
    return float((ours - theirs).norm() / theirs.norm().clamp_min(1e-12))


class Report:
    def __init__(self):
        self.failures, self.largest = [], {}

    def bound(self, case, what, value, bound):
        self.largest[what] = max(self.largest.get(what, 0.0), value)
        if not value <= bound:
            self.failures.append(f"{case}: {what} {value:.2e} over {bound:.0e}")

    def true(self, case, holds, what):
        if not holds:
            self.failures.append(f"{case}: {what}")


def ours_from_theirs(report, case, variant, folder, options):
    """PEFT's folder on our model."""
    model = their_model(variant, folder, options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of adapters on a tied head, when saving
        model.save_pretrained(folder / "adapter")
    ids, _ = checkpoints.make_rows(variant)
    (folder / "ids.json").write_text(json.dumps(ids))
    call("model", "forward", "-m", folder, "-a", folder / "adapter", "--ids", folder / "ids.json", "--grads",
         "-o", folder / "ours.safetensors")
    ours = load_file(folder / "ours.safetensors")
    logits, loss, gradients = their_results(model, ids)
    report.bound(case, "logits", float((ours["logits"] - logits).abs().max()), BOUNDS["logits_max_abs"])
    report.bound(case, "loss", abs(float(ours["loss"] - loss)) / float(loss), BOUNDS["loss_relative"])
    report.true(case, {name[5:] for name in ours if name.startswith("grad.")} == set(gradients),
                f"gradients of {sorted(name for name in ours if name.startswith('grad.'))}")
    for name, gradient in gradients.items():
        report.bound(case, "gradient", relative(ours["grad." + name], gradient), BOUNDS["grad_relative_norm"])


def merged_as_theirs(report, case, variant, folder, options, stored):
    """checkpoint merge against merge_and_unload, tensor by tensor, and by logits."""
    out = folder / f"merged-{stored}"
    base = folder
    if stored != "float32":
        base = folder / stored
        checkpoints.load(variant, folder, dtype=getattr(torch, stored)).save_pretrained(base)
    call("checkpoint", "merge", "-m", base, "-a", folder / "adapter", "-o", out)
    loaded = checkpoints.load(variant, base, dtype=getattr(torch, stored))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peft.PeftModel.from_pretrained(loaded, folder / "adapter").merge_and_unload().state_dict()
    ours, info = transformers.AutoModelForCausalLM.from_pretrained(out, dtype=getattr(torch, stored),
                                                                   output_loading_info=True)
    report.true(case, not info["missing_keys"] and not info["unexpected_keys"], f"{stored}: keys {info}")
    ours = ours.state_dict()
    tied_head = variant.config.get("tie_word_embeddings") and "lm_head" in options["target_modules"]
    for name, expected in theirs.items():
        if tied_head and name == "model.embed_tokens.weight":
            continue  # PEFT merges the head's adapter into the shared embedding too: see the logits below
        wrong = (ours[name].float() - expected.float()).abs()
        if stored == "float32":
            report.bound(case, "merged float32", float(wrong.max()), 1e-6)
        else:  # rounded once: another order of the same sum moves few values, and those by one unit
            share = float((wrong > 0).float().mean())
            report.bound(case, "merged bfloat16, share of values that differ", share, 1e-3)
    if stored == "float32":
        ids, _ = checkpoints.make_rows(variant)
        call("model", "forward", "-m", out, "--ids", folder / "ids.json", "-o", folder / "merged.safetensors")
        adapted = load_file(folder / "ours.safetensors")["logits"]
        error = float((load_file(folder / "merged.safetensors")["logits"] - adapted).abs().max())
        report.bound(case, "logits of the merged", error, BOUNDS["logits_max_abs"])


RECIPE = """
recipe: TrainFinetuneRecipeForNextTokenPrediction
step_scheduler: {{global_batch_size: 2, local_batch_size: 2, max_steps: 2, val_every_steps: 1000}}
model:
  _target_: nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained
  pretrained_model_name_or_path: {folder}
distributed: {{mp_policy: {{param_dtype: float32}}}}
checkpoint: {{checkpoint_dir: {folder}/run}}
dataset:
  _target_: nemo_automodel.components.datasets.llm.nanogpt_dataset.NanogptDataset
  file_pattern: {folder}/ids.bin
  seq_len: 16
optimizer: {{_target_: torch.optim.AdamW, lr: 0.05}}
peft:
  _target_: nemo_automodel.components._peft.lora.PeftConfig
  match_all_linear: {all}
  lora_A_init: uniform
  dim: 6
  alpha: 9
"""


def theirs_from_ours(report, case, variant, folder):
    """What a run of ours leaves, loaded by PEFT."""
    write_shard(folder / "ids.bin", [i * 37 % 101 for i in range(400)])
    whole = "true" if not variant.config.get("tie_word_embeddings") else "false"
    (folder / "recipe.yaml").write_text(RECIPE.format(folder=folder, all=whole))
    call(folder / "recipe.yaml")
    model = peft.PeftModel.from_pretrained(checkpoints.load(variant, folder), folder / "run/LATEST/model")
    trained = [float(value.abs().max()) for name, value in model.named_parameters() if "lora_B" in name]
    report.true(case, trained and min(trained) > 0, "some B is still zero, or was not loaded")
    ids, _ = checkpoints.make_rows(variant)
    with torch.no_grad():
        logits = model(input_ids=checkpoints.pad(ids, 0)).logits
    for row, tokens in enumerate(ids):
        logits[row, len(tokens):] = 0
    call("model", "forward", "-m", folder, "-a", folder / "run", "--ids", folder / "ids.json", "-o",
         folder / "ours.safetensors")
    error = float((load_file(folder / "ours.safetensors")["logits"] - logits).abs().max())
    report.bound(case, "logits of our adapter in PEFT", error, BOUNDS["logits_max_abs"])


def write_shard(path, ids):
    """A nanoGPT shard: 256 int32 of header (magic, version, count, bytes a token), then uint16 ids."""
    header = torch.zeros(256, dtype=torch.int32)
    header[0], header[1], header[2], header[3] = 278895051, 1, len(ids), 2
    path.write_bytes(header.numpy().tobytes() + torch.tensor(ids, dtype=torch.uint16).numpy().tobytes())


# Of PEFT's keys, those that change nothing here or are honoured ...
INITIALISATIONS = [True, False, "gaussian", "Gaussian", "eva", "orthogonal", "mica"]  # B A = 0 on the base as it is
CHANGE_NOTHING = {"lora_dropout": 0.5, "inference_mode": True, "megatron_core": "megatron.core", "qalora_group_size": 4,
                  "loftq_config": {"loftq_bits": 4}, "eva_config": {"rho": 1.5}, "corda_config": {"corda_method": "kpm"},
                  "lora_ga_config": {"scale": "unit"}, "revision": "main", "auto_mapping": None, "peft_version": "0.0.1",
                  "task_type": "CAUSAL_LM"}
HONOURED = {"r", "lora_alpha", "use_rslora", "target_modules", "exclude_modules", "layers_to_transform", "layers_pattern",
            "base_model_name_or_path", "init_lora_weights", "bias", "runtime_config"}  # the last is never written
# ... and a value of each of the others, which is refused by the key's name.
REFUSED = {"peft_type": "IA3", "use_dora": True, "modules_to_save": ["embed_tokens"], "rank_pattern": {"q_proj": 2},
           "alpha_pattern": {"q_proj": 2}, "fan_in_fan_out": True, "megatron_config": {"tensor_model_parallel_size": 2},
           "trainable_token_indices": [1], "velora_config": {"scale": 2.0}, "alora_invocation_tokens": [7],
           "use_qalora": True, "monteclora_config": {"num_samples": 3}, "layer_replication": [[0, 1]], "lora_bias": True,
           "target_parameters": ["mlp.experts.gate_up_proj"], "use_bdlora": {"nblocks": 2}, "arrow_config": {"top_k": 2},
           "kasa_config": {"beta": 0.1}, "ensure_weight_tying": True, "a_key_of_a_later_peft": {"x": 1}}
CHANGED_BASES = ["pissa", "pissa_niter_4", "olora", "OLoRA", "corda", "loftq", "lora_ga", "of_a_later_peft"]


class Edited:
    """An adapter folder whose configuration has other values for a while."""

    def __init__(self, adapter, **changes):
        self.path, self.changes = adapter / "adapter_config.json", changes
        self.text = self.path.read_text()

    def __enter__(self):
        self.path.write_text(json.dumps({**json.loads(self.text), **self.changes}))

    def __exit__(self, *_):
        self.path.write_text(self.text)


def their_logits(variant, folder, adapter, dtype=torch.float32):
    ids, _ = checkpoints.make_rows(variant)
    with warnings.catch_warnings(), torch.no_grad(), checkpoints.default_dtype(dtype):
        warnings.simplefilter("ignore")
        model = peft.PeftModel.from_pretrained(checkpoints.load(variant, folder, dtype), adapter,
                                               autocast_adapter_dtype=False).to(dtype)
        logits = model(input_ids=checkpoints.pad(ids, 0)).logits
    for row, tokens in enumerate(ids):
        logits[row, len(tokens):] = 0
    return logits


def keys(report, variant, folder):
    """Every key of PEFT's configuration: with no effect, honoured as PEFT does, or refused by its name."""
    adapter = folder / "adapter"
    known = set(CHANGE_NOTHING) | HONOURED | set(REFUSED)
    fields = {field.name for field in dataclasses.fields(peft.LoraConfig)}
    report.true("keys", fields <= known, f"keys of peft that nothing is said of: {sorted(fields - known)}")

    def same(case, **changes):
        with Edited(adapter, **changes):
            call("model", "forward", "-m", folder, "-a", adapter, "--ids", folder / "ids.json", "-o",
                 folder / "edited.safetensors")
            ours = load_file(folder / "edited.safetensors")["logits"]
            error = float((ours - their_logits(variant, folder, adapter)).abs().max())
            if error > BOUNDS["logits_max_abs"]:  # rounding of either side: float64 decides
                error = float((ours - their_logits(variant, folder, adapter, torch.float64)).abs().max())
        report.bound(case, "logits with other keys", error, BOUNDS["logits_max_abs"])

    for value in INITIALISATIONS:
        same(f"init_lora_weights {value}", init_lora_weights=value)
    same("keys without effect", **CHANGE_NOTHING)
    same("a regular expression", target_modules=r".*\.(?:q|k|v|o|gate|up|down)_proj")
    same("rank-stabilised", use_rslora=True)
    plain = their_logits(variant, folder, adapter)
    for value in ("pissa", "olora"):  # else the refusals below would prove nothing
        with Edited(adapter, init_lora_weights=value):
            moved = float((their_logits(variant, folder, adapter) - plain).abs().max())
        report.true(value, moved > 10 * BOUNDS["logits_max_abs"], f"peft gives the same logits ({moved:.1e})")


def refusals(report, folder):
    """What is not LoRA on the linears of the base as it is, is named, by every command that reads an adapter."""
    adapter, out = folder / "adapter", folder / "no"
    merge = ("checkpoint", "merge", "-m", folder, "-a", adapter, "-o", out)
    forward = ("model", "forward", "-m", folder, "-a", adapter, "--ids", folder / "ids.json", "-o", out)
    generate = ("generate", "-m", folder, "--adapter", adapter, "--ids", folder / "prompt.json")
    (folder / "prompt.json").write_text("[[1, 2, 3]]")
    resume = (folder / "recipe.yaml", "--step_scheduler.max_steps", "3")

    def refused(command, key, **changes):
        with Edited(folder / "run/LATEST/model" if command is resume else adapter, **changes):
            done = subprocess.run([program(), *map(str, command)], capture_output=True, text=True)
        report.true("refusal", done.returncode in (1, 2, 3) and f'"{key}"' in done.stderr and not out.exists(),
                    f"{command[0]}, {changes}: status {done.returncode}: {done.stderr[-200:]}")

    for key, value in {**REFUSED, "bias": "all"}.items():
        refused(merge, key, **{key: value})
    for value in CHANGED_BASES:
        refused(merge, "init_lora_weights", init_lora_weights=value)
    for command in (forward, generate, resume):
        refused(command, "init_lora_weights", init_lora_weights="pissa")
        refused(command, "use_dora", use_dora=True)
    # Matrices that PEFT would pass over.
    refused(forward, "exclude_modules", exclude_modules=["v_proj"])
    refused(forward, "target_modules", target_modules=["q_proj"])
    refused(forward, "target_modules", target_modules=r".*\.q_proj")
    refused(merge, "layers_to_transform", layers_to_transform=[0])
    refused(merge, "layers_to_transform", layers_to_transform=1, layers_pattern="layers")


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.simplefilter("ignore", FutureWarning)  # peft's calls into transformers
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        for case, variant, options in CASES:
            folder = pathlib.Path(name) / variant.key
            checkpoints.save(variant, folder)
            ours_from_theirs(report, case, variant, folder, options)
            for stored in ("float32", "bfloat16"):
                merged_as_theirs(report, case, variant, folder, options, stored)
            theirs_from_ours(report, case, variant, folder)
            if case == "every projection":
                keys(report, variant, folder)
                refusals(report, folder)
    for what, value in report.largest.items():
        print(f"largest {what}: {value:.2e}")
    if report.failures:
        sys.exit("\n".join(report.failures[:20]))
    print(f"{len(CASES)} adapters agree with peft {peft.__version__}")


main()
