"""Five megabytes of mixed text, the same on every run: third-party data sets and generated Unicode."""

import gzip
import random

from program import shared

SIZE = 5_000_000
ALPHABETS = [
    (0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x4FF), (0x5D0, 0x5EA), (0x620, 0x64A), (0x900, 0x97F),
    (0xE01, 0xE3A), (0x1100, 0x11FF), (0x2000, 0x206F), (0x2190, 0x22FF), (0x3040, 0x30FF), (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3), (0xFE00, 0xFE0F), (0x1D400, 0x1D7FF), (0x1F300, 0x1FAFF), (0x300, 0x36F),
]
SPECIALS = ["<s>", "</s>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<unk>", "<|end|>", "  ", "\t", "123456", "'s", "I'LL"]


def generated(rng, num_lines):
    for _ in range(num_lines):
        words = []
        for _ in range(rng.randint(0, 20)):
            low, high = rng.choice(ALPHABETS)
            words.append("".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 8))))
            if rng.random() < 0.2:
                words.append(rng.choice(SPECIALS))
        yield (" " if rng.random() < 0.9 else "").join(words)


def read(path):
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened:
        return opened.read().splitlines()


def lines():
    """The corpus without line breaks inside a line."""
    folder = shared("data/datasets")
    files = sorted(
        path for path in folder.rglob("*") if path.suffix in (".json", ".jsonl", ".txt", ".csv") or path.name.endswith(".json.gz")
    )
    share = SIZE // (len(files) + 1)
    result = []
    for path in files:
        size = 0
        try:
            text = read(path)
        except UnicodeDecodeError:
            continue
        for line in text:
            line = line[:4000]
            size += len(line.encode())
            if size > 4 * share:
                break
            result.append(line)
    rng = random.Random(20240726)
    rng.shuffle(result)
    result += generated(rng, 12_000)
    rng.shuffle(result)
    total, kept = 0, []
    for line in result:
        # One line for the program is what a line feed ends.
        line = line.replace("\n", " ")
        total += len(line.encode()) + 1
        kept.append(line)
        if total >= SIZE:
            break
    return kept

