"""The families beside llama, qwen2, qwen3 and mistral: a small config of each, and every field of its config that can be
switched, one switch a row: name, config, what undoes it (None: nothing to undo)."""

# Under other names than llama's.
GPT2_SIZES = dict(vocab_size=101, n_embd=48, n_layer=3, n_head=4, n_positions=128, initializer_range=0.15,
                  bos_token_id=1, eos_token_id=2, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
OWN_SIZES = {"gpt2": GPT2_SIZES}
# The class name of released checkpoints where transformers saves another.
# Tensors that files call otherwise than modules are called in transformers.
FILE_NAMES = {"gpt_neox": {"lm_head.weight": "embed_out.weight"}}
FILE_PREFIXES = {"nemotron_h": ("model.", "backbone.")}
ARCHITECTURES = {"internlm3": "InternLM3ForCausalLM"}
SLIDING = ["sliding_attention", "full_attention", "sliding_attention"]
HIDDEN_ACTS = [("gelu", {"hidden_act": "gelu"}, {"hidden_act": "silu"}),
               ("relu", {"hidden_act": "relu"}, {"hidden_act": "silu"})]
GEMMA_ACTS = [("gelu-exact", {"hidden_activation": "gelu"}, {"hidden_activation": "silu"}),
              ("silu", {"hidden_activation": "silu"}, {"hidden_activation": "gelu"})]
KV_HEADS = [("kv-heads-1", {"num_key_value_heads": 1}, None), ("kv-heads-4", {"num_key_value_heads": 4}, None)]


def theta(value, **more):
    return {"rope_parameters": {"rope_type": "default", "rope_theta": value, **more}}


def by_type(full, sliding):
    return {"rope_parameters": {"full_attention": {"rope_type": "default", **full},
                                "sliding_attention": {"rope_type": "default", **sliding}}}


ATTENTION_BIAS = [("attention-bias", {"attention_bias": True}, {"attention_bias": False})]
MLP_BIAS = [("mlp-bias", {"mlp_bias": True}, {"mlp_bias": False})]
LONG = {"short_factor": [1.0 + 0.1 * i for i in range(6)], "long_factor": [2.0 + 0.7 * i for i in range(6)]}
GROWING = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 8,
           "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1}

HYBRID = ["linear_attention", "full_attention", "linear_attention"]
FALCON = {"mamba_d_ssm": 96, "mamba_n_heads": 6, "mamba_n_groups": 2, "mamba_d_state": 16, "mamba_d_head": "auto"}
MUP = {"ssm_multipliers": [0.7, 1.3, 0.8, 1.2, 0.9], "ssm_in_multiplier": 1.4, "ssm_out_multiplier": 0.6,
       "attention_in_multiplier": 0.8, "attention_out_multiplier": 1.5, "key_multiplier": 0.7,
       "mlp_multipliers": [0.6, 1.3], "embedding_multiplier": 1.7, "lm_head_multiplier": 0.4}
DELTA_NET = {"head_dim": 16, "linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 8,
             "linear_value_head_dim": 12, "layer_types": HYBRID}
NEMOTRON_H = {"head_dim": 16, "mamba_num_heads": 6, "mamba_head_dim": 8, "n_groups": 2, "ssm_state_size": 16,
              "layers_block_type": HYBRID + ["mlp"], "num_hidden_layers": None}
DELTA_NETS = KV_HEADS + ATTENTION_BIAS + [
    ("kernel", {"linear_conv_kernel_dim": 3}, None),
    ("shared-keys", {"linear_num_key_heads": 1}, None),
    ("own-keys", {"linear_num_key_heads": 4}, None),
    ("interval", {"layer_types": None, "num_hidden_layers": 4}, None),
    ("theta", theta(500000.0, partial_rotary_factor=0.5), theta(100.0, partial_rotary_factor=0.5))]

# family: its config, switches
FAMILIES = {
    "gemma": ({"head_dim": 16}, KV_HEADS + ATTENTION_BIAS + [
        ("legacy-gelu", {"hidden_act": "gelu"}, {"hidden_act": "silu"}),
        ("silu", {"hidden_act": "silu"}, {"hidden_act": "gelu_pytorch_tanh"}),
        ("theta", theta(500000.0), theta(100.0)),
        ("eps", {"rms_norm_eps": 0.1}, {"rms_norm_eps": 1e-6})]),
    "gemma2": ({"head_dim": 16, "sliding_window": 8, "query_pre_attn_scalar": 20}, KV_HEADS + ATTENTION_BIAS + GEMMA_ACTS + [
        ("query-scale", {"query_pre_attn_scalar": 3}, {"query_pre_attn_scalar": 16}),
        ("softcap", {"attn_logit_softcapping": 0.7}, {"attn_logit_softcapping": 50.0}),
        ("no-softcap", {"attn_logit_softcapping": None}, None),
        ("final-softcap", {"final_logit_softcapping": 2.0}, {"final_logit_softcapping": 30.0}),
        ("no-final-softcap", {"final_logit_softcapping": None}, None),
        ("window", {"sliding_window": 3}, {"sliding_window": 60}),
        ("layer-types", {"layer_types": SLIDING[::-1]}, None),
        ("theta", theta(500000.0), theta(100.0))]),
    "gemma3_text": ({"head_dim": 16, "sliding_window": 8, "query_pre_attn_scalar": 20}, KV_HEADS + ATTENTION_BIAS + GEMMA_ACTS + [
        ("query-scale", {"query_pre_attn_scalar": 3}, {"query_pre_attn_scalar": 16}),
        ("softcap-inert", {"attn_logit_softcapping": 0.7}, None),
        ("final-softcap", {"final_logit_softcapping": 2.0}, {"final_logit_softcapping": None}),
        ("layer-types", {"layer_types": SLIDING}, {"layer_types": SLIDING[1:] + SLIDING[:1]}),
        ("ropes", {"layer_types": SLIDING, **by_type({"rope_theta": 5e5}, {"rope_theta": 300.0})},
         {"layer_types": SLIDING, **by_type({"rope_theta": 5e5}, {"rope_theta": 5e5})}),
        ("rope-linear", {"layer_types": SLIDING, **by_type({"rope_theta": 1e4, "rope_type": "linear", "factor": 8.0},
                                                           {"rope_theta": 1e4})},
         {"layer_types": SLIDING, **by_type({"rope_theta": 1e4}, {"rope_theta": 1e4})})]),
    "granite": ({}, KV_HEADS + ATTENTION_BIAS + MLP_BIAS + HIDDEN_ACTS + [
        ("embedding-multiplier", {"embedding_multiplier": 12.0}, {"embedding_multiplier": 1.0}),
        ("residual-multiplier", {"residual_multiplier": 0.22}, {"residual_multiplier": 1.0}),
        ("attention-multiplier", {"attention_multiplier": 0.0078125}, {"attention_multiplier": 1.0}),
        ("logits-scaling", {"logits_scaling": 8.0}, {"logits_scaling": 1.0}),
        ("theta", theta(500000.0), theta(100.0))]),
    "phi": ({}, KV_HEADS + [
        ("relu", {"hidden_act": "relu"}, {"hidden_act": "gelu_new"}),
        ("eps", {"layer_norm_eps": 0.1}, {"layer_norm_eps": 1e-5}),
        ("partial", theta(1e4, partial_rotary_factor=0.7), theta(1e4, partial_rotary_factor=0.5)),
        ("partial-outside", {"partial_rotary_factor": 0.84}, {"partial_rotary_factor": 0.5})]),
    "phi3": ({}, KV_HEADS + HIDDEN_ACTS + [
        ("window", {"sliding_window": 8}, {"sliding_window": None}),
        ("partial", theta(1e4, partial_rotary_factor=0.5), theta(1e4, partial_rotary_factor=1.0)),
        ("longrope", {"original_max_position_embeddings": 32, "rope_parameters": {"rope_type": "longrope",
                                                                                  "rope_theta": 1e4, **LONG}}, theta(1e4)),
        ("longrope-partial", {"original_max_position_embeddings": 32, "num_attention_heads": 2, "num_key_value_heads": 2,
                              "rope_parameters": {"rope_type": "longrope", "rope_theta": 1e4, "partial_rotary_factor": 0.5,
                                                  **LONG}}, theta(1e4))]),
    "starcoder2": ({}, KV_HEADS + [
        ("no-bias", {"use_bias": False}, None),
        ("window", {"sliding_window": 8}, {"sliding_window": None}),
        ("silu", {"hidden_act": "silu"}, {"hidden_act": "gelu_pytorch_tanh"}),
        ("eps", {"norm_epsilon": 0.1}, {"norm_epsilon": 1e-5}),
        ("theta", theta(500000.0), theta(100.0))]),
    "gpt2": ({}, [
        ("inner", {"n_inner": 60}, None),
        ("relu", {"activation_function": "relu"}, {"activation_function": "gelu_new"}),
        ("eps", {"layer_norm_epsilon": 0.1}, {"layer_norm_epsilon": 1e-5})]),
    "gpt_neox": ({"num_attention_heads": 3, "num_key_value_heads": None}, [
        ("sequential", {"use_parallel_residual": False}, {"use_parallel_residual": True}),
        ("no-bias", {"attention_bias": False}, None),
        ("relu", {"hidden_act": "relu"}, {"hidden_act": "gelu"}),
        ("partial", theta(1e4, partial_rotary_factor=1.0), theta(1e4, partial_rotary_factor=0.5))]),
    "stablelm": ({"partial_rotary_factor": 0.5}, KV_HEADS + HIDDEN_ACTS + [
        ("qkv-bias", {"use_qkv_bias": True}, {"use_qkv_bias": False}),
        ("qk-norm", {"qk_layernorm": True}, {"qk_layernorm": False}),
        ("parallel", {"use_parallel_residual": True}, None),
        ("theta", theta(500000.0), theta(100.0))]),
    "olmo": ({}, KV_HEADS + ATTENTION_BIAS + HIDDEN_ACTS + [("clip", {"clip_qkv": 0.4}, {"clip_qkv": None})]),
    "olmo2": ({}, KV_HEADS + ATTENTION_BIAS + HIDDEN_ACTS + [
        ("eps", {"rms_norm_eps": 0.1}, {"rms_norm_eps": 1e-6}), ("theta", theta(500000.0), theta(100.0))]),
    "olmo3": ({"sliding_window": 8}, KV_HEADS + ATTENTION_BIAS + [
        ("layer-types", {"layer_types": SLIDING}, {"layer_types": SLIDING[1:] + SLIDING[:1]})]),
    "smollm3": ({}, KV_HEADS + ATTENTION_BIAS + MLP_BIAS + [
        ("no-rope", {"no_rope_layers": [1, 0, 1]}, {"no_rope_layers": [1, 1, 1]}),
        ("no-rope-interval", {"no_rope_layer_interval": 2}, {"no_rope_layer_interval": 4}),
        ("window", {"no_rope_layers": [1, 0, 1], "use_sliding_window": True, "sliding_window": 5},
         {"no_rope_layers": [1, 0, 1], "use_sliding_window": False})]),
    "glm": ({"head_dim": 16}, KV_HEADS + HIDDEN_ACTS + [
        ("no-bias", {"attention_bias": False}, None),
        ("partial", theta(1e4, partial_rotary_factor=1.0), theta(1e4, partial_rotary_factor=0.5))]),
    "glm4": ({"head_dim": 16}, KV_HEADS + HIDDEN_ACTS + [("no-bias", {"attention_bias": False}, None)]),
    "seed_oss": ({"head_dim": 20, "attention_dropout": 0.0, "residual_dropout": 0.0}, KV_HEADS + MLP_BIAS + [
        ("no-bias", {"attention_bias": False}, None), ("out-bias", {"attention_out_bias": True}, {"attention_out_bias": False})]),
    "ernie4_5": ({"head_dim": 16}, KV_HEADS + HIDDEN_ACTS + [
        ("bias", {"use_bias": True}, {"use_bias": False}),
        ("own-head-dim", {"head_dim": None}, None),
        ("theta", theta(500000.0), theta(100.0))]),
    "exaone4": ({"sliding_window": 8}, KV_HEADS + HIDDEN_ACTS + [
        ("pattern", {"sliding_window_pattern": 2}, {"sliding_window_pattern": 4}),
        ("no-window", {"sliding_window": None, "layer_types": ["full_attention"] * 3}, None)]),
    "nemotron": ({}, KV_HEADS + ATTENTION_BIAS + MLP_BIAS + [
        ("gelu", {"hidden_act": "gelu"}, {"hidden_act": "relu2"}), ("head-dim", {"head_dim": 20}, None)]),
    "internlm3": ({"head_dim": 16}, KV_HEADS + [("bias", {"attention_bias": True, "mlp_bias": True}, None)]),
    "ministral": ({"sliding_window": 8, "head_dim": 12}, KV_HEADS + [("layer-types", {"layer_types": SLIDING}, None)]),
    "ministral3": ({"head_dim": 12, "rope_parameters": GROWING}, KV_HEADS + [
        ("growth", {"rope_parameters": {**GROWING, "llama_4_scaling_beta": 0.8}}, {"rope_parameters": GROWING}),
        ("window", {"sliding_window": 8}, {"sliding_window": None})]),
    "cohere": ({}, KV_HEADS + ATTENTION_BIAS + HIDDEN_ACTS + [
        ("logit-scale", {"logit_scale": 0.5}, {"logit_scale": 0.0625}),
        ("qk-norm", {"use_qk_norm": True}, {"use_qk_norm": False})]),
    "cohere2": ({"sliding_window": 8}, KV_HEADS + ATTENTION_BIAS + [
        ("layer-types", {"layer_types": SLIDING}, {"layer_types": SLIDING[1:] + SLIDING[:1]}),
        ("logit-scale", {"logit_scale": 0.5}, {"logit_scale": 0.0625})]),
    "falcon_h1": ({**FALCON, **MUP}, KV_HEADS + ATTENTION_BIAS + MLP_BIAS + [
        *((name, {name: value}, {name: 1.0}) for name, value in MUP.items() if isinstance(value, float)),
        ("ssm-multipliers", {}, {"ssm_multipliers": [1.0] * 5}),
        ("mlp-multipliers", {}, {"mlp_multipliers": [1.0] * 2}),
        ("norm-first", {"mamba_rms_norm": True, "mamba_norm_before_gate": True},
         {"mamba_rms_norm": True, "mamba_norm_before_gate": False}),
        ("gate-first", {"mamba_rms_norm": True, "mamba_norm_before_gate": False}, {"mamba_rms_norm": False}),
        ("biases", {"mamba_proj_bias": True, "projectors_bias": True}, None),
        ("no-conv-bias", {"mamba_conv_bias": False}, None),
        ("kernel", {"mamba_d_conv": 3}, None),
        ("expand", {"mamba_d_ssm": None, "mamba_expand": 2}, None),
        ("time-steps", {"time_step_limit": [0.5, 1.5]}, {"time_step_limit": [0.0, 100.0]}),
        ("theta", theta(500000.0), theta(100.0))]),
    "nemotron_h": (NEMOTRON_H, KV_HEADS + [
        ("pattern", {"layers_block_type": None, "hybrid_override_pattern": "-*M-M"}, None),
        ("bias", {"use_bias": True}, None),
        ("mlp-bias", {"mlp_bias": True}, None),
        ("silu", {"mlp_hidden_act": "silu"}, {"mlp_hidden_act": "relu2"}),
        ("no-conv-bias", {"use_conv_bias": False}, None),
        ("kernel", {"conv_kernel": 3}, None),
        ("one-group", {"n_groups": 1}, None),
        ("time-steps", {"time_step_min": 0.6}, {"time_step_min": 0.001}),
        ("eps", {"layer_norm_epsilon": 0.1}, {"layer_norm_epsilon": 1e-5})]),
    "granitemoehybrid": ({"num_local_experts": 0, "shared_intermediate_size": 80, "mamba_n_heads": 12, "mamba_d_state": 16,
                          "mamba_d_head": "auto", "layer_types": HYBRID}, KV_HEADS + ATTENTION_BIAS + [
        ("rope", {"position_embedding_type": "rope"}, {"position_embedding_type": None}),
        ("embedding-multiplier", {"embedding_multiplier": 12.0}, {"embedding_multiplier": 1.0}),
        ("residual-multiplier", {"residual_multiplier": 0.22}, {"residual_multiplier": 1.0}),
        ("attention-multiplier", {"attention_multiplier": 0.0078125}, {"attention_multiplier": 1.0}),
        ("logits-scaling", {"logits_scaling": 8.0}, {"logits_scaling": 1.0}),
        ("groups", {"mamba_n_groups": 3}, None),
        ("ssm-bias", {"mamba_proj_bias": True}, None),
        ("all-linear", {"layer_types": None}, None),
        ("time-steps", {"time_step_limit": [0.5, 1.5]}, {"time_step_limit": [0.0, 100.0]})]),
    "qwen3_5_text": (DELTA_NET, DELTA_NETS),
}
