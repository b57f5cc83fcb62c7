"""Tiny checkpoints of any family, with one tokenizer of single characters, and rows for every kind of data."""
import json
import pathlib
import re
import struct
import sys

import tokenizers
import transformers
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "parity"))
import checkpoints  # noqa: E402
import moe_test  # noqa: E402
import moe_variants  # noqa: E402
import remote_models  # noqa: E402
from variants import FAMILIES, Variant  # noqa: E402

TEMPLATE = "{% for m in messages %}{{ m['role'][0] + ':' + m['content'] + '\n' }}{% endfor %}"
REMOTE = {"baichuan": "baichuan-7b", "decilm": "decilm"}  # no class in transformers
NUM_ROWS = 8  # two steps of four, behind those that a slice of the split leaves out


def save_tokenizer(folder):
    """The 101 ids that the checkpoints know: special tokens and printable characters."""
    characters = ["<pad>", "<s>", "</s>", "<unk>", "\n"] + [chr(code) for code in range(32, 127)]
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel({c: i for i, c in enumerate(characters)}, unk_token="<unk>"))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex(r"[\s\S]"), "isolated")
    names = dict(pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, chat_template=TEMPLATE, **names)
    fast.save_pretrained(folder)


def save_model(model_type, folder):
    """False when the parity suite has no such checkpoint."""
    folder.mkdir(parents=True)
    family = model_type.removesuffix("+experts")
    if model_type in REMOTE:
        reference, config, _ = remote_models.CASES[REMOTE[model_type]]
        (folder / "config.json").write_text(json.dumps(config))
        save_file(remote_models.make_weights(reference(config).shapes()), folder / "model.safetensors")
    elif model_type in FAMILIES:
        checkpoints.save(Variant(family, "plain"), folder)
    elif family in moe_variants.FAMILIES:
        moe_test.save(Variant(family, "plain"), folder)
    else:
        return False
    save_tokenizer(folder)
    return True


def nanogpt_shard(first=0):
    ids = [i * i % 101 for i in range(first, first + 1000)]
    return struct.pack("<4i", 278895051, 1, len(ids), 2).ljust(1024, b"\0") + struct.pack(f"<{len(ids)}H", *ids)


def rows_for(target, node):
    """Rows as the class `target` reads them."""
    slices = map(int, re.findall(r"\d+", str(node.get("split", ""))))
    for i in range(NUM_ROWS + max(slices, default=0)):
        question, answer = f"How much is {i} and {i}?", str(2 * i)
        if target == "make_squad_dataset":
            yield {"context": "Numbers.", "question": question, "answers": {"text": [answer], "answer_start": [0]}}
        elif target == "HellaSwag":
            yield {"ctx": f"She counts to {i},", "endings": [" then stops.", " then sings."], "label": str(i % 2)}
        elif target == "ChatDataset":
            yield {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}
        else:
            yield {column: answer if role == "answer" else question for role, column in node["column_mapping"].items()}
