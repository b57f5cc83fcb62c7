"""The tiny checkpoints that parity is shown on: one row a variant.

`config` goes to the family's config class; `without` undoes the feature that the variant is about (its logits must then
differ). The rest says how the folder is written and run.
"""
import dataclasses

import families


@dataclasses.dataclass
class Variant:
    family: str
    name: str
    config: dict = dataclasses.field(default_factory=dict)
    without: dict | None = None  # None: nothing to undo
    old_config: bool = False  # rope_scaling, rope_theta and torch_dtype as before transformers 5
    stored: str = "float32"
    run: str = "float32"
    shard_bytes: int | None = None
    masked_labels: bool = False
    lengths: tuple = (37, 64, 5, 50)
    reference_run: str = ""  # what "auto" comes out as

    @property
    def key(self):
        return f"{self.family}-{self.name}"


SIZES = dict(vocab_size=101, hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=128, initializer_range=0.15, pad_token_id=None,
             bos_token_id=1, eos_token_id=2)
FIRST = {
    "llama": {},
    "qwen2": {},
    "qwen3": {"head_dim": 16},
    "mistral": {"sliding_window": None},
}
FAMILIES = FIRST | {family: config for family, (config, switches) in families.FAMILIES.items()}
FACTORS = {"short_factor": [1.0 + 0.1 * i for i in range(6)], "long_factor": [2.0 + 0.7 * i for i in range(6)]}


def sizes(family):
    return families.OWN_SIZES.get(family, SIZES)


def rope(rope_type, **more):
    return {"rope_type": rope_type, "rope_theta": 10000.0, **more}


# name, rope parameters, other config
ROPES = [
    ("theta", {"rope_type": "default", "rope_theta": 500.0}, {}),
    ("linear", rope("linear", factor=4.0), {}),
    ("dynamic-beyond", rope("dynamic", factor=3.0), {"max_position_embeddings": 32}),
    ("yarn", rope("yarn", factor=4.0, original_max_position_embeddings=32), {}),
    ("yarn-mscale", rope("yarn", factor=4.0, original_max_position_embeddings=32, mscale=1.3, mscale_all_dim=0.7,
                         beta_fast=16, beta_slow=2, truncate=False), {}),
    ("yarn-attention", rope("yarn", factor=8.0, original_max_position_embeddings=16, attention_factor=1.5), {}),
    ("llama3", rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                    original_max_position_embeddings=64), {}),
    ("longrope-beyond", rope("longrope", original_max_position_embeddings=32, factor=4.0, **FACTORS), {}),
    ("longrope-implied", rope("longrope", original_max_position_embeddings=32, **FACTORS), {}),
]
DEFAULT_ROPE = {"rope_parameters": rope("default")}


def rope_variants(family):
    head_dim = {"head_dim": 12}  # the length of FACTORS is head_dim / 2
    for name, parameters, more in ROPES:
        for old in (False, True):
            form = "old" if old else "new"
            yield Variant(family, f"rope-{name}-{form}", {"rope_parameters": parameters, **head_dim, **more},
                          without=DEFAULT_ROPE, old_config=old)
    if family != "llama":
        return
    within = {"max_position_embeddings": 128}
    yield Variant(family, "rope-dynamic-within", {"rope_parameters": rope("dynamic", factor=3.0), **within})
    yield Variant(family, "rope-longrope-within",
                  {"rope_parameters": rope("longrope", original_max_position_embeddings=64, factor=2.0, **FACTORS),
                   **head_dim}, without=DEFAULT_ROPE)
    # Either side of the border between the regimes.
    for length in (64, 65):
        yield Variant(family, f"rope-dynamic-at-{length}", {"rope_parameters": rope("dynamic", factor=2.0),
                                                            "max_position_embeddings": 64}, lengths=(length,))
        yield Variant(family, f"rope-longrope-at-{length}",
                      {"rope_parameters": rope("longrope", original_max_position_embeddings=64, factor=2.0, **FACTORS),
                       **head_dim}, lengths=(length,))


def family_variants(family):
    def variant(name, config=None, **more):
        return Variant(family, name, config or {}, **more)

    yield variant("untied", {"tie_word_embeddings": False})
    yield variant("tied", {"tie_word_embeddings": True})
    for kv_heads in (1, 2, 4):
        yield variant(f"kv-heads-{kv_heads}", {"num_key_value_heads": kv_heads})
    for head_dim in (20, 36, 6):
        yield variant(f"head-dim-{head_dim}", {"head_dim": head_dim})
    yield variant("padding-row", {"pad_token_id": 7})
    yield variant("padding-row-tied", {"pad_token_id": 7, "tie_word_embeddings": True})
    yield variant("masked-labels", masked_labels=True)
    yield variant("one-layer", {"num_hidden_layers": 1})
    yield variant("gelu", {"hidden_act": "gelu"}, without={"hidden_act": "silu"})
    yield variant("gelu-tanh", {"hidden_act": "gelu_pytorch_tanh"}, without={"hidden_act": "silu"})
    yield variant("relu", {"hidden_act": "relu"}, without={"hidden_act": "silu"})
    yield variant("eps", {"rms_norm_eps": 0.1}, without={"rms_norm_eps": 1e-6})
    yield variant("sharded", shard_bytes=20_000)
    yield variant("sharded-tied", {"tie_word_embeddings": True}, shard_bytes=40_000)
    yield variant("old-config", old_config=True)
    yield variant("stored-bf16", stored="bfloat16")
    yield variant("stored-f16", stored="float16")
    yield variant("bf16", stored="bfloat16", run="bfloat16")
    yield variant("bf16-tied", {"tie_word_embeddings": True}, stored="bfloat16", run="bfloat16")
    yield variant("auto-bf16", stored="bfloat16", run="auto", reference_run="bfloat16")
    yield variant("auto-f32", run="auto", reference_run="float32")
    yield variant("one-row", lengths=(40,))
    yield variant("short-rows", lengths=(1, 2, 3))


def own_variants():
    for family in ("llama", "qwen3"):
        yield Variant(family, "attention-bias", {"attention_bias": True}, without={"attention_bias": False})
    yield Variant("llama", "mlp-bias", {"mlp_bias": True}, without={"mlp_bias": False})
    yield Variant("llama", "all-bias-tied", {"mlp_bias": True, "attention_bias": True, "tie_word_embeddings": True})
    for window in (1, 8, 63, 64):
        yield Variant("mistral", f"window-{window}", {"sliding_window": window},
                      without={"sliding_window": None} if window < 64 else None)
    for family in ("qwen2", "qwen3"):
        for first in (0, 1, 3):
            yield Variant(family, f"window-from-{first}",
                          {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": first},
                          without={"use_sliding_window": False} if first < 3 else None)
        types = ["sliding_attention", "full_attention", "sliding_attention"]
        yield Variant(family, "window-layer-types",
                      {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 3, "layer_types": types},
                      without={"use_sliding_window": False, "layer_types": None})
        yield Variant(family, "window-off", {"use_sliding_window": False, "sliding_window": 8, "max_window_layers": 0})


def switched_variants(family):
    """The family as it is, stored and run in other ways, and with each switch turned."""
    yield Variant(family, "plain")
    yield Variant(family, "untied", {"tie_word_embeddings": False})
    yield Variant(family, "tied", {"tie_word_embeddings": True})
    if family not in families.OWN_SIZES:
        yield Variant(family, "padding-row", {"pad_token_id": 7})
    yield Variant(family, "masked-labels", masked_labels=True)
    yield Variant(family, "sharded", shard_bytes=40_000)
    yield Variant(family, "bf16", stored="bfloat16", run="bfloat16")
    for name, config, without in families.FAMILIES[family][1]:
        yield Variant(family, name, config, without=without)


def all_variants():
    variants = []
    for family in FIRST:
        variants += list(family_variants(family)) + list(rope_variants(family))
    for family in families.FAMILIES:
        variants += switched_variants(family)
    variants += own_variants()
    keys = [variant.key for variant in variants]
    assert len(keys) == len(set(keys)), "a variant stands twice"
    return variants
