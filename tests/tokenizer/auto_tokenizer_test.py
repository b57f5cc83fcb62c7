"""Tokenizer folders against transformers' AutoTokenizer: ids with and without special tokens, chat templates."""

import gzip
import json
import pathlib
import shutil
import tempfile

from program import automodel, finish, shared
from transformers import AutoTokenizer
from transformers.utils import logging

TEXTS = [
    "Hello world",
    "",
    "  Hello  1234 <s>x </s> y\n\n z",
    "a<|end|> b<|endoftext|>c",
    "नमस्ते 123 e\u0301té 🦙 \t x'S I'll",
    "<|im_start|>user\nhi<|im_end|>\n",
    " leading <|begin_of_text|> and trailing ",
]
CHAT = {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Hi é"}], "add_generation_prompt": True}


def write(folder, name, files):
    """A folder of copies: values are paths, bytes or JSON."""
    made = pathlib.Path(folder) / name
    made.mkdir()
    for file, content in files.items():
        if isinstance(content, pathlib.Path):
            shutil.copy(content, made / file)
        else:
            (made / file).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return made


def folders(temporary):
    """(folder, its reason) of every shape of folder that is read."""
    data = shared("data/tokenizers")
    gpt2, titan = data / "gpt2", data / "torchtitan-tiny"
    for name in ("gpt-neox-20b", "gpt2", "phi-2", "phi-3-mini", "tiny-added-tokens", "tinyllama-v0", "torchtitan-tiny"):
        yield data / name
    qwen = gzip.decompress(shared("data/derived/tokenizers/qwen2.5.tokenizer.json.gz").read_bytes())
    qwen_config = data / "qwen2.5/tokenizer_config.json"
    yield write(temporary, "qwen2.5", {"tokenizer.json": qwen, "tokenizer_config.json": qwen_config})
    yield write(temporary, "qwen2.5-typed", {"tokenizer.json": qwen, "tokenizer_config.json": qwen_config, "config.json": {"model_type": "qwen2"}})
    pair = {"vocab.json": gpt2 / "vocab.json", "merges.txt": gpt2 / "merges.txt"}
    yield write(temporary, "pair-gpt2", {**pair, "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer"}})
    yield write(temporary, "pair-bos", {**pair, "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True}})
    yield write(temporary, "pair-typed", {**pair, "config.json": {"model_type": "gpt2"}})
    yield write(temporary, "pair-qwen", {**pair, "tokenizer_config.json": {"tokenizer_class": "Qwen2Tokenizer", "pad_token": "<|endoftext|>"}})
    tokens = {"eos_token": "</s>", "bos_token": {"content": "<s>", "lstrip": False, "normalized": False, "rstrip": True, "single_word": False}}
    yield write(temporary, "legacy", {**pair, "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer"}, "special_tokens_map.json": tokens, "added_tokens.json": {"<s>": 50257, "</s>": 50258, "<x>": 50259}})
    fast = {"tokenizer.json": gpt2 / "tokenizer.json"}
    yield write(temporary, "extra", {**fast, "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "additional_special_tokens": ["<|im_start|>", "<|end|>"], "image_token": "<s>"}})
    yield write(temporary, "split", {**fast, "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "split_special_tokens": True}})
    llama = {"tokenizer.json": data / "phi-3-mini/tokenizer.json", "tokenizer_config.json": data / "phi-3-mini/tokenizer_config.json"}
    yield write(temporary, "phi3-typed", {**llama, "config.json": {"model_type": "phi3"}})
    yield write(temporary, "llama-typed", {**llama, "config.json": {"model_type": "llama"}})
    code = {**json.loads((data / "phi-3-mini/tokenizer_config.json").read_text()), "tokenizer_class": "CodeLlamaTokenizer"}
    yield write(temporary, "code-llama", {"tokenizer.json": data / "phi-3-mini/tokenizer.json", "tokenizer_config.json": code})
    yield write(temporary, "byte-level-llama", {**fast, "tokenizer_config.json": {"tokenizer_class": "LlamaTokenizer"}, "config.json": {"model_type": "llama"}})
    config = json.loads((titan / "tokenizer_config.json").read_text())
    files = {"tokenizer.json": titan / "tokenizer.json"}
    config["chat_template"] = [{"name": "default", "template": "D{{ bos_token }}{{ messages|length }}"}, {"name": "tool_use", "template": "T{{ tools|length }}"}]
    yield write(temporary, "named-templates", {**files, "tokenizer_config.json": config})
    yield write(temporary, "template-file", {**files, "tokenizer_config.json": config, "chat_template.jinja": b"F{{ img_token }}{{ messages[0].content }}\n"})


def check_ids(folder, theirs, failures):
    for text in TEXTS:
        for special in (True, False):
            flags = [] if special else ["--no-special-tokens"]
            run = automodel("data", "tokenize", "--tokenizer", folder, "--json", *flags, stdin=text.encode())
            expected = theirs(text, add_special_tokens=special)["input_ids"]
            if run.returncode != 0 or json.loads(run.stdout) != expected:
                failures.append(f"{folder.name}: {text!r} special={special}: {expected}, ours {run.stdout} {run.stderr.decode()}")


def check_chat(folder, temporary, theirs, failures):
    for tools in (None, [{"type": "function", "function": {"name": "f", "parameters": {}}}]):
        path = pathlib.Path(temporary) / "chat.json"
        path.write_text(json.dumps({**CHAT, "tools": tools}))
        run = automodel("data", "render", "--tokenizer", folder, "--input", path)
        expected = theirs.apply_chat_template(CHAT["messages"], tools=tools, tokenize=False, add_generation_prompt=True)
        if run.stdout.decode() != expected:
            failures.append(f"{folder.name}: chat: {expected!r}, ours {run.stdout!r} {run.stderr.decode()}")


def check_refusals(failures):
    """Folders of other kinds are refused by name."""
    data, count = shared("data/tokenizers"), 0
    for name, file in (
        ("mistral", "tokenizer.model.v1"), ("sentencepiece-test", ".model"), ("tiktoken", "r50k_base.tiktoken"),
        ("transformers-spm-fixtures", ".model"), ("bert-base-uncased", "vocab.txt"),
    ):
        run = automodel("data", "tokenize", "--tokenizer", data / name)
        count += 1
        if run.returncode == 0 or file not in run.stderr.decode() or "tokenizer.json" not in run.stderr.decode():
            failures.append(f"{name}: ended with {run.returncode}: {run.stderr.decode()}")
    return count


def main():
    logging.set_verbosity_error()
    failures, count, chats = [], 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        for folder in folders(temporary):
            theirs = AutoTokenizer.from_pretrained(folder)
            count += 1
            check_ids(folder, theirs, failures)
            if theirs.chat_template:
                chats += 1
                check_chat(folder, temporary, theirs, failures)
    refused = check_refusals(failures)
    finish(failures, f"{count} folders, {2 * len(TEXTS)} texts each, {chats} with chat templates; {refused} folders refused by name")


if __name__ == "__main__":
    main()
