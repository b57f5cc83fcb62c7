"""Rows of plain text by `show_rows` against AutoModel's rule computed with transformers: ids, and which are learnt.

The prompt's length is that of its tokens without special ones, and one more where the tokenizer's attribute
add_bos_token is true: transformers leaves it false for most folders whose post-processor adds the token."""

import json
import tempfile

import auto_tokenizer_test
from program import finish, shared, show_rows
from transformers import AutoTokenizer
from transformers.utils import logging

ROWS = [
    {"context": "The moon is far.", "question": "How far?", "answer": "384,400 km"},
    {"context": "Zürich, 你好", "question": "Où ça ?", "answer": " là-bas"},
    {"context": "a  b", "question": "x\n", "answer": "\ny"},
    {"context": "The", "question": "cat sat", "answer": "on the mat."},
]


def llama_folders(temporary):
    """Tokenizers that add bos by their post-processor, in the classes that are rebuilt and in those that are not."""
    data = shared("data/tokenizers")
    for source in ("tinyllama-v0", "phi-3-mini"):
        file, config = data / source / "tokenizer.json", json.loads((data / source / "tokenizer_config.json").read_text())
        config.pop("chat_template", None)
        with_bos = json.loads(file.read_text())
        with_bos["post_processor"] = {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
        }
        for name in ("LlamaTokenizer", "LlamaTokenizerFast", "CodeLlamaTokenizer", "GemmaTokenizer", "PreTrainedTokenizerFast"):
            for asked in (None, True, False):
                changed = {**config, "tokenizer_class": name, "bos_token": "<s>", "eos_token": "</s>"}
                changed.pop("add_bos_token", None)
                if asked is not None:
                    changed["add_bos_token"] = asked
                files = {"tokenizer.json": with_bos, "tokenizer_config.json": changed}
                yield auto_tokenizer_test.write(temporary, f"{source}-{name}-{asked}", files)


def plain(tokenizer, prompt, answer):
    length = len(tokenizer(prompt, add_special_tokens=False)["input_ids"]) + int(getattr(tokenizer, "add_bos_token", False))
    ids = tokenizer(prompt + answer)["input_ids"]
    labels = [token if at >= length else -100 for at, token in enumerate(ids)]
    return {"input_ids": ids[:-1], "labels": labels[1:]}


def hellaswag(tokenizer, rows):
    special = set(tokenizer.all_special_ids)
    pairs = [(tokenizer(row["ctx"])["input_ids"], tokenizer(row["endings"][row["label"]])["input_ids"]) for row in rows]
    expected = []
    for beginning, ending in pairs:
        # As each row is the first of its block without padding.
        beginning = beginning[:-1] if pairs[0][0][-1] in special else beginning
        ending = ending[1:] if pairs[0][1][0] in special else ending
        labels = [-100] * (len(beginning) - 1) + ending + [-100]
        expected.append({"input_ids": beginning + ending, "labels": labels})
    return expected


def check(folder, options, tokenizer, failures):
    """Number of rows compared."""
    squad = [{**row, "answers": {"text": [row["answer"]], "answer_start": [0]}} for row in ROWS]
    swag = [{"ctx": row["context"], "endings": ["no", row["answer"]], "label": 1} for row in ROWS]
    cases = [("columns", ROWS, [plain(tokenizer, f"{row['context']} {row['question']} ", row["answer"]) for row in ROWS])]
    if not tokenizer.chat_template:
        prompts = [f"Context: {row['context']} Question: {row['question']} Answer: " for row in ROWS]
        answers = [row["answer"].strip() for row in ROWS]
        cases.append(("squad", squad, [plain(tokenizer, *texts) for texts in zip(prompts, answers)]))
    cases.append(("hellaswag", swag, hellaswag(tokenizer, swag)))
    for kind, rows, expected in cases:
        ours = show_rows(folder, kind, rows, *options)
        for row, one, other in zip(rows, expected, ours, strict=True):
            if one != other:
                failures.append(f"{folder.name} {options}: {kind}: {row}: {one}, ours {other}")
    return sum(len(rows) for _, rows, _ in cases)


def main():
    logging.set_verbosity_error()
    failures, count, num_rows, num_adding, num_attributes, num_empty = [], 0, 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        folders = [*auto_tokenizer_test.folders(temporary), *llama_folders(temporary)]
        for folder in folders:
            for asked in (None, True):
                tokenizer = AutoTokenizer.from_pretrained(folder)
                if asked and tokenizer.bos_token is not None:
                    tokenizer.add_bos_token = True
                elif asked:
                    continue
                if len(tokenizer(ROWS[0]["answer"])["input_ids"]) < 2:
                    num_empty += 1  # a test's own vocabulary without these letters
                    continue
                options = ["add_bos_token=true"] if asked else []
                count += 1
                num_attributes += tokenizer.add_bos_token
                num_adding += tokenizer("The")["input_ids"][:1] == [tokenizer.bos_token_id]
                num_rows += check(folder, options, tokenizer, failures)
    finish(
        failures,
        f"{count} tokenizers ({num_adding} add bos, {num_attributes} by the attribute), {num_rows} rows of three kinds; {num_empty} without these letters",
    )


if __name__ == "__main__":
    main()
