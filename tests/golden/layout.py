"""Which files a checkpoint holds: the reference's names, and ours where the reference pickles."""
import pathlib
import re

# Where our name differs: safetensors and JSON instead of pickles and torch's distributed checkpoint.
RENAMED = [
    (r"(.*/step_scheduler)\.pt", r"\1.json"),
    (r"(.*/rng/rng_global_rank_\d+)\.pt", r"\1.json"),
    (r"(.*/dataloader/dataloader_dp_rank_\d+)\.pt", r"\1.json"),
    (r"(.*/optim)/\.metadata", r"\1/index.json"),
    (r"(.*/optim)/__0_0\.distcp", r"\1/shard-00001-of-00001.safetensors"),
]

# What ours holds beside the reference's files, and why.
ADDED = [
    r".*/(\.hf_metadata|consolidated)/generation_config\.json",  # the reference's own Llama loses it, its Qwen3 keeps it
    r".*/\.hf_metadata/model\.safetensors\.index\.json",  # so that consolidate.sh only has to copy
    r".*/inputs\.json",  # fingerprints of base and data: a run does not go on with others unseen
    r".*/manifest\.json",  # size and hash of every file, so that a damaged one is found on resume
]


def our_name(reference_name: str) -> str:
    for pattern, replacement in RENAMED:
        if re.fullmatch(pattern, reference_name):
            return re.sub(pattern, replacement, reference_name)
    return reference_name


def expected(layout: pathlib.Path) -> dict[str, str]:
    """layout.txt ("path kind size [target]" a line) -> {path: "d", "f", or "-> target" of a link}."""
    entries = {}
    for line in layout.read_text().splitlines():
        name, kind, _, target = (line.split(" ") + [""])[:4]
        if name:
            entries[our_name(name)] = f"-> {target}" if kind == "l" else kind
    return entries


def compare(checks, layout: pathlib.Path, folder: pathlib.Path):
    wanted, there = expected(layout), found(folder)
    for path in sorted(wanted.keys() | there.keys()):
        if path in wanted or not any(re.fullmatch(pattern, path) for pattern in ADDED):
            checks.equal(f"checkpoint folder: {path}", there.get(path, "absent"), wanted.get(path, "absent"))


def found(folder: pathlib.Path) -> dict[str, str]:
    entries = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        entries[name] = f"-> {path.readlink()}" if path.is_symlink() else "d" if path.is_dir() else "f"
    return entries
