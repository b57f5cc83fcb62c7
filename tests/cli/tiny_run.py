"""A model that trains in a second on the quick start's conversations, in a folder of its own with a store of its own."""
import json
import os
import pathlib
import sqlite3
import subprocess
import tempfile
import time

from program import PROGRAM, ROOT, automodel

SHARE = ROOT / "share/quickstart"
DATA, VALIDATION = SHARE / "chat.jsonl", SHARE / "chat_validation.jsonl"
RECIPE = f"""recipe: TrainFinetuneRecipeForNextTokenPrediction
step_scheduler: {{global_batch_size: 2, local_batch_size: 2, max_steps: 6, ckpt_every_steps: 3, val_every_steps: 2}}
model:
  _target_: nemo_automodel.NeMoAutoModelForCausalLM.from_config
  config:
    architectures: [LlamaForCausalLM]
    model_type: llama
    vocab_size: 2048
    hidden_size: 16
    intermediate_size: 32
    num_hidden_layers: 1
    num_attention_heads: 2
    num_key_value_heads: 1
    head_dim: 8
    max_position_embeddings: 512
    rms_norm_eps: 1.0e-6
    tie_word_embeddings: true
  torch_dtype: float32
tokenizer:
  pretrained_model_name_or_path: {SHARE}/tiny-llama
dataset:
  _target_: nemo_automodel.components.datasets.llm.chat_dataset.ChatDataset
  path_or_dataset_id: {DATA}
validation_dataset:
  _target_: nemo_automodel.components.datasets.llm.chat_dataset.ChatDataset
  path_or_dataset_id: {VALIDATION}
checkpoint: {{checkpoint_dir: run}}
optimizer: {{_target_: torch.optim.AdamW, lr: 1.0e-3}}
"""


class Place:
    """A temporary folder with recipe.yaml; the checkpoint folder is run/, the store runs.db, unless said otherwise."""

    def __init__(self, folder=None):
        self._folder = tempfile.TemporaryDirectory(prefix="automodel_", dir=folder)
        self.folder = pathlib.Path(self._folder.name)
        self.store = self.folder / "runs.db"
        self.run = self.folder / "run"
        self.log = self.folder / "console.log"
        (self.folder / "recipe.yaml").write_text(RECIPE)

    def environment(self, **changes) -> dict[str, str]:
        return {**os.environ, "AUTOMODEL_RUNS": str(self.store), "OMP_NUM_THREADS": "1", **changes}

    def start(self, *overrides, log=None, preexec_fn=None, **environment) -> subprocess.Popen:
        """SIGXFSZ stays ignored (Python's own setting): a write beyond a limit fails instead of killing."""
        return subprocess.Popen([PROGRAM, "recipe.yaml", *map(str, overrides)], cwd=self.folder,
                                env=self.environment(**environment), stdout=subprocess.DEVNULL,
                                stderr=(log or self.log).open("wb"), preexec_fn=preexec_fn, restore_signals=False)

    def train(self, *overrides, preexec_fn=None, **environment) -> tuple[int, str]:
        """(exit status, standard error)"""
        status = self.start(*overrides, preexec_fn=preexec_fn, **environment).wait(timeout=120)
        return status, self.log.read_text(encoding="utf-8")

    def command(self, *arguments, **environment) -> subprocess.CompletedProcess:
        return automodel(*arguments, cwd=self.folder, env=self.environment(**environment))

    def json(self, *arguments):
        done = self.command(*arguments, "--json")
        assert done.returncode == 0, f"{arguments}: status {done.returncode}: {done.stderr}"
        return json.loads(done.stdout)

    def rows(self, sql: str, *values) -> list[tuple]:
        """Straight from the file, by Python's sqlite3."""
        with sqlite3.connect(self.store, timeout=20) as database:
            return database.execute(sql, values).fetchall()

    def lines(self, name="training.jsonl", folder=None) -> list[dict]:
        path = (folder or self.run) / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def wait_for_step(self, process: subprocess.Popen, step: int) -> bool:
        """Until training.jsonl holds the line of `step`; False when the program ended before."""
        marker = f'"step": {step},'
        while True:
            ended = process.poll() is not None
            path = self.run / "training.jsonl"
            if path.exists() and marker in path.read_text():
                return True
            if ended:
                return False
            time.sleep(0.002)
