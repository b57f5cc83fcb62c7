"""The published vectors of llama.cpp: texts and their ids."""

import gzip
import json
import pathlib
import tempfile

from program import automodel, finish, shared

SEPARATOR = "\n__ggml_vocab_test__\n"


def cases(folder):
    yield "gpt-2", shared("data/tokenizers/gpt2/tokenizer.json")
    yield "phi-3", shared("data/tokenizers/phi-3-mini/tokenizer.json")
    unpacked = pathlib.Path(folder) / "tokenizer.json"
    unpacked.write_bytes(gzip.decompress(shared("data/derived/tokenizers/qwen2.5.tokenizer.json.gz").read_bytes()))
    yield "qwen2", unpacked


def main():
    failures, count = [], 0
    vectors = shared("data/token-vectors/llama.cpp")
    with tempfile.TemporaryDirectory() as folder:
        for name, tokenizer in cases(folder):
            texts = (vectors / f"ggml-vocab-{name}.gguf.inp").read_bytes().decode().split(SEPARATOR)
            outputs = (vectors / f"ggml-vocab-{name}.gguf.out").read_text().split("\n")
            for text, output in zip(texts, outputs, strict=False):
                expected = [int(word) for word in output.split()]
                run = automodel("data", "tokenize", "--tokenizer", tokenizer, "--no-special-tokens", "--json", stdin=text.encode())
                ours = json.loads(run.stdout)
                count += 1
                if ours != expected:
                    failures.append(f"{name}: {text!r}: expected {expected}, ours {ours}")
    finish(failures, f"{count} vectors")


if __name__ == "__main__":
    main()
