"""Tiny checkpoints of the families with experts: one row a variant, as in variants.py."""
from families import DELTA_NET, DELTA_NETS, HYBRID, NEMOTRON_H
from variants import SIZES, Variant

LATENT = dict(num_key_value_heads=4, q_lora_rank=24, kv_lora_rank=20, qk_nope_head_dim=12, qk_rope_head_dim=8, v_head_dim=10)
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 32,
        "beta_fast": 32.0, "beta_slow": 1.0, "truncate": False}
MSCALE = {**YARN, "mscale": 1.0, "mscale_all_dim": 1.0}
NO_MSCALE = {"rope_type": "default", "rope_theta": 10000.0}

# family -> (config class, model class) of transformers, and what every variant of it has
FAMILIES = {
    "mixtral": ("MixtralConfig", "MixtralForCausalLM", dict(num_local_experts=6, num_experts_per_tok=2)),
    "qwen2_moe": ("Qwen2MoeConfig", "Qwen2MoeForCausalLM",
                  dict(num_experts=6, num_experts_per_tok=2, moe_intermediate_size=20,
                       shared_expert_intermediate_size=28)),
    "qwen3_moe": ("Qwen3MoeConfig", "Qwen3MoeForCausalLM",
                  dict(num_experts=6, num_experts_per_tok=2, moe_intermediate_size=20, head_dim=16)),
    "olmoe": ("OlmoeConfig", "OlmoeForCausalLM", dict(num_experts=6, num_experts_per_tok=2)),
    "granitemoe": ("GraniteMoeConfig", "GraniteMoeForCausalLM", dict(num_local_experts=6, num_experts_per_tok=2)),
    "ernie4_5_moe": ("Ernie4_5_MoeConfig", "Ernie4_5_MoeForCausalLM",
                     dict(moe_num_experts=6, moe_k=2, moe_intermediate_size=20, moe_num_shared_experts=2)),
    "glm4_moe": ("Glm4MoeConfig", "Glm4MoeForCausalLM",
                 dict(n_routed_experts=8, num_experts_per_tok=3, moe_intermediate_size=20, n_shared_experts=2,
                      head_dim=16)),
    "minimax_m2": ("MiniMaxM2Config", "MiniMaxM2ForCausalLM",
                   dict(num_local_experts=6, num_experts_per_tok=2, head_dim=16)),
    "hunyuan_v1_moe": ("HunYuanMoEV1Config", "HunYuanMoEV1ForCausalLM",
                       dict(num_experts=6, moe_topk=2, head_dim=16)),
    "gpt_oss": ("GptOssConfig", "GptOssForCausalLM",
                dict(num_local_experts=6, num_experts_per_tok=2, head_dim=16, sliding_window=8, rope_parameters=YARN)),
    "deepseek_v2": ("DeepseekV2Config", "DeepseekV2ForCausalLM",
                    dict(LATENT, n_routed_experts=8, num_experts_per_tok=3, moe_intermediate_size=20,
                         n_shared_experts=2, first_k_dense_replace=1)),
    "deepseek_v3": ("DeepseekV3Config", "DeepseekV3ForCausalLM",
                    dict(LATENT, n_routed_experts=8, num_experts_per_tok=3, moe_intermediate_size=20,
                         n_shared_experts=2, first_k_dense_replace=1, n_group=4, topk_group=2)),
    "glm4_moe_lite": ("Glm4MoeLiteConfig", "Glm4MoeLiteForCausalLM",
                      dict(LATENT, n_routed_experts=8, num_experts_per_tok=3, moe_intermediate_size=20, n_shared_experts=2)),
    "llama4_text": ("Llama4TextConfig", "Llama4ForCausalLM",
                    dict(num_local_experts=6, num_experts_per_tok=2, head_dim=16, intermediate_size=20,
                         intermediate_size_mlp=80, attention_chunk_size=8, no_rope_layers=[1, 0, 1],
                         interleave_moe_layer_step=2, floor_scale=8, attn_scale=0.5)),
    "qwen3_next": ("Qwen3NextConfig", "Qwen3NextForCausalLM",
                   dict(DELTA_NET, num_experts=6, num_experts_per_tok=2, moe_intermediate_size=20,
                        shared_expert_intermediate_size=24)),
    "qwen3_5_moe_text": ("Qwen3_5MoeTextConfig", "Qwen3_5MoeForCausalLM",
                         dict(DELTA_NET, num_experts=6, num_experts_per_tok=2, moe_intermediate_size=20,
                              shared_expert_intermediate_size=24)),
    "granitemoehybrid": ("GraniteMoeHybridConfig", "GraniteMoeHybridForCausalLM",
                         dict(num_local_experts=6, num_experts_per_tok=2, intermediate_size=20,
                              shared_intermediate_size=28, mamba_n_heads=12, mamba_d_state=16, mamba_d_head="auto",
                              layer_types=HYBRID)),
    "nemotron_h": ("NemotronHConfig", "NemotronHForCausalLM",
                   dict(NEMOTRON_H, n_routed_experts=6, num_experts_per_tok=2, moe_intermediate_size=20,
                        moe_shared_expert_intermediate_size=28, layers_block_type=["moe", *HYBRID, "mlp", "moe"])),
}

ONE_GROUP = dict(n_group=1, topk_group=1, norm_topk_prob=True, pad_token_id=None)
# What the config.json of released checkpoints says more, or otherwise; None: not at all.
FIRST_CODE = dict(aux_loss_alpha=0.001, seq_aux=True, ep_size=1, moe_layer_freq=1, num_nextn_predict_layers=0, pretraining_tp=1,
                  scoring_func="sigmoid", topk_method="noaux_tc", rope_parameters=None, rope_interleave=None, dtype=None,
                  torch_dtype="float32", head_dim=None, qk_head_dim=None, mlp_bias=None)
RELEASED = {
    "deepseek_v3-kimi-k2": FIRST_CODE | dict(
        model_type="kimi_k2", rope_theta=50000.0,
        auto_map={"AutoConfig": "configuration_deepseek.DeepseekV3Config",
                  "AutoModelForCausalLM": "modeling_deepseek.DeepseekV3ForCausalLM"},
        rope_scaling=dict(beta_fast=1.0, beta_slow=1.0, factor=32.0, mscale=1.0, mscale_all_dim=1.0,
                          original_max_position_embeddings=4, type="yarn")),
    "deepseek_v3-moonlight": FIRST_CODE | dict(rope_theta=50000.0),
}

LATENT_OWN = [("direct-queries", dict(q_lora_rank=None), None),
              ("wide-values", dict(v_head_dim=28), None),
              ("attention-bias", dict(attention_bias=True), dict(attention_bias=False)),
              ("yarn", dict(rope_parameters=MSCALE), dict(rope_parameters=NO_MSCALE)),
              ("scale", dict(routed_scaling_factor=2.5), dict(routed_scaling_factor=1.0))]
DENSE_FIRST = [("all-experts", dict(first_k_dense_replace=0), None), ("all-dense", dict(first_k_dense_replace=3), None)]

# What switches each optional field of a family's config; `without` undoes it.
OWN = {
    "mixtral": [("window", dict(sliding_window=8), dict(sliding_window=None)),
                ("all-experts", dict(num_experts_per_tok=6), None)],
    "qwen2_moe": [("renormalised", dict(norm_topk_prob=True), dict(norm_topk_prob=False)),
                  ("every-second", dict(decoder_sparse_step=2), None),
                  ("dense-layers", dict(mlp_only_layers=[0, 2]), None),
                  ("without-bias", dict(qkv_bias=False), None)],
    "qwen3_moe": [("renormalised", dict(norm_topk_prob=True), dict(norm_topk_prob=False)),
                  ("every-second", dict(decoder_sparse_step=2), None),
                  ("dense-layers", dict(mlp_only_layers=[1]), None),
                  ("attention-bias", dict(attention_bias=True), dict(attention_bias=False))],
    "olmoe": [("renormalised", dict(norm_topk_prob=True), dict(norm_topk_prob=False)),
              ("clipped", dict(clip_qkv=0.5), dict(clip_qkv=None))],
    "granitemoe": [("multipliers", dict(embedding_multiplier=3.0, residual_multiplier=0.4, logits_scaling=2.0,
                                        attention_multiplier=0.2),
                    dict(embedding_multiplier=1.0, residual_multiplier=1.0, logits_scaling=1.0,
                         attention_multiplier=1.0)),
                   ("bias", dict(attention_bias=True), dict(attention_bias=False))],
    "ernie4_5_moe": [("bias", dict(use_bias=True, tie_word_embeddings=False),
                      dict(use_bias=False, tie_word_embeddings=False)),
                     ("layers", dict(moe_layer_start_index=0, moe_layer_end_index=1), None),
                     ("interval", dict(moe_layer_interval=2, moe_layer_start_index=0), None),
                     ("norm-min", dict(moe_norm_min=0.9), dict(moe_norm_min=1e-12)),
                     ("without-shared", dict(moe_num_shared_experts=0), None)],
    "glm4_moe": [("qk-norm", dict(use_qk_norm=True), dict(use_qk_norm=False)),
                 ("groups", dict(n_group=4, topk_group=2), dict(n_group=1, topk_group=1)),
                 ("scale", dict(routed_scaling_factor=2.5), dict(routed_scaling_factor=1.0)),
                 ("not-renormalised", dict(norm_topk_prob=False), dict(norm_topk_prob=True)),
                 ("no-dense", dict(first_k_dense_replace=0), None),
                 ("two-dense", dict(first_k_dense_replace=2), None),
                 ("attention-bias", dict(attention_bias=True), dict(attention_bias=False))],
    "hunyuan_v1_moe": [("attention-bias", dict(attention_bias=True), dict(attention_bias=False)),
                       ("alpha", dict(rope_parameters={"rope_type": "dynamic", "alpha": 1000.0, "factor": 1.0,
                                                       "rope_theta": 10000.0}),
                        dict(rope_parameters={"rope_type": "default", "rope_theta": 10000.0}))],
    "minimax_m2": [("partial-rotary", dict(rotary_dim=8), dict(rotary_dim=16))],
    "gpt_oss": [("without-bias", dict(attention_bias=False), None),
                ("limit", dict(swiglu_limit=0.5), dict(swiglu_limit=7.0)),
                ("alpha", dict(swiglu_alpha=0.7), dict(swiglu_alpha=1.702)),
                ("full-attention", dict(layer_types=["full_attention"] * 3), None)],
    "deepseek_v2": LATENT_OWN + DENSE_FIRST + [
        ("groups", dict(topk_method="group_limited_greedy", n_group=4, topk_group=2), dict(topk_method="greedy")),
        ("mlp-bias", dict(mlp_bias=True), dict(mlp_bias=False))],
    "deepseek_v3": LATENT_OWN + DENSE_FIRST + [
        ("halves", dict(rope_interleave=False), dict(rope_interleave=True)),
        ("not-renormalised", dict(norm_topk_prob=False), dict(norm_topk_prob=True)),
        ("one-group", dict(n_group=1, topk_group=1), None),
        ("kimi-k2", dict(ONE_GROUP, n_shared_experts=1, routed_scaling_factor=2.827), None),
        ("moonlight", dict(ONE_GROUP, q_lora_rank=None, routed_scaling_factor=2.446), None)],
    "glm4_moe_lite": LATENT_OWN + [
        ("halves", dict(rope_interleave=False), dict(rope_interleave=True)),
        ("not-renormalised", dict(norm_topk_prob=False), dict(norm_topk_prob=True)),
        ("groups", dict(n_group=4, topk_group=2), dict(n_group=1, topk_group=1)),
        ("types", dict(mlp_layer_types=["sparse", "dense", "sparse"]), dict(mlp_layer_types=None))],
    "llama4_text": [("all-experts", dict(moe_layers=[0, 1, 2]), None),
                    ("no-qk-norm", dict(use_qk_norm=False), dict(use_qk_norm=True)),
                    ("no-tuning", dict(attn_temperature_tuning=False), dict(attn_temperature_tuning=True)),
                    ("no-chunk", dict(attention_chunk_size=128), dict(attention_chunk_size=8)),
                    ("interval", dict(no_rope_layers=None, no_rope_layer_interval=2), None),
                    ("layer-types", dict(layer_types=["full_attention", "chunked_attention", "chunked_attention"]), None),
                    ("attention-bias", dict(attention_bias=True), dict(attention_bias=False))],
    "qwen3_next": DELTA_NETS + [("dense-layer", dict(mlp_only_layers=[1]), None),
                                ("every-second", dict(decoder_sparse_step=2), None),
                                ("not-renormalised", dict(norm_topk_prob=False), dict(norm_topk_prob=True))],
    "qwen3_5_moe_text": DELTA_NETS,
    "granitemoehybrid": [("rope", dict(position_embedding_type="rope"), dict(position_embedding_type=None))],
    "nemotron_h": [("latent", dict(moe_latent_size=16), None),
                   ("latent-bias", dict(moe_latent_size=16, mlp_bias=True), None),
                   ("groups", dict(n_group=3, topk_group=2), dict(n_group=1, topk_group=1)),
                   ("scale", dict(routed_scaling_factor=2.5), dict(routed_scaling_factor=1.0)),
                   ("not-renormalised", dict(norm_topk_prob=False), dict(norm_topk_prob=True)),
                   ("silu", dict(mlp_hidden_act="silu"), dict(mlp_hidden_act="relu2")),
                   ("pattern", dict(layers_block_type=None, hybrid_override_pattern="ME*E-"), None)],
}
WITHOUT_AUX_LOSS = ("glm4_moe", "glm4_moe_lite", "deepseek_v2", "deepseek_v3", "llama4_text", "hunyuan_v1_moe", "nemotron_h")
WITH_AUX_LOSS = [family for family in FAMILIES if family not in WITHOUT_AUX_LOSS]
# The experts' gate is a formula of its own; the convolution's activation is the same.
WITHOUT_ACTIVATION = ("gpt_oss", "qwen3_next", "qwen3_5_moe_text", "granitemoehybrid", "nemotron_h")

# transformers' own bfloat16 is farther from its float32 than the bound; forward_test.py has their mixers in bfloat16.
WITHOUT_BF16 = ("qwen3_next", "qwen3_5_moe_text", "granitemoehybrid", "nemotron_h")


def all_variants():
    for family in FAMILIES:
        yield Variant(family, "plain", {})
        yield Variant(family, "untied", {"tie_word_embeddings": False})
        if family != "nemotron_h":  # its class ties nothing, whatever the config says
            yield Variant(family, "tied", {"tie_word_embeddings": True})
        yield Variant(family, "masked-labels", {}, masked_labels=True)
        yield Variant(family, "short-rows", {}, lengths=(1, 2, 3))
        if family not in WITHOUT_ACTIVATION:
            yield Variant(family, "gelu", {"hidden_act": "gelu"}, without={"hidden_act": "silu"})
        yield Variant(family, "sharded", {}, shard_bytes=40_000)
        # Every token passes every expert: which of two near equals is chosen is a matter of rounding.
        key = {"ernie4_5_moe": "moe_k", "hunyuan_v1_moe": "moe_topk"}.get(family, "num_experts_per_tok")
        everyone = {key: FAMILIES[family][2].get("n_routed_experts", 6)}
        if "n_group" in FAMILIES[family][2]:
            everyone |= {"n_group": 1, "topk_group": 1}
        if family not in WITHOUT_BF16:
            yield Variant(family, "bf16", everyone, stored="bfloat16", run="bfloat16")
        for name, config, without in OWN[family]:
            yield Variant(family, name, config, without=without)
        if family in WITH_AUX_LOSS:
            yield Variant(family, "aux-loss", {"output_router_logits": True, "router_aux_loss_coef": 0.5},
                          lengths=(41, 29))


def values(variant, changes=None):
    own = FAMILIES[variant.family][2]
    return {key: value for key, value in {**SIZES, **own, **variant.config, **(changes or {})}.items()
            if value is not None or key not in ("no_rope_layers", "layer_types", "layers_block_type", "num_hidden_layers")}
