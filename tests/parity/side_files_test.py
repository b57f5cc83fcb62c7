"""What a source folder holds beside its weights comes along in every export: consolidated/ and .hf_metadata/ of a run, of one
that was resumed and of one that began with an export, the merged adapter, the converted model. transformers loads each
with the Python code that it brings, and its tokenizer has the same templates."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
import transformers

from program import ROOT, call

SHARE = ROOT / "share/quickstart"
DATA = SHARE / "chat.jsonl"
CODE = {
    "configuration_mine.py": "from transformers import LlamaConfig\nclass MineConfig(LlamaConfig):\n    model_type = 'internlm3'\n",
    "modeling_mine.py": "from transformers import LlamaForCausalLM\nfrom .configuration_mine import MineConfig\n"
                        "class MineForCausalLM(LlamaForCausalLM):\n    config_class = MineConfig\n",
}
SIDE = {**CODE, "generation_config.json": '{"temperature": 0.5, "do_sample": true}', "preprocessor_config.json": '{"size": 3}',
        "processor_config.json": "{}", "video_preprocessor_config.json": "{}", "chat_template.json": '{"chat_template": "x"}',
        "chat_template.jinja": "{% for m in messages %}{{ m.role + ': ' + m.content + eos_token }}{% endfor %}",
        "additional_chat_templates/rag.jinja": "rag {{ messages[0].content }}",
        "additional_chat_templates/tool_use.jinja": "tools {{ messages[0].content }}",
        "vocab.txt": "a\nb\n", "spiece.model": "\x00\x01", "sentencepiece.bpe.model": "\x02", "tokenizer.model": "\x03",
        "special_tokens_map.json": "{}", "added_tokens.json": "{}", "qwen.tiktoken": "IQ== 0\n", "vocab.bpe": "a b\n",
        "encoder.json": "{}", "tekken.json": "{}", "modules.json": "[]", "1_Pooling/config.json": '{"pooling_mode": 1}',
        "parts/attention.py": "# code\n", "parts/deep/mask.py": "# code\n", "README.md": "# Mine\n", "LICENSE": "free\n"}
LEFT_OUT = ["pytorch_model.bin", "model.onnx", "pytorch_model.bin.index.json", "onnx/model.onnx", "onnx/config.json",
            "original/params.json", "original/consolidated.00.pth", "train.jsonl", "__pycache__/x.pyc"]
TOKENIZER_FILES = {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "additional_chat_templates/rag.jinja",
                   "additional_chat_templates/tool_use.jinja", "spiece.model", "tokenizer.model", "special_tokens_map.json"}
RECIPE = """
recipe: TrainFinetuneRecipeForNextTokenPrediction
step_scheduler: {{global_batch_size: 2, local_batch_size: 2, max_steps: 2, ckpt_every_steps: 1}}
model: {{_target_: nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained, pretrained_model_name_or_path: {base}}}
dataset: {{_target_: nemo_automodel.components.datasets.llm.chat_dataset.ChatDataset, path_or_dataset_id: {data}}}
checkpoint: {{checkpoint_dir: {run}, save_consolidated: every}}
optimizer: {{_target_: torch.optim.AdamW, lr: 1.0e-3}}
device: cpu
"""
failures = []


def check(holds, message):
    if not holds:
        failures.append(message)


def make_base(folder):
    torch.manual_seed(0)
    config = transformers.LlamaConfig(vocab_size=2048, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
                                      num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=2048)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    values = json.loads((folder / "config.json").read_text())
    values = {key: value for key, value in values.items() if key not in ("attention_bias", "mlp_bias")}
    values |= {"model_type": "internlm3", "architectures": ["InternLM3ForCausalLM"], "bias": False,
               "auto_map": {"AutoConfig": "configuration_mine.MineConfig",
                            "AutoModelForCausalLM": "modeling_mine.MineForCausalLM"}}
    (folder / "config.json").write_text(json.dumps(values))
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(SHARE / "tiny-llama" / file, folder)
    for name, text in {**SIDE, **dict.fromkeys(LEFT_OUT, "{}\n")}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def side_files(folder):
    weights = (".safetensors", ".safetensors.index.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
            and not path.name.endswith(weights) and path.name != "config.json" and not path.name.startswith("fqn_to_")} | {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*/config.json")}


def same_as(case, expected, folder):
    got = side_files(folder)
    check(got == expected, f"{case}: missing {sorted(expected.keys() - got.keys())}, more {sorted(got.keys() - expected.keys())}, "
          f"other {sorted(name for name in got.keys() & expected.keys() if got[name] != expected[name])}")


def loads(case, base, folder):
    options = {"trust_remote_code": True}
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, **options)
    check(type(model).__name__ == "MineForCausalLM", f"{case}: loaded as {type(model).__name__}")
    theirs, ours = (transformers.AutoTokenizer.from_pretrained(place, **options).chat_template for place in (base, folder))
    check(len(theirs) == 3 and ours == theirs, f"{case}: templates {ours}")


def train(folder, base, run, *overrides):
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(base=base, data=DATA, run=folder / run))
    call(recipe, *overrides)
    return folder / run / "LATEST/model"


def of_one_source(folder):
    base = folder / "base"
    make_base(base)
    expected = {name: data for name, data in side_files(base).items() if name not in LEFT_OUT}
    model = train(folder, base, "run")
    exports = {"a run": model / "consolidated", "a run's metadata": model / ".hf_metadata"}
    train(folder, base, "run", "--step_scheduler.max_steps", "3")
    exports["a resumed run"] = model / "consolidated"
    exports["a run that began with an export"] = train(folder, model / "consolidated", "second") / "consolidated"
    adapters = train(folder, base, "lora", "--peft._target_", "nemo_automodel.components._peft.lora.PeftConfig", "--peft.dim", "2")
    call("checkpoint", "merge", "-m", base, "-a", adapters, "-o", folder / "merged")
    call("checkpoint", "merge", "-m", model / "consolidated", "-a", adapters, "-o", folder / "merged2")
    call("checkpoint", "convert", base, folder / "converted", "--dtype", "bfloat16")
    exports |= {"a merged adapter": folder / "merged", "one merged into an export": folder / "merged2",
                "a converted model": folder / "converted"}
    for case, export in exports.items():
        same_as(case, expected, export)
        if "metadata" not in case:
            loads(case, base, export)
    names = set(side_files(adapters))
    check(TOKENIZER_FILES <= names, f"an adapter: missing {sorted(TOKENIZER_FILES - names)}")
    check(not names & {"preprocessor_config.json", "modeling_mine.py", "README.md"}, f"an adapter: {sorted(names)}")

    later = folder / "run/epoch_0_step_0/model"
    shutil.rmtree(later / "consolidated")
    subprocess.run(["bash", later / "consolidate.sh"], check=True, stdout=subprocess.DEVNULL)
    same_as("consolidate.sh", expected, later / "consolidated")

    # A tokenizer from elsewhere takes the place of the model's own, all of it.
    other = folder / "tokenizer"
    shutil.copytree(SHARE / "tiny-llama", other)
    (other / "additional_chat_templates").mkdir()
    (other / "additional_chat_templates/short.jinja").write_text("short")
    (other / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content + eos_token }}{% endfor %}")
    export = train(folder, base, "other", "--tokenizer.pretrained_model_name_or_path", other) / "consolidated"
    templates = transformers.AutoTokenizer.from_pretrained(export).chat_template
    check(set(templates) == {"default", "short"}, f"another tokenizer: templates {templates}")
    names = set(side_files(export))
    check(set(CODE) <= names and "preprocessor_config.json" in names and not names & {"spiece.model", "tokenizer.model",
          "additional_chat_templates/rag.jinja", "chat_template.json"}, f"another tokenizer: {sorted(names)}")


def of_ids(folder):
    """Data that are ids already need no tokenizer; that of the model's folder comes along, in whichever files it lies."""
    for form, files in (("vocab.json", ["vocab.json", "merges.txt"]), ("SentencePiece", ["spiece.model"])):
        base = folder / form
        make_base(base)
        for name in [*TOKENIZER_FILES & set(SIDE), "tokenizer.json", "additional_chat_templates"]:
            path = base / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        tokenizer = json.loads((SHARE / "tiny-llama/tokenizer.json").read_text())["model"]
        merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in tokenizer["merges"]]
        (base / "vocab.json").write_text(json.dumps(tokenizer["vocab"]))
        (base / "merges.txt").write_text("\n".join(merges) + "\n")
        (base / "spiece.model").write_text("\x00")
        for name in {"vocab.json", "merges.txt", "spiece.model"} - set(files):
            (base / name).unlink()
        header = torch.zeros(256, dtype=torch.int32)
        header[0], header[1], header[2], header[3] = 278895051, 1, 400, 2
        (folder / "ids.bin").write_bytes(header.numpy().tobytes() + torch.arange(400).to(torch.uint16).numpy().tobytes())
        export = train(folder, base, f"run {form}", "--dataset",
                       str({"_target_": "nemo_automodel.components.datasets.llm.nanogpt_dataset.NanogptDataset",
                            "file_pattern": str(folder / "ids.bin"), "seq_len": 16})) / "consolidated"
        missing = [name for name in files if not (export / name).exists()]
        check(not missing, f"ids, {form}: missing {missing}")


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for part in (of_one_source, of_ids):
        with tempfile.TemporaryDirectory() as name:
            part(pathlib.Path(name))
    if failures:
        sys.exit("\n".join(failures))
    print(f"{len(SIDE)} kinds of files in every export")


main()
