"""Plain references of families that transformers knows only as remote code, written from the published formulas; each reads the
keys of its config.json as its released configuration class does, with that class's defaults.

Baichuan 2 (arXiv:2309.10305): W_pack, a head of unit rows, rope (7B) or ALiBi (13B, whose config has no
max_position_embeddings). InternLM 2 (arXiv:2403.17297): wqkv by groups. MiniCPM (arXiv:2404.06395): multipliers by depth and
width. DeciLM of Nemotron-Super-49B (arXiv:2411.19146): layers of other sizes, and without attention or MLP; DeciLM-7B: layers
of other key heads.
"""
import math

import torch
import torch.nn.functional as F
import transformers
from transformers.activations import ACT2FN
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding


class Keys:
    """A config with the defaults of its class."""

    def __init__(self, config, **defaults):
        common = dict(hidden_act="silu", rms_norm_eps=1e-6, initializer_range=0.02, rope_theta=10000.0, rope_scaling=None,
                      tie_word_embeddings=False, pad_token_id=None, attention_bias=False, mlp_bias=False, bias=True)
        for key, value in {**common, **defaults, **config}.items():
            setattr(self, key, value)
        self.head_dim = self.hidden_size // self.num_attention_heads
        if self.head_dim * self.num_attention_heads != self.hidden_size:
            raise ValueError("hidden_size is no multiple of num_attention_heads")


def rms_norm(keys, x, weight):
    return weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + keys.rms_norm_eps)


def rotate(keys, x):
    """[B, N, T, H], halves of a head turned together (Su et al. 2021, arXiv:2104.09864), by Llama's frequencies."""
    config = transformers.LlamaConfig(hidden_size=keys.hidden_size, num_attention_heads=keys.num_attention_heads,
                                      max_position_embeddings=keys.max_position_embeddings, rope_theta=keys.rope_theta,
                                      rope_scaling=dict(keys.rope_scaling) if keys.rope_scaling else None)
    cos, sin = LlamaRotaryEmbedding(config)(x, torch.arange(x.shape[2])[None])
    a, b = x.chunk(2, -1)
    return x * cos[:, None] + torch.cat([-b, a], -1) * sin[:, None]


def attend(q, k, v, bias=None):
    """[B, N, T, H] each, causal; keys and values may have fewer heads."""
    k, v = (part.repeat_interleave(q.shape[1] // part.shape[1], 1) for part in (k, v))
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if bias is not None:
        scores = scores + bias
    hidden = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool).triu(1)
    return (scores.masked_fill(hidden, -math.inf).softmax(-1) @ v).transpose(1, 2).flatten(2)


def heads(keys, x):
    return x.unflatten(-1, (-1, keys.head_dim)).transpose(1, 2)


def linear(w, name, x):
    return F.linear(x, w[name + ".weight"], w.get(name + ".bias"))


def gated(keys, w, layer, x, gate, up, down):
    return linear(w, layer + down, ACT2FN[keys.hidden_act](linear(w, layer + gate, x)) * linear(w, layer + up, x))


def head_of(keys, w, name):
    return w["model.embed_tokens.weight" if keys.tie_word_embeddings else name]


def alibi(count, length):
    """[N, 1, T]: Press et al. 2022, arXiv:2108.12409; between powers of two every second slope of the next one."""
    def slopes(n):
        return [2.0 ** (-8.0 * (i + 1) / n) for i in range(n)]
    near = 2 ** math.floor(math.log2(count))
    values = slopes(near) + slopes(2 * near)[0::2][: count - near]
    return torch.tensor(values)[:, None, None] * torch.arange(length)[None, None]


class Baichuan:
    def __init__(self, config):
        self.keys = Keys(config)

    def shapes(self):
        k = self.keys
        shapes = {"model.embed_tokens.weight": (k.vocab_size, k.hidden_size), "model.norm.weight": (k.hidden_size,)}
        if not k.tie_word_embeddings:
            shapes["lm_head.weight"] = (k.vocab_size, k.hidden_size)
        for i in range(k.num_hidden_layers):
            layer = f"model.layers.{i}."
            shapes |= {layer + "self_attn.W_pack.weight": (3 * k.hidden_size, k.hidden_size),
                       layer + "self_attn.o_proj.weight": (k.hidden_size, k.hidden_size), **mlp_shapes(k, layer, k.intermediate_size),
                       layer + "input_layernorm.weight": (k.hidden_size,)}
        return shapes

    def logits(self, w, ids):
        k = self.keys
        x = w["model.embed_tokens.weight"][ids]
        for i in range(k.num_hidden_layers):
            layer = f"model.layers.{i}."
            packed = linear(w, layer + "self_attn.W_pack", rms_norm(k, x, w[layer + "input_layernorm.weight"]))
            q, key, v = (heads(k, part) for part in packed.chunk(3, -1))
            if hasattr(k, "max_position_embeddings"):
                mixed = attend(rotate(k, q), rotate(k, key), v)
            else:
                mixed = attend(q, key, v, alibi(k.num_attention_heads, ids.shape[1]))
            x = x + linear(w, layer + "self_attn.o_proj", mixed)
            normed = rms_norm(k, x, w[layer + "post_attention_layernorm.weight"])
            x = x + gated(k, w, layer + "mlp.", normed, "gate_proj", "up_proj", "down_proj")
        return rms_norm(k, x, w["model.norm.weight"]) @ F.normalize(head_of(k, w, "lm_head.weight")).T


def mlp_shapes(k, layer, width):
    return {layer + "mlp.gate_proj.weight": (width, k.hidden_size), layer + "mlp.up_proj.weight": (width, k.hidden_size),
            layer + "mlp.down_proj.weight": (k.hidden_size, width), layer + "post_attention_layernorm.weight": (k.hidden_size,)}


class InternLM2:
    def __init__(self, config):
        self.keys = Keys(config, num_key_value_heads=None, max_position_embeddings=2048)
        self.kv_heads = self.keys.num_attention_heads if self.keys.num_key_value_heads is None else self.keys.num_key_value_heads
        scaling = self.keys.rope_scaling
        if scaling is not None and scaling["type"] not in ("linear", "dynamic"):
            raise ValueError("rope_scaling")

    def shapes(self):
        k = self.keys
        fused = (k.num_attention_heads + 2 * self.kv_heads) * k.head_dim
        shapes = {"model.tok_embeddings.weight": (k.vocab_size, k.hidden_size), "model.norm.weight": (k.hidden_size,)}
        if not k.tie_word_embeddings:
            shapes["output.weight"] = (k.vocab_size, k.hidden_size)
        for i in range(k.num_hidden_layers):
            layer = f"model.layers.{i}."
            shapes |= {layer + "attention.wqkv.weight": (fused, k.hidden_size),
                       layer + "attention.wo.weight": (k.hidden_size, k.num_attention_heads * k.head_dim),
                       layer + "feed_forward.w1.weight": (k.intermediate_size, k.hidden_size),
                       layer + "feed_forward.w3.weight": (k.intermediate_size, k.hidden_size),
                       layer + "feed_forward.w2.weight": (k.hidden_size, k.intermediate_size),
                       layer + "attention_norm.weight": (k.hidden_size,), layer + "ffn_norm.weight": (k.hidden_size,)}
            if k.bias:
                shapes |= {layer + "attention.wqkv.bias": (fused,), layer + "attention.wo.bias": (k.hidden_size,)}
        return shapes

    def logits(self, w, ids):
        k = self.keys
        x = w["model.tok_embeddings.weight"][ids]
        group = k.num_attention_heads // self.kv_heads
        for i in range(k.num_hidden_layers):
            layer = f"model.layers.{i}."
            packed = linear(w, layer + "attention.wqkv", rms_norm(k, x, w[layer + "attention_norm.weight"]))
            packed = packed.view(*x.shape[:2], self.kv_heads, group + 2, k.head_dim)
            q = packed[..., :group, :].flatten(2, 3).transpose(1, 2)
            key, v = (packed[..., group + j, :].transpose(1, 2) for j in (0, 1))
            x = x + linear(w, layer + "attention.wo", attend(rotate(k, q), rotate(k, key), v))
            normed = rms_norm(k, x, w[layer + "ffn_norm.weight"])
            x = x + gated(k, w, layer + "feed_forward.", normed, "w1", "w3", "w2")
        head = w["model.tok_embeddings.weight" if k.tie_word_embeddings else "output.weight"]
        return rms_norm(k, x, w["model.norm.weight"]) @ head.T


class LlamaLike:
    """Blocks of Llama; `blocks`: key heads (0: no attention) and width of the MLP (0: none) of each layer."""
    defaults = dict(max_position_embeddings=2048)

    def __init__(self, config):
        self.keys = Keys(config, **self.defaults)
        self.scale = self.growth = self.shrink = 1.0
        self.blocks = self.read_blocks(self.keys)
        if any(kv_heads and self.keys.num_attention_heads % kv_heads for kv_heads, _ in self.blocks):
            raise ValueError("heads")

    def shapes(self):
        k = self.keys
        size = k.hidden_size
        shapes = {"model.embed_tokens.weight": (k.vocab_size, size), "model.norm.weight": (size,)}
        if not k.tie_word_embeddings:
            shapes["lm_head.weight"] = (k.vocab_size, size)
        for i, (kv_heads, inner) in enumerate(self.blocks):
            layer = f"model.layers.{i}."
            attention = {layer + "self_attn.q_proj": (size, size), layer + "self_attn.k_proj": (kv_heads * k.head_dim, size),
                         layer + "self_attn.v_proj": (kv_heads * k.head_dim, size), layer + "self_attn.o_proj": (size, size)}
            if kv_heads:
                shapes |= {name + ".weight": shape for name, shape in attention.items()}
                shapes |= {name + ".bias": shape[:1] for name, shape in attention.items() if k.attention_bias}
                shapes[layer + "input_layernorm.weight"] = (size,)
            if inner:
                shapes |= mlp_shapes(k, layer, inner)
            if inner and k.mlp_bias:
                shapes |= {layer + "mlp.gate_proj.bias": (inner,), layer + "mlp.up_proj.bias": (inner,),
                           layer + "mlp.down_proj.bias": (size,)}
        return shapes

    def logits(self, w, ids):
        k = self.keys
        x = self.scale * w["model.embed_tokens.weight"][ids]
        for i, (kv_heads, inner) in enumerate(self.blocks):
            layer = f"model.layers.{i}."
            if kv_heads:
                normed = rms_norm(k, x, w[layer + "input_layernorm.weight"])
                q, key, v = (heads(k, linear(w, layer + f"self_attn.{name}_proj", normed)) for name in "qkv")
                x = x + self.growth * linear(w, layer + "self_attn.o_proj", attend(rotate(k, q), rotate(k, key), v))
            if inner:
                normed = rms_norm(k, x, w[layer + "post_attention_layernorm.weight"])
                x = x + self.growth * gated(k, w, layer + "mlp.", normed, "gate_proj", "up_proj", "down_proj")
        return rms_norm(k, x, w["model.norm.weight"]) / self.shrink @ head_of(k, w, "lm_head.weight").T


class MiniCPM(LlamaLike):
    defaults = dict(max_position_embeddings=2048, num_key_value_heads=None, tie_word_embeddings=True, scale_emb=1,
                    scale_depth=1, dim_model_base=1)

    def read_blocks(self, k):
        self.scale = k.scale_emb
        self.growth = k.scale_depth / math.sqrt(k.num_hidden_layers)
        self.shrink = k.hidden_size / k.dim_model_base
        kv_heads = k.num_attention_heads if k.num_key_value_heads is None else k.num_key_value_heads
        return [(kv_heads, k.intermediate_size)] * k.num_hidden_layers


class DeciLM(LlamaLike):
    """Of nemotron-nas: block_configs."""

    def read_blocks(self, k):
        def width(ffn):
            if ffn["no_op"]:
                return 0
            return math.ceil(int(2 * ffn["ffn_mult"] * k.hidden_size / 3) / 256) * 256

        blocks = k.block_configs[:k.num_hidden_layers]
        if len(blocks) != k.num_hidden_layers:
            raise ValueError("block_configs")
        return [(0 if block["attention"]["no_op"] else k.num_attention_heads // block["attention"]["n_heads_in_group"],
                 width(block["ffn"])) for block in blocks]


class Deci(LlamaLike):
    """Of DeciLM-7B: num_key_value_heads_per_layer."""

    def read_blocks(self, k):
        return [(k.num_key_value_heads_per_layer[i], k.intermediate_size) for i in range(k.num_hidden_layers)]


HIDDEN, HEADS, KV_HEADS, LAYERS, INNER, VOCABULARY, EOS = 48, 4, 2, 3, 80, 101, 2
COMMON = dict(vocab_size=VOCABULARY, hidden_size=HIDDEN, intermediate_size=INNER, num_hidden_layers=LAYERS,
              num_attention_heads=HEADS, rms_norm_eps=1e-6, hidden_act="silu", tie_word_embeddings=False, initializer_range=0.02,
              bos_token_id=1, eos_token_id=EOS, pad_token_id=None, torch_dtype="float32", use_cache=True)
ROPE = dict(max_position_embeddings=128, rope_theta=10000.0, rope_scaling=None)
LLAMA = dict(COMMON, **ROPE, attention_bias=False, attention_dropout=0.0, pretraining_tp=1)
MINICPM = dict(LLAMA, architectures=["MiniCPMForCausalLM"], model_type="minicpm", num_key_value_heads=KV_HEADS, scale_emb=12,
               scale_depth=1.4, dim_model_base=16)
LLAMA3 = {"factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 16, "rope_type": "llama3"}


def decilm_config():
    sizes = [(0, 512), (4, 256), (2, 256), (1, 0)]
    blocks = [{"attention": {"n_heads_in_group": HEADS // kv_heads if kv_heads else None, "no_op": not kv_heads,
                             "num_sink_tokens": None, "replace_with_linear": False, "sparsify": None, "unshifted_sink": False,
                             "use_prefill_window_in_sink_attention": False, "window_length": None},
               "ffn": {"ffn_mult": (inner - 100) * 1.5 / HIDDEN if inner else None, "no_op": not inner,
                       "replace_with_linear": False, "sparsify": None}} for kv_heads, inner in sizes]
    return dict(LLAMA, architectures=["DeciLMForCausalLM"], model_type="nemotron-nas", num_key_value_heads=None, mlp_bias=False,
                intermediate_size=None, num_hidden_layers=len(sizes), block_configs=blocks, rope_scaling=LLAMA3)


BAICHUAN = dict(COMMON, architectures=["BaichuanForCausalLM"], model_type="baichuan", model_max_length=128, z_loss_weight=0)
INTERNLM2 = dict(COMMON, **ROPE, architectures=["InternLM2ForCausalLM"], model_type="internlm2", num_key_value_heads=KV_HEADS,
                 bias=False, pretraining_tp=1)
DECI = dict(LLAMA, architectures=["DeciLMForCausalLM"], model_type="deci", num_key_value_heads_per_layer=[4, 2, 1])
# name: reference, config, family file
CASES = {
    "baichuan-7b": (Baichuan, dict(BAICHUAN, max_position_embeddings=128), "baichuan"),
    "baichuan-13b": (Baichuan, BAICHUAN, "baichuan"),
    "internlm2": (InternLM2, INTERNLM2, "internlm2"),
    "internlm2-bias": (InternLM2, dict(INTERNLM2, bias=True, rope_scaling={"type": "linear", "factor": 2.0}), "internlm2"),
    "minicpm": (MiniCPM, {key: value for key, value in MINICPM.items() if key != "tie_word_embeddings"}, "minicpm"),
    "minicpm-untied": (MiniCPM, MINICPM, "minicpm"),
    "decilm": (DeciLM, decilm_config(), "decilm"),
    "decilm-7b": (Deci, DECI, "deci"),
}


def make_weights(shapes):
    torch.manual_seed(5)
    return {name: 0.2 * torch.randn(shape) + (1.0 if len(shape) == 1 and "norm" in name else 0.0)
            for name, shape in shapes.items()}
