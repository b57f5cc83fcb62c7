"""Rows of plain text by `show_rows` against transformers' tokenizers and the group_texts of its run_clm.py: documents
joined, cut into rows of one length, the rest dropped; each token's label is the one that follows it."""

import gzip
import json
import pathlib
import tempfile

from program import finish, shared, show_rows_of
from transformers import AutoTokenizer
from transformers.utils import logging

TOKENIZERS = ("gpt2", "gpt-neox-20b", "phi-3-mini", "tinyllama-v0")


def group_texts(documents, length):
    """The tokens of all documents in blocks; run_clm.py does the same by columns."""
    joined = sum(documents, [])
    return [joined[at:at + length] for at in range(0, len(joined) // length * length, length)], joined


def expected_rows(tokenizer, texts, length, append_eos):
    documents = []
    for ids in tokenizer(texts)["input_ids"] if texts else []:
        ends = append_eos and (not ids or ids[-1] != tokenizer.eos_token_id)
        documents.append(ids + [tokenizer.eos_token_id] * ends)
    blocks, joined = group_texts(documents, length)
    labels = joined[1:] + [-100]
    return [{"input_ids": block, "labels": labels[at * length:(at + 1) * length]} for at, block in enumerate(blocks)]


def sets(folder):
    """(name, file, texts, options) of real texts."""
    shakespeare = (shared("data/datasets") / "tinyshakespeare/input.txt").read_text()[:200_000]
    (folder / "play.txt").write_text(shakespeare)
    yield "one document", folder / "play.txt", [shakespeare], []
    parts = [part for part in shakespeare.split("\n\n") if part.strip()]
    yield "separated", folder / "play.txt", parts, ["document_separator=\n\n"]
    with gzip.open(shared("data/datasets") / "c4-sample/c4-sample.01.json.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines][:200]
    (folder / "pages.jsonl").write_text("".join(json.dumps({"text": row["text"]}) + "\n" for row in rows))
    yield "pages", folder / "pages.jsonl", [row["text"] for row in rows], []


def main():
    logging.set_verbosity_error()
    failures, compared = [], 0
    with tempfile.TemporaryDirectory() as name:
        for set_name, file, texts, options in sets(pathlib.Path(name)):
            for source in TOKENIZERS:
                folder = shared("data/tokenizers") / source
                tokenizer = AutoTokenizer.from_pretrained(folder)
                for length in (128, 1000):
                    for append_eos in (True, False) if tokenizer.eos_token_id is not None else (False,):
                        words = [*options, f"seq_length={length}", f"append_eos={str(append_eos).lower()}"]
                        ours = show_rows_of(folder, "text", file, *words)
                        theirs = expected_rows(tokenizer, texts, length, append_eos)
                        compared += len(theirs)
                        if ours != theirs:
                            at = next((i for i, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), "end")
                            failures.append(f"{set_name}, {source}, {length}, EOS {append_eos}: {len(ours)} and {len(theirs)} "
                                            f"rows, first difference at {at}")
    finish(failures, f"{compared} rows compared")


if __name__ == "__main__":
    main()
