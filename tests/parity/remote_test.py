"""Families that transformers knows only as remote code, against plain references written here from the published formulas:
logits, loss and every gradient, the texts that they generate; and a run that learns nothing gives each file back to the bit.

Baichuan 2 (arXiv:2309.10305): W_pack, a head of unit rows, rope (7B) or ALiBi (13B). InternLM 2 (arXiv:2403.17297): wqkv by
groups. MiniCPM (arXiv:2404.06395): multipliers by depth and width. DeciLM of Nemotron-Super-49B (arXiv:2411.19146): layers of
other sizes, and without attention or MLP.
"""
import json
import math
import os
import pathlib
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

import forward_test
from program import call
from round_trip_test import RECIPE, write_tokens

HIDDEN, HEADS, KV_HEADS, LAYERS, INNER, VOCABULARY = 48, 4, 2, 3, 80, 101
WIDTH = HIDDEN // HEADS
NEW_TOKENS, EOS = 8, 2
IDS = torch.tensor([[(7 * i * i + 3 * i + 5 * r) % VOCABULARY for i in range(40)] for r in range(3)])
COMMON = dict(vocab_size=VOCABULARY, hidden_size=HIDDEN, intermediate_size=INNER, num_hidden_layers=LAYERS,
              num_attention_heads=HEADS, rms_norm_eps=1e-6, hidden_act="silu", tie_word_embeddings=False,
              bos_token_id=1, eos_token_id=EOS, pad_token_id=None, torch_dtype="float32", use_cache=True)


def rms_norm(x, weight):
    return weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


def rotate(x):
    """[B, N, T, H], halves of a head turned together. Su et al. 2021, arXiv:2104.09864."""
    half = x.shape[-1] // 2
    angles = torch.arange(x.shape[2])[:, None] * 10000.0 ** (-torch.arange(half) / half)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], -1)


def attend(q, k, v, bias=None):
    """[B, N, T, H] each, causal."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(WIDTH)
    if bias is not None:
        scores = scores + bias
    hidden = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool).triu(1)
    return scores.masked_fill(hidden, -math.inf).softmax(-1) @ v


def heads(x, count):
    return x.view(*x.shape[:2], count, WIDTH).transpose(1, 2)


def merge(x):
    return x.transpose(1, 2).flatten(2)


def alibi(length):
    """[N, 1, T]: Press et al. 2022, arXiv:2108.12409, for a power of two of heads."""
    slopes = torch.tensor([2.0 ** (-8.0 * (n + 1) / HEADS) for n in range(HEADS)])
    return slopes[:, None, None] * torch.arange(length)[None, None]


def baichuan(w, ids, rope):
    x = w["model.embed_tokens.weight"][ids]
    for i in range(LAYERS):
        layer = f"model.layers.{i}."
        packed = rms_norm(x, w[layer + "input_layernorm.weight"]) @ w[layer + "self_attn.W_pack.weight"].T
        q, k, v = (heads(part, HEADS) for part in packed.split(HIDDEN, -1))
        mixed = attend(rotate(q), rotate(k), v) if rope else attend(q, k, v, alibi(ids.shape[1]))
        x = x + merge(mixed) @ w[layer + "self_attn.o_proj.weight"].T
        normed = rms_norm(x, w[layer + "post_attention_layernorm.weight"])
        gated = F.silu(normed @ w[layer + "mlp.gate_proj.weight"].T) * (normed @ w[layer + "mlp.up_proj.weight"].T)
        x = x + gated @ w[layer + "mlp.down_proj.weight"].T
    return rms_norm(x, w["model.norm.weight"]) @ F.normalize(w["lm_head.weight"]).T


def baichuan_shapes():
    shapes = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN), "model.norm.weight": (HIDDEN,),
              "lm_head.weight": (VOCABULARY, HIDDEN)}
    for i in range(LAYERS):
        layer = f"model.layers.{i}."
        shapes |= {layer + "self_attn.W_pack.weight": (3 * HIDDEN, HIDDEN), layer + "self_attn.o_proj.weight": (HIDDEN, HIDDEN),
                   layer + "mlp.gate_proj.weight": (INNER, HIDDEN), layer + "mlp.up_proj.weight": (INNER, HIDDEN),
                   layer + "mlp.down_proj.weight": (HIDDEN, INNER), layer + "input_layernorm.weight": (HIDDEN,),
                   layer + "post_attention_layernorm.weight": (HIDDEN,)}
    return shapes


def internlm2(w, ids, bias):
    def linear(x, name):
        return F.linear(x, w[name + ".weight"], w.get(name + ".bias") if bias else None)

    x = w["model.tok_embeddings.weight"][ids]
    group = HEADS // KV_HEADS
    for i in range(LAYERS):
        layer = f"model.layers.{i}."
        packed = linear(rms_norm(x, w[layer + "attention_norm.weight"]), layer + "attention.wqkv")
        packed = packed.view(*x.shape[:2], KV_HEADS, group + 2, WIDTH)
        q = packed[..., :group, :].flatten(2, 3).transpose(1, 2)
        k, v = (packed[..., group + j, :].transpose(1, 2).repeat_interleave(group, 1) for j in (0, 1))
        x = x + linear(merge(attend(rotate(q), rotate(k), v)), layer + "attention.wo")
        normed = rms_norm(x, w[layer + "ffn_norm.weight"])
        gated = F.silu(normed @ w[layer + "feed_forward.w1.weight"].T) * (normed @ w[layer + "feed_forward.w3.weight"].T)
        x = x + gated @ w[layer + "feed_forward.w2.weight"].T
    return rms_norm(x, w["model.norm.weight"]) @ w["output.weight"].T


def internlm2_shapes(bias):
    fused = (HEADS + 2 * KV_HEADS) * WIDTH
    shapes = {"model.tok_embeddings.weight": (VOCABULARY, HIDDEN), "model.norm.weight": (HIDDEN,),
              "output.weight": (VOCABULARY, HIDDEN)}
    for i in range(LAYERS):
        layer = f"model.layers.{i}."
        shapes |= {layer + "attention.wqkv.weight": (fused, HIDDEN), layer + "attention.wo.weight": (HIDDEN, HIDDEN),
                   layer + "feed_forward.w1.weight": (INNER, HIDDEN), layer + "feed_forward.w3.weight": (INNER, HIDDEN),
                   layer + "feed_forward.w2.weight": (HIDDEN, INNER), layer + "attention_norm.weight": (HIDDEN,),
                   layer + "ffn_norm.weight": (HIDDEN,)}
        if bias:
            shapes |= {layer + "attention.wqkv.bias": (fused,), layer + "attention.wo.bias": (HIDDEN,)}
    return shapes


def llama_block(w, layer, x, kv_heads, growth):
    """What each branch that has weights adds, times `growth`."""
    if layer + "self_attn.q_proj.weight" in w:
        normed = rms_norm(x, w[layer + "input_layernorm.weight"])
        q, k, v = (normed @ w[layer + f"self_attn.{name}_proj.weight"].T for name in "qkv")
        k, v = (heads(part, kv_heads).repeat_interleave(HEADS // kv_heads, 1) for part in (k, v))
        mixed = merge(attend(rotate(heads(q, HEADS)), rotate(k), v))
        x = x + growth * (mixed @ w[layer + "self_attn.o_proj.weight"].T)
    if layer + "mlp.up_proj.weight" in w:
        normed = rms_norm(x, w[layer + "post_attention_layernorm.weight"])
        gated = F.silu(normed @ w[layer + "mlp.gate_proj.weight"].T) * (normed @ w[layer + "mlp.up_proj.weight"].T)
        x = x + growth * (gated @ w[layer + "mlp.down_proj.weight"].T)
    return x


def llama_shapes(blocks, tied):
    """`blocks`: key heads (0: no attention) and width of the MLP (0: none) of each layer."""
    shapes = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN), "model.norm.weight": (HIDDEN,)}
    if not tied:
        shapes["lm_head.weight"] = (VOCABULARY, HIDDEN)
    for i, (kv_heads, inner) in enumerate(blocks):
        layer = f"model.layers.{i}."
        if kv_heads:
            shapes |= {layer + "self_attn.q_proj.weight": (HIDDEN, HIDDEN), layer + "self_attn.o_proj.weight": (HIDDEN, HIDDEN),
                       layer + "self_attn.k_proj.weight": (kv_heads * WIDTH, HIDDEN),
                       layer + "self_attn.v_proj.weight": (kv_heads * WIDTH, HIDDEN), layer + "input_layernorm.weight": (HIDDEN,)}
        if inner:
            shapes |= {layer + "mlp.gate_proj.weight": (inner, HIDDEN), layer + "mlp.up_proj.weight": (inner, HIDDEN),
                       layer + "mlp.down_proj.weight": (HIDDEN, inner), layer + "post_attention_layernorm.weight": (HIDDEN,)}
    return shapes


SCALE_EMB, SCALE_DEPTH, DIM_MODEL_BASE = 12, 1.4, 16
MINICPM = [(KV_HEADS, INNER)] * LAYERS


def minicpm(w, ids, tied):
    x = SCALE_EMB * w["model.embed_tokens.weight"][ids]
    for i in range(LAYERS):
        x = llama_block(w, f"model.layers.{i}.", x, KV_HEADS, SCALE_DEPTH / math.sqrt(LAYERS))
    head = w["model.embed_tokens.weight" if tied else "lm_head.weight"]
    return rms_norm(x, w["model.norm.weight"]) / (HIDDEN / DIM_MODEL_BASE) @ head.T


def minicpm_config(tied):
    config = dict(COMMON, architectures=["MiniCPMForCausalLM"], model_type="minicpm", num_key_value_heads=KV_HEADS,
                  max_position_embeddings=128, initializer_range=0.1, rope_scaling=None, scale_emb=SCALE_EMB,
                  scale_depth=SCALE_DEPTH, dim_model_base=DIM_MODEL_BASE)
    if tied:
        del config["tie_word_embeddings"]
    return config


DECILM = [(0, 512), (4, 256), (2, 256), (1, 0)]


def decilm(w, ids):
    x = w["model.embed_tokens.weight"][ids]
    for i, (kv_heads, _) in enumerate(DECILM):
        x = llama_block(w, f"model.layers.{i}.", x, kv_heads, 1)
    return rms_norm(x, w["model.norm.weight"]) @ w["lm_head.weight"].T


def decilm_config():
    blocks = [{"attention": {"n_heads_in_group": HEADS // kv_heads if kv_heads else None, "no_op": not kv_heads,
                             "num_sink_tokens": None, "replace_with_linear": False, "sparsify": None, "unshifted_sink": False,
                             "use_prefill_window_in_sink_attention": False, "window_length": None},
               "ffn": {"ffn_mult": (inner - 100) * 1.5 / HIDDEN if inner else None, "no_op": not inner,
                       "replace_with_linear": False, "sparsify": None}} for kv_heads, inner in DECILM]
    return dict(COMMON, architectures=["DeciLMForCausalLM"], model_type="nemotron-nas", num_key_value_heads=None,
                intermediate_size=None, num_hidden_layers=len(DECILM), max_position_embeddings=128, block_configs=blocks)


# name: config, shapes, logits of the weights
CASES = {
    "baichuan-7b": (dict(architectures=["BaichuanForCausalLM"], model_type="baichuan", max_position_embeddings=128,
                         model_max_length=128, z_loss_weight=0, **COMMON), baichuan_shapes(), lambda w, ids: baichuan(w, ids, True)),
    "baichuan-13b": (dict(architectures=["BaichuanForCausalLM"], model_type="baichuan", model_max_length=128, **COMMON),
                     baichuan_shapes(), lambda w, ids: baichuan(w, ids, False)),
    "internlm2": (dict(architectures=["InternLM2ForCausalLM"], model_type="internlm2", num_key_value_heads=KV_HEADS, bias=False,
                       max_position_embeddings=128, rope_theta=10000, **COMMON), internlm2_shapes(False),
                  lambda w, ids: internlm2(w, ids, False)),
    "internlm2-bias": (dict(architectures=["InternLM2ForCausalLM"], model_type="internlm2", num_key_value_heads=KV_HEADS,
                            bias=True, max_position_embeddings=128, rope_theta=10000, **COMMON), internlm2_shapes(True),
                       lambda w, ids: internlm2(w, ids, True)),
    "minicpm": (minicpm_config(True), llama_shapes(MINICPM, True), lambda w, ids: minicpm(w, ids, True)),
    "minicpm-untied": (minicpm_config(False), llama_shapes(MINICPM, False), lambda w, ids: minicpm(w, ids, False)),
    "decilm": (decilm_config(), llama_shapes(DECILM, False), decilm),
}


def make_weights(shapes):
    torch.manual_seed(5)
    return {name: 0.2 * torch.randn(shape) + (1.0 if len(shape) == 1 and "norm" in name else 0.0)
            for name, shape in shapes.items()}


def compare(folder, shapes, logits_of):
    """Errors of logits, loss and the worst gradient."""
    weights = {name: value.requires_grad_() for name, value in load_file(folder / "model.safetensors").items()}
    logits = logits_of(weights, IDS)
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), IDS[:, 1:].flatten())
    loss.backward()
    ours = load_file(folder / "out.safetensors")
    whole = forward_test.norm({name: value.grad for name, value in weights.items()})
    gradient = max(forward_test.gradient_error(ours["grad." + name], value.grad, whole) for name, value in weights.items())
    assert set(ours) == {"logits", "loss"} | {"grad." + name for name in shapes}, set(ours)
    return float((ours["logits"] - logits).abs().max()), abs(float(ours["loss"] - loss) / float(loss)), gradient


def saved(folder):
    """"" when a run with a learning rate of zero saves what it loaded, else what is wrong."""
    write_tokens(folder / "tokens.bin")
    (folder / "recipe.yaml").write_text(RECIPE.format(model=folder, folder=folder, root=folder))
    call("pretrain", "llm", "-c", folder / "recipe.yaml")
    exported = next((folder / "ckpt").glob("epoch_*_step_*")) / "model" / "consolidated"
    before = load_file(folder / "model.safetensors")
    after = {name: value for file in exported.glob("*.safetensors") for name, value in load_file(file).items()}
    same = set(before) == set(after) and all(torch.equal(before[name], after[name]) for name in before)
    return "" if same else "is saved otherwise"


def generated(folder, logits_of):
    """"" when a cache gives the ids that whole sequences give, else what is wrong."""
    out = call("generate", "-m", folder, "--ids", folder.parent / "ids.json", "--max-new-tokens", NEW_TOKENS, "--json")
    ours = [json.loads(line)["ids"] for line in out.splitlines()]
    weights, ids = load_file(folder / "model.safetensors"), IDS
    with torch.no_grad():
        for _ in range(NEW_TOKENS):
            ids = torch.cat([ids, logits_of(weights, ids)[:, -1:].argmax(-1)], 1)
    expected = [row[:row.index(EOS) + 1] if EOS in row else row for row in ids[:, IDS.shape[1]:].tolist()]
    return "" if ours == expected else f"generates {ours}, not {expected}"


def main():
    os.environ["AUTOMODEL_RUNS"] = "none"
    bounds, failed = forward_test.BOUNDS["float32"], []
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        (root / "ids.json").write_text(json.dumps(IDS.tolist()))
        requests = []
        for case, (config, shapes, _) in CASES.items():
            folder = root / case
            folder.mkdir()
            (folder / "config.json").write_text(json.dumps(config))
            save_file(make_weights(shapes), folder / "model.safetensors")
            requests.append({"model": str(folder), "ids": str(root / "ids.json"), "grads": True,
                             "output": str(folder / "out.safetensors")})
        (root / "cases.json").write_text(json.dumps(requests))
        call("model", "forward", "--cases", root / "cases.json")
        for case, (_, shapes, logits_of) in CASES.items():
            errors = compare(root / case, shapes, logits_of)
            wrong = generated(root / case, logits_of) or saved(root / case)
            line = "{:16} logits {:.1e}, loss {:.1e}, gradient {:.1e}; ".format(case, *errors)
            print(line + (wrong or "generates and is saved as it was"), flush=True)
            if wrong or not all(error <= bound for error, bound in zip(errors, bounds.values())):
                failed.append(case)
    if failed:
        sys.exit(f"fail: {', '.join(failed)}")


if __name__ == "__main__":
    main()
