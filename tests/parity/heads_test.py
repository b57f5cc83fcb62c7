"""Encoders, and the heads that are not of a causal language model, against transformers with one run of the program:
masked tokens, classes of rows, vectors of rows; logits, loss and every gradient of what has a loss.

heads_test.py [PATTERN]: only the variants whose name holds PATTERN.
"""
import dataclasses
import json
import os
import pathlib
import random
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
import transformers
from safetensors.torch import load_file

import checkpoints
import moe_variants
from forward_test import BOUNDS, NOTICED, differing_when_released, distance, finish, gradient_error, norm
from program import call
from variants import FAMILIES, SIZES, sizes

IGNORE = checkpoints.IGNORE
ENCODER = dict(SIZES, pad_token_id=0)
for key in ("num_key_value_heads", "bos_token_id", "eos_token_id"):
    del ENCODER[key]
BERT = dict(ENCODER, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, type_vocab_size=2)
MODERN = dict(ENCODER, local_attention=8, global_attn_every_n_layers=2, bos_token_id=1, eos_token_id=2, cls_token_id=1,
              sep_token_id=2)
ENCODERS = {"bert": BERT, "roberta": dict(BERT, pad_token_id=1), "modernbert": MODERN}


@dataclasses.dataclass
class Variant:
    family: str
    head: str  # MaskedLM, SequenceClassification, Model
    name: str
    config: dict = dataclasses.field(default_factory=dict)
    without: dict | None = None  # None: nothing to undo
    request: dict = dataclasses.field(default_factory=dict)  # of the case: task, pooling, bidirectional
    run: str = "float32"
    token_types: bool = False
    padding_inside: bool = False  # tokens with the id of padding inside rows and at their ends
    lengths: tuple = (37, 50, 5, 64)

    @property
    def key(self):
        return f"{self.family}-{self.head}-{self.name}"


def switches(family):
    """Of an encoder, in both of its heads."""
    key = "hidden_activation" if family == "modernbert" else "hidden_act"
    acts = [(act, {key: act}, {key: "relu" if act != "relu" else "gelu"}) for act in ("relu", "gelu_new", "silu", "tanh")]
    common = acts + [("one-layer", {"num_hidden_layers": 1}, None), ("padding-row", {"pad_token_id": 7}, None)]
    if family != "modernbert":
        return common + [("eps", {"layer_norm_eps": 0.1}, {"layer_norm_eps": 1e-6}),
                         ("one-type", {"type_vocab_size": 1}, None), ("three-types", {"type_vocab_size": 3}, None)]
    return common + [
        ("eps", {"norm_eps": 0.1}, {"norm_eps": 1e-6}),
        ("window-odd", {"local_attention": 13}, {"local_attention": 64}),
        ("window-1", {"local_attention": 1}, {"local_attention": 8}),
        ("every-3", {"global_attn_every_n_layers": 3, "num_hidden_layers": 5}, None),
        ("layer-types", {"layer_types": ["full_attention", "full_attention", "sliding_attention"]}, None),
        ("norm-bias", {"norm_bias": True}, {"norm_bias": False}),
        ("attention-bias", {"attention_bias": True}, {"attention_bias": False}),
        ("mlp-bias", {"mlp_bias": True}, {"mlp_bias": False}),
        ("classifier-bias", {"classifier_bias": True}, {"classifier_bias": False}),
        ("classifier-tanh", {"classifier_activation": "tanh"}, {"classifier_activation": "gelu"}),
        ("no-decoder-bias", {"decoder_bias": False}, None),
        ("untied", {"tie_word_embeddings": False}, None),
        ("thetas", {"global_rope_theta": 500.0, "local_rope_theta": 50.0},
         {"global_rope_theta": 10000.0, "local_rope_theta": 10000.0})]


def losses():
    """Regression of one and of several numbers, several labels a row; said by problem_type or by the labels' form."""
    kinds = [("regression-1", {"num_labels": 1}), ("regression-3", {"num_labels": 3, "problem_type": "regression"}),
             ("several", {"num_labels": 4, "problem_type": "multi_label_classification"}),
             ("several-1", {"num_labels": 1, "problem_type": "multi_label_classification"}),
             ("several-by-form", {"num_labels": 4})]
    return [Variant(family, "SequenceClassification", name, {"pad_token_id": 0, **config})
            for family in (*ENCODERS, "llama", "gpt2", "gemma3_text") for name, config in kinds]


def classified(family):
    """Whether transformers classifies rows with this family."""
    return transformers.CONFIG_MAPPING[family] in transformers.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING


def all_variants():
    variants = []
    for family in ENCODERS:
        for head in ("MaskedLM", "SequenceClassification"):
            variants += [Variant(family, head, name, config, without) for name, config, without in switches(family)]
            variants += [Variant(family, head, "plain"), Variant(family, head, "one-row", lengths=(40,)),
                         Variant(family, head, "bf16", run="bfloat16", lengths=tuple(range(5, 65)))]
            if family != "modernbert":
                variants.append(Variant(family, head, "token-types", {"type_vocab_size": 3}, token_types=True))
        variants += [Variant(family, "Model", pooling, request={"pooling": pooling}) for pooling in ("first", "last", "mean")]
    variants += [Variant("modernbert", "SequenceClassification", f"mean-{n}", {"classifier_pooling": "mean", "num_labels": n},
                         {"classifier_pooling": "cls"}) for n in (2, 3)]
    for family in [*FAMILIES, *moe_variants.FAMILIES]:
        if classified(family):
            variants += [Variant(family, "SequenceClassification", f"{n}-labels", {"num_labels": n, "pad_token_id": 0})
                         for n in (2, 5)]
    variants += losses()
    for family, head in [("bert", "MaskedLM"), ("roberta", "MaskedLM"), ("roberta", "SequenceClassification"),
                         ("roberta", "Model"), ("modernbert", "MaskedLM"), ("llama", "SequenceClassification"),
                         ("gpt2", "SequenceClassification"), ("qwen3", "SequenceClassification")]:
        variants.append(Variant(family, head, "padding-inside", {"pad_token_id": 9}, padding_inside=True,
                                request={"pooling": "mean"} if head == "Model" else {}))
    variants.append(Variant("gemma3_text", "Model", "bidirectional-config", {"use_bidirectional_attention": True},
                            request={"pooling": "mean"}))
    for family in ("llama", "qwen3", "gemma", "mistral"):
        for pooling in ("last", "mean"):
            variants.append(Variant(family, "Model", f"bidirectional-{pooling}",
                                    request={"pooling": pooling, "bidirectional": True}))
        variants.append(Variant(family, "Model", "causal-last", request={"pooling": "last"}))
        variants.append(Variant(family, "CausalLM", "as-embedding", request={"task": "embedding", "pooling": "mean"}))
    return variants


def has_gradients(variant):
    """Those of experts are compared in moe_test.py: files hold them otherwise than modules."""
    return variant.family not in moe_variants.FAMILIES


def model_class(variant):
    config = transformers.CONFIG_MAPPING[variant.family]
    mapping = {"MaskedLM": transformers.MODEL_FOR_MASKED_LM_MAPPING, "Model": transformers.MODEL_MAPPING,
               "SequenceClassification": transformers.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
               "CausalLM": transformers.MODEL_FOR_CAUSAL_LM_MAPPING}[variant.head]
    return config, mapping[config]


def make_model(variant, changes=None):
    """Random weights; norms and biases away from the ones and zeros that they start as."""
    config_class, cls = model_class(variant)
    if variant.family in moe_variants.FAMILIES:
        values = moe_variants.values(variant, changes)
    else:
        values = ENCODERS.get(variant.family) or {**sizes(variant.family), **FAMILIES[variant.family]}
        values = {**values, **variant.config, **(changes or {})}
    values = json.loads(json.dumps(values))
    torch.manual_seed(sum(map(ord, variant.key)))
    model = cls._from_config(config_class(**values), dtype=torch.float32, attn_implementation="eager")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.add_(0.3 * torch.randn_like(parameter))
            if name.endswith("A_log"):  # long memories, as in checkpoints.py
                parameter.sub_(4)
    return model.eval()


def save(variant, folder):
    model = make_model(variant)
    model.config.architectures = [type(model).__name__]
    model.save_pretrained(folder)


def make_rows(variant):
    """ids, token types and labels: of a position, or of a row."""
    numbers = random.Random(variant.key)
    ids = [[numbers.randrange(8, SIZES["vocab_size"]) for _ in range(length)] for length in variant.lengths]
    if variant.padding_inside:
        for row in ids:
            row[len(row) // 3] = row[len(row) // 2] = row[-1] = variant.config["pad_token_id"]
    types = [[numbers.randrange(3) for _ in row] for row in ids] if variant.token_types else None
    if variant.head == "MaskedLM":
        labels = [[IGNORE if numbers.random() < 0.7 else numbers.randrange(SIZES["vocab_size"]) for _ in row] for row in ids]
    elif "regression" in variant.name:
        labels = [[numbers.gauss(0, 1) for _ in range(variant.config["num_labels"])] for _ in ids]
    elif "several" in variant.name:
        labels = [[float(numbers.randrange(2)) for _ in range(variant.config["num_labels"])] for _ in ids]
    else:
        labels = [[numbers.randrange(variant.config.get("num_labels", 2))] for _ in ids]
    return ids, types, labels


def prepare(variants, root):
    cases = []
    for variant in variants:
        folder = root / variant.key
        save(variant, folder)
        case = {"model": str(folder), "output": str(folder / "ours.safetensors"), "dtype": variant.run, **variant.request}
        ids, types, labels = make_rows(variant)
        if variant.head in ("MaskedLM", "SequenceClassification"):
            case["grads"] = has_gradients(variant)
        else:
            labels = None
        for name, rows in [("ids", ids), ("token_types", types), ("labels", labels)]:
            if rows:
                case[name] = str(folder / f"{name}.json")
                (folder / f"{name}.json").write_text(json.dumps(rows))
        cases.append(case)
    (root / "cases.json").write_text(json.dumps(cases))
    return root / "cases.json"


def pooled(hidden, lengths, pooling):
    if pooling == "first":
        return hidden[:, 0]
    if pooling == "last":
        return torch.stack([row[length - 1] for row, length in zip(hidden, lengths)])
    return torch.stack([row[:length].mean(0) for row, length in zip(hidden, lengths)])


def labels_of_rows(labels):
    """As transformers takes them: classes as whole numbers [rows], else numbers [rows, labels]."""
    tensor = torch.tensor(labels)
    return tensor if tensor.is_floating_point() else tensor.flatten()


def loss_of(variant, logits, labels):
    """transformers' loss of given logits."""
    config = transformers.PretrainedConfig(num_labels=logits.shape[-1], problem_type=variant.config.get("problem_type"))
    return transformers.loss.loss_utils.ForSequenceClassificationLoss(labels, logits, config)


def run(variant, model, grads=True):
    """What the program's file should hold."""
    ids, types, labels = make_rows(variant)
    lengths = [len(row) for row in ids]
    longest = max(lengths)
    encoder = variant.family in ENCODERS
    fill = model.config.pad_token_id if model.config.pad_token_id is not None else 0
    inputs = {"input_ids": checkpoints.pad(ids, fill)}
    mask = torch.tensor([[1] * n + [0] * (longest - n) for n in lengths])
    if encoder or variant.config.get("use_bidirectional_attention"):
        inputs["attention_mask"] = mask
    if types:
        inputs["token_type_ids"] = checkpoints.pad(types, 0)
    if variant.request.get("bidirectional"):
        hidden = torch.zeros(len(ids), 1, longest, longest, dtype=model.dtype)
        inputs["attention_mask"] = hidden.masked_fill(mask[:, None, None, :] == 0, torch.finfo(model.dtype).min)
    if variant.head in ("Model", "CausalLM"):
        base = model.model if variant.head == "CausalLM" else model
        with torch.no_grad():
            return {"embedding": pooled(base(**inputs).last_hidden_state, lengths, variant.request["pooling"]).float()}
    if not encoder:
        inputs["use_cache"] = False
    if variant.head == "MaskedLM":
        logits = model(**inputs).logits
        loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, -2), checkpoints.pad(labels, IGNORE).flatten(),
                                                 ignore_index=IGNORE)
    else:
        out = model(**inputs, labels=labels_of_rows(labels))
        logits, loss = out.logits, out.loss
    result = {"logits": logits.detach().float(), "loss": loss.detach().float()}
    if variant.head == "MaskedLM":
        for row, length in enumerate(lengths):
            result["logits"][row, length:] = 0
    if grads and has_gradients(variant):
        loss.backward()
        result |= {"grad." + checkpoints.file_name(model, name): parameter.grad.float()
                   for name, parameter in model.named_parameters() if parameter.requires_grad}
    return result


def own_error(variant, folder, ours, reference):
    """Of a run in bfloat16: how much further from float32's values it is than the reference."""
    model = model_class(variant)[1].from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    exact, ours, reference = ((values["logits"], None, {name: g for name, g in values.items() if name.startswith("grad.")})
                              for values in (run(variant, model.eval()), ours, reference))
    return max(a / b for a, b in zip(distance(ours, exact), distance(reference, exact)))


def errors(variant, ours, reference, labels):
    """`labels`: of rows; None where positions have labels, or nothing has."""
    assert set(ours) == set(reference), set(ours) ^ set(reference)
    whole = norm({name: value for name, value in reference.items() if name.startswith("grad.")})
    output = "logits" if "logits" in reference else "embedding"
    gradients = [gradient_error(ours[name], value, whole) for name, value in reference.items() if name.startswith("grad.")]
    loss = 0.0
    if "loss" in ours:
        # The loss of a few rows moves with their logits, which are compared: it must be that of ours.
        whole_loss = reference["loss"] if labels is None else loss_of(variant, ours["logits"].double(), labels)
        loss = abs(float(ours["loss"]) - float(whole_loss)) / float(whole_loss)
    return {"logits_max_abs": float((ours[output] - reference[output]).abs().max()), "loss_relative": loss,
            "grad_relative_norm": max(gradients, default=0.0)}


def compare(variant, folder):
    """The three errors, what is to be said of them, what is over its bound."""
    cls = model_class(variant)[1]
    model, info = cls.from_pretrained(folder, dtype=getattr(torch, variant.run), attn_implementation="eager",
                                      output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    reference = run(variant, model.eval())
    ours = {name: value for name, value in load_file(folder / "ours.safetensors").items() if "expert_load" not in name}
    labels = labels_of_rows(make_rows(variant)[2]) if variant.head == "SequenceClassification" else None
    measured = errors(variant, ours, reference, labels)
    bounds = BOUNDS[variant.run]
    over = [name for name, error in measured.items() if not error <= bounds[name]]
    if "times_own_error" in bounds:  # the gradient of a bias of keys is noise
        times = own_error(variant, folder, ours, reference)
        over = [] if times <= bounds["times_own_error"] else ["times_own_error"]
        return measured, f"{times:.2f} times its own error", over
    shift = None
    if variant.without is not None:
        other = make_model(variant, variant.without)
        other.load_state_dict(model.state_dict(), strict=False)
        shift = float((run(variant, other, grads=False)["logits"] - reference["logits"]).abs().max())
        over += ["blind to the feature"] if shift < NOTICED else []
    return measured, "" if shift is None else f"{shift:.2g}", over


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    variants = [variant for variant in all_variants() if pattern in variant.key]
    failures, largest = [], {}
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        cases = prepare(variants, root)
        call("model", "forward", "--cases", cases)
        changed = differing_when_released(cases)
        for variant in variants:
            measured, remark, over = compare(variant, root / variant.key)
            over += ["reads weights after their release"] if variant.key in changed else []
            print(f"{variant.key:48} {variant.run:9} " + " ".join(f"{error:9.2e}" for error in measured.values())
                  + f"  {remark}" + (f"  FAILS: {', '.join(over)}" if over else ""))
            failures += [variant.key] if over else []
            largest[variant.run] = [max(pair) for pair in zip(largest.get(variant.run, (0, 0, 0)), measured.values())]
    finish(variants, failures, largest)


if __name__ == "__main__":
    main()
