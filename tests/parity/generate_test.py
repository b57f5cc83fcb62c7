"""Text that the program generates against transformers' generate, live: greedy and sampled, with and without the cache,
on tiny checkpoints of every family; and on a real model where there is one.

generate_test.py [PATTERN]: only the variants whose name holds PATTERN, and no real model.
"""
import copy
import json
import os
import pathlib
import shutil
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tensors are tiny; waiting threads cost more than they help
import torch
import transformers
from safetensors.torch import save_file

import any_family
import checkpoints
import moe_variants
from program import ROOT, call, fails
from variants import FIRST, all_variants

BOUNDS = json.loads((pathlib.Path(__file__).parent / "tolerances.json").read_text())
NEW_TOKENS = 64
# What bears on the tokens before: positions, windows, heads; each rope once, since all families share them.
OF_ALL = ("untied", "tied", "kv-heads-1", "rope-dynamic-beyond-new", "attention-bias")
OF_SOME = {"llama": ("rope-",), "mistral": ("window-",), "qwen2": ("window-layer-types",), "qwen3": ("window-from-1", "head-dim-6")}


def chosen(pattern):
    """Of the first families what OF_ALL and OF_SOME name, of every other one its plain checkpoint."""
    def wanted(variant):
        if variant.family in FIRST:
            return variant.name in OF_ALL or variant.name.startswith(OF_SOME[variant.family])
        return variant.name == "plain"
    return [variant for variant in all_variants()
            if pattern in variant.key and not variant.name.endswith("-old") and wanted(variant)] + [
        any_family.moe_variant(family) for family in moe_variants.FAMILIES if pattern in f"{family}-plain"]


def generate(folder, ids, *words):
    """One object a prompt."""
    path = folder / "prompts.json"
    path.write_text(json.dumps(ids))
    out = call("generate", "-m", folder, "--ids", path, "--max-new-tokens", NEW_TOKENS, "--json", *words)
    return [json.loads(line) for line in out.splitlines()]


def reference(model, prompt, seed=None, **options):
    """New ids and the log-probability of each in the distribution that it was chosen from."""
    if seed is not None:
        torch.manual_seed(seed)
    ids = torch.tensor([prompt])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW_TOKENS, pad_token_id=0,
                         do_sample=seed is not None, return_dict_in_generate=True, output_scores=True, **options)
    new = out.sequences[0, len(prompt):].tolist()
    # Not compute_transition_scores: its sum along a strided dimension is off by 3e-4 in a vocabulary of 49152.
    return new, [scores[0].log_softmax(-1)[token].item() for token, scores in zip(new, out.scores)]


class Comparison:
    def __init__(self):
        self.failures, self.worst, self.count = [], 0.0, 0

    def add(self, what, ours, expected):
        ids, logprobs = expected
        self.count += 1
        if ours["ids"] != ids:
            at = next((i for i, pair in enumerate(zip(ours["ids"], ids)) if pair[0] != pair[1]), min(len(ids), len(ours["ids"])))
            self.failures.append(f"{what}: token {at} differs: {ours['ids'][at:at + 3]} for {ids[at:at + 3]}")
            return
        error = max(abs(a - b) for a, b in zip(ours["logprobs"], logprobs))
        self.worst = max(self.worst, error)
        if error > BOUNDS["float32"]["logits_max_abs"]:
            self.failures.append(f"{what}: a log-probability differs by {error:.1e}")


def changes_frequencies(variant):
    """Keys in the cache keep the frequencies of their time, here and there: then the cache changes the text."""
    return "dynamic" in variant.name or "longrope" in variant.name


def compare_families(variants, root, comparison):
    for variant in variants:
        folder = root / variant.key
        any_family.save(variant, folder)
        ids = [checkpoints.make_rows(variant)[0][0], [3]]
        cached, uncached = generate(folder, ids), generate(folder, ids, "--no-cache")
        model = any_family.load(variant, folder)
        for row, prompt in enumerate(ids):
            what = f"{variant.key} row {row}"
            if changes_frequencies(variant):
                # Dynamic rope keeps state from call to call there, so every call gets a new model.
                comparison.add(what, cached[row], reference(any_family.load(variant, folder), prompt))
                expected = reference(any_family.load(variant, folder), prompt, use_cache=False)
                comparison.add(what + " without cache", uncached[row], expected)
            else:
                # transformers computes without its cache where that changes its own results: a window of 1 keeps everything
                # (its slice [-0:]), and Nemotron-H's step of one token does not clamp the time step.
                whole = variant.config.get("sliding_window") == 1 or variant.family == "nemotron_h"
                expected = reference(model, prompt, use_cache=not whole)
                comparison.add(what, cached[row], expected)
                comparison.add(what + " without cache", uncached[row], (cached[row]["ids"], cached[row]["logprobs"]))


SAMPLING = [
    dict(temperature=1.0, top_k=0, top_p=1.0), dict(temperature=0.3, top_k=0, top_p=1.0),
    dict(temperature=2.5, top_k=0, top_p=1.0), dict(temperature=1.0, top_k=1, top_p=1.0),
    dict(temperature=1.0, top_k=7, top_p=1.0), dict(temperature=1.0, top_k=1000, top_p=1.0),
    dict(temperature=1.0, top_k=0, top_p=0.0), dict(temperature=1.0, top_k=0, top_p=0.05),
    dict(temperature=1.0, top_k=0, top_p=0.5), dict(temperature=1.0, top_k=0, top_p=0.95),
    dict(temperature=1.7, top_k=30, top_p=0.8), dict(temperature=0.6, top_k=20, top_p=0.9),
    dict(temperature=1.2, top_k=40, top_p=0.9, repetition_penalty=1.3), dict(repetition_penalty=0.7, top_k=5),
]


def words_of(options):
    return [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]


def compare_sampling(root, comparison):
    variant = next(variant for variant in all_variants() if variant.key == "llama-untied")
    folder = root / "sampling"
    checkpoints.save(variant, folder)
    model = checkpoints.load(variant, folder)
    ids = checkpoints.make_rows(variant)[0][:2]
    for options in SAMPLING:
        for cache in ([], ["--no-cache"]):
            ours = generate(folder, ids, "--sample", "--seed", 11, *words_of(options), *cache)
            for row, prompt in enumerate(ids):
                comparison.add(f"sampling {options} row {row} {cache}", ours[row],
                               reference(model, prompt, seed=11 + row, **options))
    ours = generate(folder, ids, "--repetition-penalty", 1.4)
    comparison.add("greedy with a penalty", ours[1], reference(model, ids[1], repetition_penalty=1.4))

    # The model's own settings: used when sampling, the penalty always; transformers' defaults where there are none.
    ours = generate(folder, ids, "--sample", "--seed", 4)
    comparison.add("defaults", ours[0], reference(model, ids[0], seed=4))
    settings = dict(temperature=0.8, top_k=9, top_p=0.7, repetition_penalty=1.2)
    path = folder / "generation_config.json"
    path.write_text(json.dumps({"eos_token_id": [2, 5], "max_new_tokens": 3, **settings}))
    ours = generate(folder, ids, "--sample", "--seed", 4)
    model.generation_config.eos_token_id = [2, 5]
    comparison.add("generation_config.json", ours[0], reference(model, ids[0], seed=4, **settings))
    ours = generate(folder, ids)
    comparison.add("its penalty when greedy", ours[0], reference(model, ids[0], repetition_penalty=1.2))
    ours = generate(folder, ids, "--no-generation-config")
    comparison.add("without it", ours[0], reference(model, ids[0]))


def lines_of(*words, **options):
    return [json.loads(line) for line in call("generate", *words, "--json", **options).splitlines()]


def write_adapter(model, folder, rank=4, alpha=16):
    """An adapter in PEFT's files; returns the model with it merged."""
    folder.mkdir()
    adapted, tensors = copy.deepcopy(model), {}
    targets = ["q_proj", "down_proj"]
    for name, linear in adapted.named_modules():
        if name.endswith(tuple(targets)):
            a, b = torch.randn(rank, linear.in_features) * 0.1, torch.randn(linear.out_features, rank) * 0.1
            tensors |= {f"base_model.model.{name}.lora_A.weight": a, f"base_model.model.{name}.lora_B.weight": b}
            linear.weight.data += alpha / rank * b @ a
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": alpha, "target_modules": targets}))
    return adapted


def compare_text(root, comparison):
    """From words to words, with the quick start's tokenizer and random weights."""
    folder = root / "text"
    shutil.copytree(ROOT / "share/quickstart/tiny-llama", folder)
    torch.manual_seed(1)
    config = transformers.AutoConfig.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)
    model.save_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    def equal(what, ours, expected):
        if ours != expected:
            comparison.failures.append(f"{what}: {ours!r}, expected {expected!r}")

    common = ["-m", folder, "--max-new-tokens", NEW_TOKENS]
    prompt, other = "The model \u00e9\u4f60", "A recipe"
    first, second = lines_of(*common, "-p", prompt, "-p", other)
    ids = tokenizer(prompt)["input_ids"]
    expected = reference(model, ids)
    comparison.add("text", first, expected)
    equal("text", first["text"], tokenizer.decode(expected[0], skip_special_tokens=True))
    equal("finish_reason", first["finish_reason"], "eos" if first["ids"][-1] == 2 else "length")
    equal("stdin", lines_of(*common, "-p", "-", input=prompt)[0]["text"], first["text"])
    equal("streamed", call("generate", *common, "-p", prompt), first["text"] + "\n")
    equal("two", call("generate", *common, "-p", prompt, "-p", other), f"[1] {first['text']}\n[2] {second['text']}\n")

    stop = first["text"][len(first["text"]) // 2:][:3]
    stopped = lines_of(*common, "-p", prompt, "--stop", "never\x01", "--stop", stop)[0]
    equal("stopped", stopped["text"], first["text"][:first["text"].index(stop)])
    equal("stopped", stopped["finish_reason"], "stop")
    equal("its ids", stopped["ids"], first["ids"][:len(stopped["ids"])])

    adapted = write_adapter(model, root / "adapter")
    with_adapter = lines_of(*common, "--adapter", root / "adapter", "-p", prompt)[0]
    comparison.add("adapter", with_adapter, reference(adapted, ids))
    equal("the adapter changes the text", with_adapter["ids"] != first["ids"], True)

    chat = [{"role": "user", "content": "Hi"}]
    answer = lines_of(*common, "--chat", "-", input=json.dumps(chat))[0]
    equal("chat", answer["prompt"], tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False))
    comparison.add("chat", answer, reference(model, tokenizer(answer["prompt"], add_special_tokens=False)["input_ids"]))

    # Null content, and numbers that must keep their digits.
    call_of_a_tool = {"function": {"name": "f", "arguments": {"wei": 10**30, "lat": 117.55768042133525, "none": None}}}
    chat = [*chat, {"role": "assistant", "content": None, "tool_calls": [call_of_a_tool]}, {"role": "tool", "content": "x"}]
    kept = folder / "chat_template.jinja"
    kept.write_text("{% for m in messages %}{{ m.role }}:{{ m.content }}{{ m.tool_calls|tojson if m.tool_calls }};{% endfor %}")
    expected = transformers.AutoTokenizer.from_pretrained(folder).apply_chat_template(chat, tokenize=False)
    equal("tool call", lines_of(*common, "--chat", "-", input=json.dumps(chat))[0]["prompt"], expected)
    kept.unlink()

    settings = folder / "generation_config.json"
    settings.write_text(json.dumps({"eos_token_id": first["ids"][4]}))
    ended = lines_of(*common, "-p", prompt)[0]
    equal("eos", (ended["ids"], ended["finish_reason"]), (first["ids"][:first["ids"].index(first["ids"][4]) + 1], "eos"))
    for values, words, message in (({"no_repeat_ngram_size": 2}, [], "no_repeat_ngram_size: 2 would change the text"),
                                   ({"min_p": 0.1}, ["--sample"], "min_p: 0.1 would change the text"),
                                   ({"top_k": "many"}, [], "\"top_k\": expected a whole number"),
                                   ({}, ["-p", ""], "there is nothing to continue")):
        settings.write_text(json.dumps(values))
        said = fails("generate", *common, *(words if "-p" in words else ["-p", other, *words]))
        if message not in said:
            comparison.failures.append(f"{values} {words}: {said}")
    settings.write_text(json.dumps({"min_p": 0.1}))
    call("generate", *common, "-p", other)


def compare_real_model(folder, comparison):
    """Texts of SmolLM2: plain prompts, a chat, and more than one byte a character."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    prompts = ["The capital of France is", "Once upon a time", "\u4f60\u597d\uff0c\u4e16\u754c\u3002 \U0001f600 means",
               "def fibonacci(n):\n"]
    chat = [{"role": "user", "content": "Name three colours, with an emoji each."}]

    def text_of(prompt_ids, ids):
        return tokenizer.decode(ids, skip_special_tokens=True)

    def compare(what, ours, prompt_ids, **options):
        expected = reference(model, prompt_ids, **options)
        comparison.add(what, ours, expected)
        if ours["prompt_ids"] != prompt_ids or ours["text"] != text_of(prompt_ids, expected[0]):
            comparison.failures.append(f"{what}: {ours['text']!r}")

    common = ["generate", "-m", folder, "--max-new-tokens", NEW_TOKENS]
    asked = [word for prompt in prompts for word in ("-p", prompt)]
    for options, words in (({}, []), (dict(temperature=0.9, top_p=0.8), ["--temperature", 0.9, "--top-p", 0.8])):
        lines = call(*common, *(asked[:4] if options else asked), "--json", *words).splitlines()
        for row, prompt in enumerate(prompts[:2] if options else prompts):
            seed = {"seed": row} if options else {}
            compare(f"{prompt!r} {options}", json.loads(lines[row]), tokenizer(prompt)["input_ids"], **options, **seed)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(chat, file)
        file.flush()
        ours = json.loads(call(*common, "--chat", file.name, "--json"))
        compare("chat", ours, tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False))
        streamed = call(*common, "--chat", file.name)
    if streamed != ours["text"] + "\n":
        comparison.failures.append(f"streamed: {streamed!r}")


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    comparison = Comparison()
    variants = chosen(pattern)
    with tempfile.TemporaryDirectory() as name:
        compare_families(variants, pathlib.Path(name), comparison)
        if not pattern:
            compare_sampling(pathlib.Path(name), comparison)
            compare_text(pathlib.Path(name), comparison)
    real = os.environ.get("AUTOMODEL_REAL_MODELS")
    if real and not pattern:
        compare_real_model(pathlib.Path(real).resolve() / "models/SmolLM2-135M-Instruct-q4_1-fp32", comparison)
    print(f"{comparison.count} texts of {len(variants)} variants, largest difference of a log-probability {comparison.worst:.1e}"
          + ("" if real or pattern else "; AUTOMODEL_REAL_MODELS is not set: no real model"))
    if comparison.failures:
        sys.exit("\n".join(comparison.failures))


main()
