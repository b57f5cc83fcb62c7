"""Every tokenizer.json at hand on five megabytes of mixed text, id for id against Python's tokenizers."""

import gzip
import json
import pathlib
import tempfile
import time

import corpus
import tokenizers
from program import automodel, finish, shared


def tokenizer_files(folder):
    yield from sorted(shared("data/tokenizers").glob("*/tokenizer*.json"))
    yield from sorted(shared("data/tokenizers").glob("*/*tokenizer.json"))
    packed = shared("data/derived/tokenizers/qwen2.5.tokenizer.json.gz")
    unpacked = pathlib.Path(folder) / "qwen2.5.tokenizer.json"
    unpacked.write_bytes(gzip.decompress(packed.read_bytes()))
    yield unpacked


def first_difference(ours, theirs, texts):
    for index, (a, b) in enumerate(zip(ours, theirs)):
        if a != b:
            return f"line {index}: {texts[index]!r}\n  ours   {a}\n  theirs {b}"
    return f"{len(ours)} lists of ids for {len(theirs)} lines"


def check(path, lines, text_file, failures):
    """Compares one file; returns the number of ids, or None when neither side reads the file."""
    try:
        theirs = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises plain Exception
        run = automodel("data", "tokenize", "--tokenizer", path, "--json")
        if run.returncode != 3:
            failures.append(f"{path}: tokenizers says {error}, we end with {run.returncode}: {run.stderr.decode()}")
        return None
    theirs.no_truncation()
    theirs.no_padding()
    expected = [encoding.ids for encoding in theirs.encode_batch(lines)]
    start = time.monotonic()
    run = automodel("data", "tokenize", "--tokenizer", path, "--lines", "--json", text_file)
    seconds = time.monotonic() - start
    ours = [json.loads(line) for line in run.stdout.decode().splitlines()]
    if ours != expected:
        failures.append(f"{path}: {first_difference(ours, expected, lines)} {run.stderr.decode()}")
    count = sum(map(len, expected))
    print(f"{path.parent.name}/{path.name}: {len(lines)} lines, {count} ids, {seconds:.1f} s")
    return count


def check_whole(path, text_file, failures):
    """The whole text as one, without special tokens."""
    theirs = tokenizers.Tokenizer.from_file(str(path))
    expected = theirs.encode(text_file.read_text(), add_special_tokens=False).ids
    run = automodel("data", "tokenize", "--tokenizer", path, "--no-special-tokens", "--json", text_file)
    if json.loads(run.stdout) != expected:
        failures.append(f"{path}: the whole text at once differs")


def main():
    lines = corpus.lines()
    failures, num_ids, num_files, refused = [], 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        text_file = pathlib.Path(folder) / "corpus.txt"
        text_file.write_bytes("".join(line + "\n" for line in lines).encode())
        for path in dict.fromkeys(tokenizer_files(folder)):
            if "config" in path.name:
                continue
            count = check(path, lines, text_file, failures)
            num_files += count is not None
            refused += count is None
            num_ids += count or 0
        check_whole(shared("data/tokenizers/gpt2/tokenizer.json"), text_file, failures)
        size = text_file.stat().st_size
    finish(failures, f"{num_files} tokenizers on {size} bytes: {num_ids} ids compared; {refused} files refused by both")


if __name__ == "__main__":
    main()
