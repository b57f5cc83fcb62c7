"""A run with its own chat template leaves that template in the exported folder, where transformers finds it."""
from transformers import AutoTokenizer

from checks import Checks
from golden import Workplace, need_golden

TEMPLATE = "{% for m in messages %}[{{ m.role }}]{{ m.content }}<|im_end|>{% endfor %}"

need_golden()
checks = Checks()
work = Workplace("chat_llama")
work.run("--step_scheduler.max_steps", "1", "--dataset.chat_template", TEMPLATE)
[folder] = work.checkpoints.glob("epoch_*_step_0")
tokenizer = AutoTokenizer.from_pretrained(folder / "model/consolidated")
checks.equal("chat template of the export", tokenizer.chat_template, TEMPLATE)
checks.finish()
