"""Every key of every family's config.json in turn unknown, dropped, of a wrong type and of another value: the mathematics
changes as in transformers, or the program names the key, or transformers refuses too. A key that the family lists as inert may
hold anything, and changes nothing. A key that the class of transformers takes no notice of is not refused, whatever it holds;
in one case the config has all such keys that other families compute with. All cases in one run of the program.

strict_test.py [FAMILY...]: only those; without any, each family that STRICT_SAMPLE (default 1) of 8 draws.
"""
import collections
import json
import os
import pathlib
import random
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
import transformers
import yaml
from safetensors.torch import load_file, save_file

import checkpoints
import class_keys
import heads_test
import moe_test
import moe_variants
import remote_models
from program import call
from variants import FAMILIES, Variant

# A family's layers without and with experts are two rows; one that transformers has no class for is compared with the plain
# reference of remote_models.py.
EXPERTS = {family + "+experts" if family in FAMILIES else family: family for family in moe_variants.FAMILIES}
ROWS = [*FAMILIES, *EXPERTS, *heads_test.ENCODERS, *remote_models.CASES]

BOUND = 1e-4
FOREIGN = "keys of other families"
IDS = [[(7 * i + 3) % 97 for i in range(40)]]
# What says who wrote the file; without them nothing can read it.
IDENTITY = {"architectures", "model_type"}


def other_values(value):
    """Values of the same type that a config could hold."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value * 2] if value > 0 else [1]
    if isinstance(value, float):
        return [value * 1.5 + 0.25]
    if isinstance(value, str):
        return ["relu"] if value in ("silu", "gelu", "gelu_new", "gelu_pytorch_tanh", "relu2") else [value + "_x"]
    if isinstance(value, list) and value:
        return [value[::-1], value[:-1]]
    return []


def wrong_types(value):
    return ["words"] if not isinstance(value, str) else [17]


def mutations(config):
    """Name of the key, what was done, the config."""
    yield "a_key_of_nobody", "unknown", {**config, "a_key_of_nobody": 3}
    for key, value in config.items():
        if key in IDENTITY:
            continue
        yield key, "dropped", {name: old for name, old in config.items() if name != key}
        for other in wrong_types(value):
            yield key, "wrong type", {**config, key: other}
        for other in other_values(value):
            yield key, f"value {json.dumps(other)[:40]}", {**config, key: other}
        if isinstance(value, dict):
            for inner, old in value.items():
                yield inner, "dropped inside", {**config, key: {k: v for k, v in value.items() if k != inner}}
                for other in other_values(old) + wrong_types(old):
                    yield inner, f"inside {json.dumps(other)[:40]}", {**config, key: {**value, inner: other}}


class Refused(Exception):
    pass


def encoder(family):
    return heads_test.Variant(family, "MaskedLM", "plain")


def reference_of_folder(family, folder):
    """The same of a family whose files are not as its modules, or of an encoder: transformers loads the folder."""
    if family in EXPERTS:
        model_class, options = moe_test.classes(Variant(EXPERTS[family], "plain"))[1], {"experts_implementation": "eager"}
    else:
        model_class, options = heads_test.model_class(encoder(family))[1], {}
    model, info = model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager",
                                              output_loading_info=True, **options)
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info[what]:
            raise Refused(f"{what}: {sorted(map(str, info[what]))[0]}")
    with torch.no_grad():
        return model.eval()(torch.tensor(IDS), **({"use_cache": False} if options else {})).logits


def reference_of_remote_code(row, path, weights):
    """The same of a family that transformers has no class for."""
    model = remote_models.CASES[row][0](json.loads(path.read_text()))
    expected = model.shapes()
    for name in sorted(set(expected) ^ set(weights)):
        raise Refused(f"{name} is missing or left over")
    for name, shape in expected.items():
        if weights[name].shape != shape:
            raise Refused(f"{name} has another shape")
    with torch.no_grad():
        return model.logits(weights, torch.tensor(IDS))


def reference(family, path, weights):
    """transformers' logits with these weights under the config of a file; Refused where it cannot."""
    try:
        if family in EXPERTS or family in heads_test.ENCODERS:
            return reference_of_folder(family, path.parent)
        if family in remote_models.CASES:
            return reference_of_remote_code(family, path, weights)
        config_class, model_class = checkpoints.classes(family)
        settings = config_class.from_dict(config_class._dict_from_json_file(path))
        model = model_class._from_config(settings, dtype=torch.float32, attn_implementation="eager").eval()
        expected = {checkpoints.file_name(model, name): tensor.shape for name, tensor in model.state_dict().items()}
        tied = {"lm_head.weight", "embed_out.weight"}
        for name, shape in expected.items():
            if name not in weights and name not in tied:
                raise Refused(f"{name} is missing")
            if name in weights and weights[name].shape != shape:
                raise Refused(f"{name} has another shape")
        left = set(weights) - set(expected)
        if left:
            raise Refused(f"{sorted(left)[0]} is left over")
        model.load_state_dict({name: weights[checkpoints.file_name(model, name)] for name in model.state_dict()
                               if checkpoints.file_name(model, name) in weights}, strict=False)
        with torch.no_grad():
            return model(torch.tensor(IDS), use_cache=False).logits
    except Exception as error:  # whatever transformers throws at a wrong config
        raise Refused(f"{type(error).__name__}: {error}"[:200]) from error


def read_by_class(family):
    """The keys that transformers' class and model take notice of; None where it has no class."""
    if family in remote_models.CASES:
        return None
    with class_keys.Noticed() as noticed:
        if family in EXPERTS:
            model = moe_test.make_model(Variant(EXPERTS[family], "plain"))
        elif family in heads_test.ENCODERS:
            model = heads_test.make_model(encoder(family))
        else:
            model = checkpoints.make_model(Variant(family, "plain"))
        model(torch.tensor(IDS), labels=torch.tensor(IDS))
    return noticed | class_keys.declared(type(model.config))


def keys_of_families():
    """Keys that any family computes with, each with a value that would count there."""
    keys = {}
    for family in json.loads(call("model", "list", "--json")):
        text = yaml.safe_load(call("model", "list", family["family"]))
        for source in text["fields"].values():
            while source:
                if "key" in source:
                    default = source.get("default")
                    keys.setdefault(source["key"], default if default else True)
                source = source.get("if_null")
        for key, values in (text["only"] | text["unread"]).items():
            keys.setdefault(key, "another" if values[0] is not False else True)
    return {key: value for key, value in keys.items() if "." not in key}


def prepare(family, root):
    """The family's checkpoint, a folder for each mutation that shares its weights, and what its class reads."""
    base = root / family / "base"
    if family in remote_models.CASES:
        model, config, _ = remote_models.CASES[family]
        base.mkdir(parents=True)
        save_file(remote_models.make_weights(model(config).shapes()), base / "model.safetensors")
        return *mutated(root / family, base, config), None
    variant = Variant(EXPERTS.get(family, family), "plain")
    if family in EXPERTS:
        moe_test.save(variant, base)
        model = moe_test.classes(variant)[0](**moe_variants.values(variant))
    elif family in heads_test.ENCODERS:
        heads_test.save(encoder(family), base)
        model = heads_test.make_model(encoder(family)).config
    else:
        checkpoints.save(variant, base)
        model = checkpoints.make_config(variant)
    config = json.loads((base / "config.json").read_text())
    whole = {**json.loads(model.to_json_string(use_diff=False)), **config}
    read = read_by_class(family)
    aliases = [(other_name, f"another name of {key}", {**whole, other_name: value})
               for other_name, key in type(model).attribute_map.items() if other_name not in whole and key in whole
               for value in other_values(whole[key])]
    foreign = {key: value for key, value in keys_of_families().items() if key not in read and key not in whole}
    more = [*aliases, ("is_causal", "false", {**whole, "is_causal": False}),
            (FOREIGN, f"{len(foreign)} at once", {**whole, **foreign})]
    weights, cases = mutated(root / family, base, whole, more)
    return weights, cases, read


def mutated(root, base, whole, more=()):
    """The weights in `base`, and a folder for each mutation of the config and for each config of `more`."""
    cases = []
    for index, (key, what, changed) in enumerate([("nothing", "unchanged", whole), *mutations(whole), *more]):
        folder = root / str(index)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(changed))
        (folder / "model.safetensors").symlink_to(base / "model.safetensors")
        cases.append((key, what, folder))
    return load_file(base / "model.safetensors"), cases


def judge(family, weights, inert, read, key, what, folder):
    """"" when the two agree, else what is wrong; and how the case ended."""
    try:
        expected = reference(family, folder / "config.json", weights)
    except Refused as refusal:
        expected = refusal
    refusal = (folder / "refused.txt").read_text() if (folder / "refused.txt").exists() else None
    if refusal is not None:
        if isinstance(expected, Refused):
            return "", "both refuse"
        if read is not None and key not in read and "inside" not in what:
            return f"refuses what transformers' class takes no notice of: {refusal}", "refused"
        # A tensor's name stands for the keys that its shape follows from.
        named = key in refusal or "tensor " in refusal
        return ("" if named else f"refuses without naming the key: {refusal}"), "refused by name"
    logits = load_file(folder / "out.safetensors")["logits"]
    if isinstance(expected, Refused):
        if key in inert and torch.equal(logits, load_file(folder.parent / "0" / "out.safetensors")["logits"]):
            return "", "without effect"
        return f"accepted, but transformers refuses: {expected}", "accepted alone"
    error = float((logits - expected).abs().max())
    return ("" if error < BOUND else f"logits differ by {error:.2g}"), "equal"


def file_of(row):
    """The family file of a row."""
    return remote_models.CASES[row][2] if row in remote_models.CASES else EXPERTS.get(row, row)


def families_of(words):
    if words:
        unknown = [word for word in words if word not in ROWS]
        if unknown:
            sys.exit(f"no such family: {unknown}; known: {ROWS}")
        return words
    sample = int(os.environ.get("STRICT_SAMPLE", "1"))
    return [family for family in ROWS if random.Random(family).randrange(8) < sample]


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    chosen, failures = families_of(sys.argv[1:]), []
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        (root / "ids.json").write_text(json.dumps(IDS))
        prepared = {family: prepare(family, root) for family in chosen}
        requests = [{"model": str(folder), "ids": str(root / "ids.json"), "output": str(folder / "out.safetensors"),
                     "refused": str(folder / "refused.txt")} for _, cases, _ in prepared.values() for *_, folder in cases]
        (root / "cases.json").write_text(json.dumps(requests))
        call("model", "forward", "--cases", root / "cases.json")
        for family, (weights, cases, read) in prepared.items():
            ends, inert = collections.Counter(), set(yaml.safe_load(call("model", "list", file_of(family)))["inert"])
            for case in cases:
                wrong, end = judge(family, weights, inert, read, *case)
                ends[end] += 1
                if wrong:
                    failures.append(f"{family}: {case[0]} {case[1]}: {wrong}")
            print(f"{family:16} {len(cases):4} cases: " + ", ".join(f"{count} {end}" for end, count in sorted(ends.items())))
    for failure in failures:
        print("FAILS", failure)
    if failures:
        sys.exit(f"{len(failures)} cases fail")


if __name__ == "__main__":
    main()
