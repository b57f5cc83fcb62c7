"""Keys and values of the config.json of released models, those that no class reads among them."""

LLAMA3_ROPE = {"high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"}
COMMON = {"attention_dropout": 0.0, "hidden_act": "silu", "initializer_range": 0.02, "use_cache": True,
          "torch_dtype": "bfloat16", "bos_token_id": 1, "eos_token_id": 2}
SIZES = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
         "num_key_value_heads", "max_position_embeddings")


def model(kind, architecture, sizes, version, **more):
    """`sizes` in the order of SIZES; None: the model's config.json has no such key. A value `...` takes a key away."""
    config = {"model_type": kind, "architectures": [architecture], "transformers_version": version, **COMMON,
              **{key: size for key, size in zip(SIZES, sizes) if size is not None}, **more}
    return {key: value for key, value in config.items() if value is not ...}


def llama(*sizes, version="4.43.0.dev0", **more):
    return model("llama", "LlamaForCausalLM", sizes, version, **{"rms_norm_eps": 1e-5, **more})


def qwen2(*sizes, **more):
    return model("qwen2", "Qwen2ForCausalLM", sizes, "4.43.1", rms_norm_eps=1e-6, use_sliding_window=False, sliding_window=131072,
                 max_window_layers=28, rope_theta=1000000.0, **more)


def qwen3(*sizes, kind="qwen3", architecture="Qwen3ForCausalLM", **more):
    base = dict(rms_norm_eps=1e-6, head_dim=128, attention_bias=False, rope_theta=1000000, rope_scaling=None,
                use_sliding_window=False, sliding_window=None, tie_word_embeddings=False)
    return model(kind, architecture, sizes, "4.51.0", **{**base, **more})


def qwen3_moe(*sizes, **more):
    base = dict(decoder_sparse_step=1, mlp_only_layers=[], norm_topk_prob=True, num_experts=128, num_experts_per_tok=8,
                output_router_logits=False, router_aux_loss_coef=0.001)
    return qwen3(*sizes, kind="qwen3_moe", architecture="Qwen3MoeForCausalLM", **{**base, **more})


def gemma2(*sizes, scalar=256, **more):
    return model("gemma2", "Gemma2ForCausalLM", sizes, "4.42.0.dev0", attention_bias=False, attn_logit_softcapping=50.0,
                 final_logit_softcapping=30.0, bos_token_id=2, eos_token_id=1, pad_token_id=0, cache_implementation="hybrid",
                 hidden_act="gelu_pytorch_tanh", hidden_activation="gelu_pytorch_tanh", query_pre_attn_scalar=scalar,
                 rms_norm_eps=1e-6, rope_theta=10000.0, sliding_window=4096, **more)


def deepseek(*sizes, kind="deepseek_v3", **more):
    base = dict(rms_norm_eps=1e-6, aux_loss_alpha=0.001, attention_bias=False, ep_size=1, moe_layer_freq=1, n_shared_experts=1,
                norm_topk_prob=True, num_nextn_predict_layers=1, pretraining_tp=1, qk_nope_head_dim=128, qk_rope_head_dim=64,
                kv_lora_rank=512, v_head_dim=128, scoring_func="sigmoid", seq_aux=True, topk_method="noaux_tc", rope_theta=10000,
                tie_word_embeddings=False, auto_map={"AutoConfig": "configuration_deepseek.DeepseekV3Config",
                                                     "AutoModelForCausalLM": "modeling_deepseek.DeepseekV3ForCausalLM"})
    architecture = "DeepseekV2ForCausalLM" if kind == "deepseek_v2" else "DeepseekV3ForCausalLM"
    return model(kind, architecture, sizes, "4.46.3", **{**base, **more})


def granite(*sizes, kind="granite", architecture="GraniteForCausalLM", **more):
    base = dict(attention_bias=False, mlp_bias=False, rms_norm_eps=1e-5, rope_scaling=None, rope_theta=10000000.0,
                tie_word_embeddings=True, embedding_multiplier=12.0, residual_multiplier=0.22, attention_multiplier=0.015625,
                logits_scaling=8.0, bos_token_id=0, eos_token_id=0, pad_token_id=0, attention_dropout=0.1)
    return model(kind, architecture, sizes, "4.47.0.dev0", **{**base, **more})


def minimax(**more):
    fp8 = {"activation_scheme": "dynamic", "fmt": "float8_e4m3fn", "quant_method": "fp8", "weight_block_size": [128, 128],
           "modules_to_not_convert": ["gate", "e_score_correction_bias", "lm_head"]}
    return model("minimax_m2", "MiniMaxM2ForCausalLM", (200064, 3072, 1536, 62, 48, 8, 196608), "4.46.1", rms_norm_eps=1e-6,
                 head_dim=128, rotary_dim=64, rope_theta=5000000, num_local_experts=256, num_experts_per_tok=8,
                 attn_type_list=[1] * 62, mtp_transformer_layers=1, num_mtp_modules=3, use_mtp=True, qk_norm_type="per_layer",
                 use_qk_norm=True, use_routing_bias=True, scoring_func="sigmoid", shared_intermediate_size=0,
                 output_router_logits=False, router_aux_loss_coef=0.001, router_jitter_noise=0.0, tie_word_embeddings=False,
                 quantization_config=fp8, bos_token_id=..., eos_token_id=..., torch_dtype=...,
                 auto_map={"AutoConfig": "configuration_minimax_m2.MiniMaxM2Config",
                           "AutoModelForCausalLM": "modeling_minimax_m2.MiniMaxM2ForCausalLM"}, **more)


def phi3(*sizes, **more):
    base = dict(rms_norm_eps=1e-5, embd_pdrop=0.0, resid_pdrop=0.0, attention_bias=False, original_max_position_embeddings=4096,
                pad_token_id=32000, rope_scaling=None, rope_theta=10000.0, sliding_window=2047, tie_word_embeddings=False,
                auto_map={"AutoConfig": "configuration_phi3.Phi3Config", "AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM"})
    return model("phi3", "Phi3ForCausalLM", sizes, "4.40.2", **{**base, **more})


def bert(**more):
    base = dict(attention_probs_dropout_prob=0.1, gradient_checkpointing=False, hidden_act="gelu", hidden_dropout_prob=0.1,
                layer_norm_eps=1e-12, pad_token_id=0, position_embedding_type="absolute", type_vocab_size=2,
                bos_token_id=..., eos_token_id=..., torch_dtype=..., attention_dropout=...)
    return model("bert", "BertForMaskedLM", (30522, 768, 3072, 12, 12, None, 512), "4.6.0.dev0", **{**base, **more})


EXAONE_LAYERS = ["full_attention" if i % 4 == 3 else "sliding_attention" for i in range(64)]
LONG48 = {"type": "longrope", "short_factor": [1.0 + i / 100 for i in range(48)], "long_factor": [1.0 + i for i in range(48)]}
NEMOTRON_NANO = "M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-"

PUBLISHED = {
    "meta-llama/Llama-2-7b-chat-hf": llama(32000, 4096, 11008, 32, 32, 32, 4096, version="4.32.0.dev0", pretraining_tp=1,
                                           rope_scaling=None, tie_word_embeddings=False, attention_dropout=...),
    "meta-llama/Meta-Llama-3-8B": llama(128256, 4096, 14336, 32, 32, 8, 8192, version="4.40.0.dev0", pretraining_tp=1,
                                        rope_scaling=None, rope_theta=500000.0, attention_bias=False, tie_word_embeddings=False),
    "meta-llama/Llama-3.1-8B-Instruct": llama(128256, 4096, 14336, 32, 32, 8, 131072, rope_theta=500000.0, mlp_bias=False,
                                              rope_scaling={"factor": 8.0, **LLAMA3_ROPE}, pretraining_tp=1,
                                              eos_token_id=[128001, 128008, 128009], tie_word_embeddings=False),
    "meta-llama/Llama-3.2-1B": llama(128256, 2048, 8192, 16, 32, 8, 131072, head_dim=64, rope_theta=500000.0, mlp_bias=False,
                                     rope_scaling={"factor": 32.0, **LLAMA3_ROPE}, pretraining_tp=1, tie_word_embeddings=True),
    "HuggingFaceTB/SmolLM2-135M": llama(49152, 576, 1536, 30, 9, 3, 8192, version="4.40.1", is_llama_config=True,
                                        rope_interleaved=False, rope_theta=100000, rope_scaling=None, tie_word_embeddings=True,
                                        pretraining_tp=1, attention_bias=False, mlp_bias=False,
                                        **{"transformers.js_config": {"kv_cache_dtype": {"q4f16": "float16", "fp16": "float16"}}}),
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0": llama(32000, 2048, 5632, 22, 32, 4, 2048, version="4.35.0", attention_bias=False,
                                                pretraining_tp=1, rope_scaling=None, tie_word_embeddings=False),
    "01-ai/Yi-1.5-6B": llama(64000, 4096, 11008, 32, 32, 4, 4096, version="4.40.0", rope_theta=5000000.0, pad_token_id=0,
                             attention_bias=False, pretraining_tp=1, rope_scaling=None, tie_word_embeddings=False),
    "deepseek-ai/deepseek-coder-6.7b-base": llama(32256, 4096, 11008, 32, 32, 32, 16384, version="4.33.1", rope_theta=100000,
                                                  rope_scaling={"factor": 4.0, "type": "linear"}, tie_word_embeddings=False),
    "tiiuae/Falcon3-1B-Base": llama(131072, 2048, 8192, 18, 8, 4, 4096, version="4.46.1", activation="swiglu", head_dim=256,
                                    mlp_bias=False, rope_theta=1000042, tie_word_embeddings=False),
    "internlm/internlm2_5-7b-chat as Llama": llama(92544, 4096, 14336, 32, 32, 8, 32768, bias=False, pad_token_id=2,
                                                   rope_theta=1000000, rope_scaling={"type": "dynamic", "factor": 2.0}),
    "mistralai/Mistral-7B-v0.1": model("mistral", "MistralForCausalLM", (32000, 4096, 14336, 32, 32, 8, 32768), "4.34.0.dev0",
                                       rms_norm_eps=1e-5, rope_theta=10000.0, sliding_window=4096, tie_word_embeddings=False),
    "mistralai/Mistral-Nemo-Instruct-2407": model("mistral", "MistralForCausalLM", (131072, 5120, 14336, 40, 32, 8, 131072),
                                                  "4.43.0.dev0", head_dim=128, rms_norm_eps=1e-5, rope_theta=1000000.0,
                                                  sliding_window=None, tie_word_embeddings=False),
    "mistralai/Mixtral-8x7B-v0.1": model("mixtral", "MixtralForCausalLM", (32000, 4096, 14336, 32, 32, 8, 32768), "4.36.0.dev0",
                                         num_experts_per_tok=2, num_local_experts=8, output_router_logits=False,
                                         router_aux_loss_coef=0.02, rms_norm_eps=1e-5, rope_theta=1000000.0, sliding_window=None),
    "Qwen/Qwen2.5-0.5B": qwen2(151936, 896, 4864, 24, 14, 2, 32768, tie_word_embeddings=True, use_mrope=False),
    "Qwen/Qwen2.5-7B-Instruct": qwen2(152064, 3584, 18944, 28, 28, 4, 32768, tie_word_embeddings=False),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B": qwen2(151936, 1536, 8960, 28, 12, 2, 131072, use_mrope=False,
                                                       tie_word_embeddings=False),
    "Qwen/Qwen3-0.6B": qwen3(151936, 1024, 3072, 28, 16, 8, 40960, tie_word_embeddings=True, max_window_layers=28),
    "Qwen/Qwen3-32B": qwen3(151936, 5120, 25600, 64, 64, 8, 40960, max_window_layers=64),
    "Qwen/Qwen3-30B-A3B": qwen3_moe(151936, 2048, 6144, 48, 32, 4, 40960, moe_intermediate_size=768, max_window_layers=48),
    "Qwen/Qwen3-Coder-480B-A35B-Instruct": qwen3_moe(151936, 6144, 8192, 62, 96, 8, 262144, moe_intermediate_size=2560,
                                                     num_experts=160, max_window_layers=62, qkv_bias=False, use_qk_norm=True,
                                                     shared_expert_intermediate_size=0, rope_theta=10000000,
                                                     router_aux_loss_coef=0.0),
    "google/gemma-2b": model("gemma", "GemmaForCausalLM", (256000, 2048, 16384, 18, 8, 1, 8192), "4.38.0.dev0", head_dim=256,
                             hidden_act="gelu", hidden_activation=None, rms_norm_eps=1e-6, rope_theta=10000.0, rope_scaling=None,
                             attention_bias=False, pad_token_id=0),
    "google/gemma-2-2b": gemma2(256000, 2304, 9216, 26, 8, 4, 8192, head_dim=256),
    "google/gemma-2-9b-it": gemma2(256000, 3584, 14336, 42, 16, 8, 8192, head_dim=256, sliding_window_size=4096),
    "google/gemma-2-27b": gemma2(256000, 4608, 36864, 46, 32, 16, 8192, scalar=144, head_dim=128, _attn_implementation="eager"),
    "google/gemma-3-270m": model("gemma3_text", "Gemma3ForCausalLM", (262144, 640, 2048, 18, 4, 1, 32768), "4.55.0.dev0",
                                 head_dim=256, _sliding_window_pattern=6, attention_bias=False, attn_logit_softcapping=None,
                                 final_logit_softcapping=None, hidden_act=..., hidden_activation="gelu_pytorch_tanh",
                                 layer_types=["full_attention" if i % 6 == 5 else "sliding_attention" for i in range(18)],
                                 query_pre_attn_scalar=256, rms_norm_eps=1e-6, rope_local_base_freq=10000.0, rope_scaling=None,
                                 rope_theta=1000000.0, sliding_window=512, use_bidirectional_attention=False),
    "microsoft/phi-2": model("phi", "PhiForCausalLM", (51200, 2560, 10240, 32, 32, 32, 2048), "4.37.0", hidden_act="gelu_new",
                             embd_pdrop=0.0, resid_pdrop=0.1, layer_norm_eps=1e-5, partial_rotary_factor=0.4,
                             qk_layernorm=False, rope_scaling=None, rope_theta=10000.0, tie_word_embeddings=False,
                             torch_dtype="float16"),
    "microsoft/Phi-3-mini-4k-instruct": phi3(32064, 3072, 8192, 32, 32, 32, 4096),
    "microsoft/Phi-3.5-mini-instruct": phi3(32064, 3072, 8192, 32, 32, 32, 131072, rope_scaling=LONG48, sliding_window=262144),
    "microsoft/Phi-4-mini-instruct": phi3(200064, 3072, 8192, 32, 24, 8, 131072, full_attn_mod=1, interpolate_factor=1,
                                          lm_head_bias=False, mlp_bias=False, partial_rotary_factor=0.75, pad_token_id=199999,
                                          rope_scaling=LONG48, sliding_window=262144, tie_word_embeddings=True),
    "allenai/OLMo-1B-hf": model("olmo", "OlmoForCausalLM", (50304, 2048, 8192, 16, 16, 16, 2048), "4.40.2", clip_qkv=None,
                                attention_bias=False, pad_token_id=1, rope_scaling=None, rope_theta=10000.0,
                                tie_word_embeddings=True),
    "allenai/OLMo-2-1124-7B": model("olmo2", "Olmo2ForCausalLM", (100352, 4096, 11008, 32, 32, 32, 4096), "4.47.0",
                                    attention_bias=False, pad_token_id=100277, rms_norm_eps=1e-6, rope_scaling=None,
                                    rope_theta=500000, tie_word_embeddings=False),
    "allenai/OLMoE-1B-7B-0924": model("olmoe", "OlmoeForCausalLM", (50304, 2048, 1024, 16, 16, 16, 4096), "4.43.0.dev0",
                                      attention_bias=False, clip_qkv=None, norm_topk_prob=False, num_experts=64,
                                      num_experts_per_tok=8, output_router_logits=False, router_aux_loss_coef=0.01,
                                      rms_norm_eps=1e-5, rope_scaling=None, rope_theta=10000.0, pad_token_id=1),
    "LGAI-EXAONE/EXAONE-4.0-32B": model("exaone4", "Exaone4ForCausalLM", (102400, 5120, 27392, 64, 40, 8, 131072), "4.54.0.dev0",
                                        head_dim=128, rms_norm_eps=1e-5, rope_theta=1000000, pad_token_id=0,
                                        rope_scaling={"factor": 16.0, **LLAMA3_ROPE}, sliding_window=4096,
                                        sliding_window_pattern="LLLG", layer_types=EXAONE_LAYERS, tie_word_embeddings=False),
    "LGAI-EXAONE/EXAONE-4.0-1.2B": model("exaone4", "Exaone4ForCausalLM", (102400, 2048, 4096, 30, 32, 8, 65536), "4.54.0.dev0",
                                         head_dim=64, rms_norm_eps=1e-5, rope_theta=1000000, pad_token_id=0,
                                         rope_scaling={"factor": 16.0, **LLAMA3_ROPE}, sliding_window=None,
                                         sliding_window_pattern=None, layer_types=["full_attention"] * 30,
                                         tie_word_embeddings=True),
    "THUDM/glm-4-9b-chat-hf": model("glm", "GlmForCausalLM", (151552, 4096, 13696, 40, 32, 2, 131072), "4.46.0.dev0",
                                    attention_bias=True, head_dim=128, partial_rotary_factor=0.5, rms_norm_eps=1.5625e-7,
                                    rope_theta=10000.0, pad_token_id=151329, tie_word_embeddings=False),
    "THUDM/GLM-4-9B-0414": model("glm4", "Glm4ForCausalLM", (151552, 4096, 13696, 40, 32, 2, 32768), "4.52.0.dev0",
                                 attention_bias=True, head_dim=128, partial_rotary_factor=0.5, rms_norm_eps=1e-5,
                                 rope_theta=10000.0, pad_token_id=151329, tie_word_embeddings=False),
    "zai-org/GLM-4.5-Air": model("glm4_moe", "Glm4MoeForCausalLM", (151552, 4096, 10944, 46, 96, 8, 131072), "4.54.0",
                                 attention_bias=True, first_k_dense_replace=1, head_dim=128, moe_intermediate_size=1408,
                                 n_group=1, topk_group=1, n_routed_experts=128, n_shared_experts=1, norm_topk_prob=True,
                                 num_experts_per_tok=8, num_nextn_predict_layers=1, partial_rotary_factor=0.5,
                                 rms_norm_eps=1e-5, rope_scaling=None, rope_theta=1000000, routed_scaling_factor=1.0,
                                 use_qk_norm=False, pad_token_id=151329, tie_word_embeddings=False),
    "MiniMaxAI/MiniMax-M2": minimax(),
    "MiniMaxAI/MiniMax-M2.5": minimax(dtype="bfloat16"),
    "HuggingFaceTB/SmolLM3-3B": model("smollm3", "SmolLM3ForCausalLM", (128256, 2048, 11008, 36, 16, 4, 65536), "4.54.0.dev0",
                                      attention_bias=False, mlp_bias=False, max_window_layers=28, no_rope_layer_interval=4,
                                      no_rope_layers=[0 if i % 4 == 3 else 1 for i in range(36)], pretraining_tp=2,
                                      layer_types=["full_attention"] * 36, rms_norm_eps=1e-6, rope_scaling=None,
                                      rope_theta=5000000.0, sliding_window=None, use_sliding_window=False,
                                      tie_word_embeddings=True, pad_token_id=128004),
    "ibm-granite/granite-3.1-2b-instruct": granite(49155, 2048, 8192, 40, 32, 8, 131072),
    "ibm-granite/granite-3.1-1b-a400m-instruct": granite(
        49155, 1024, 512, 24, 16, 8, 131072, kind="granitemoe", architecture="GraniteMoeForCausalLM", num_local_experts=32,
        num_experts_per_tok=8, output_router_logits=False, router_aux_loss_coef=0.0, logits_scaling=6.0),
    "ibm-granite/granite-4.0-h-micro": granite(
        100352, 2048, 8192, 40, 32, 8, 131072, kind="granitemoehybrid", architecture="GraniteMoeHybridForCausalLM",
        num_local_experts=0, num_experts_per_tok=0, shared_intermediate_size=8192, init_method="mup", mamba_chunk_size=256,
        normalization_function="rmsnorm", position_embedding_type="nope", mamba_conv_bias=True, mamba_d_conv=4, mamba_d_head=64,
        mamba_d_state=128, mamba_expand=2, mamba_n_groups=1, mamba_n_heads=64, mamba_proj_bias=False,
        output_router_logits=False, router_aux_loss_coef=0.01, attention_dropout=0.0,
        layer_types=["attention" if i in (5, 15, 25, 35) else "mamba" for i in range(40)]),
    "tiiuae/Falcon-H1-0.5B-Base": model(
        "falcon_h1", "FalconH1ForCausalLM", (32784, 1024, 2048, 36, 8, 2, 16384), "4.52.0.dev0", head_dim=64,
        attention_bias=False, attn_layer_indices=None, mamba_chunk_size=128, mamba_conv_bias=True, mamba_d_conv=4,
        mamba_d_head=64, mamba_d_ssm=1536, mamba_d_state=128, mamba_expand=2, mamba_n_groups=1, mamba_n_heads=24,
        mamba_norm_before_gate=False, mamba_proj_bias=False, mamba_rms_norm=False, mamba_use_mlp=True, mlp_bias=False,
        mlp_expansion_factor=8, mlp_multipliers=[0.8838834764831845, 0.5859375], num_logits_to_keep=1, projectors_bias=False,
        attention_in_multiplier=1.0, attention_out_multiplier=0.9375, embedding_multiplier=5.656854249492381, key_multiplier=0.390625,
        lm_head_multiplier=0.0390625, ssm_in_multiplier=1.25, ssm_out_multiplier=0.23570226039551587,
        ssm_multipliers=[0.3535533905932738, 0.25, 0.3535533905932738, 0.5, 0.3535533905932738], rms_norm_eps=1e-5,
        rope_scaling=None, rope_theta=100000000000.0, pad_token_id=0, tie_word_embeddings=False),
    "nvidia/NVIDIA-Nemotron-Nano-9B-v2": model(
        "nemotron_h", "NemotronHForCausalLM", (131072, 4480, 15680, 56, 40, 8, 131072), "4.51.3", attention_bias=False,
        head_dim=128, chunk_size=128, conv_kernel=4, expand=2, hidden_act=..., hidden_dropout=0.0, layer_norm_epsilon=1e-5,
        hybrid_override_pattern=NEMOTRON_NANO, mamba_head_dim=80, mamba_hidden_act="silu", mamba_num_heads=128,
        mamba_proj_bias=False, mlp_bias=False, mlp_hidden_act="relu2", n_groups=8, num_logits_to_keep=1, pad_token_id=0,
        rescale_prenorm_residual=True, residual_in_fp32=False, rms_norm_eps=1e-5, sliding_window=None, ssm_state_size=128,
        tie_word_embeddings=False, time_step_floor=0.0001, time_step_limit=[0.0, {"__float__": "Infinity"}], time_step_max=0.1,
        time_step_min=0.001, time_step_rank=256, use_bias=False, use_conv_bias=True, use_mamba_kernels=True,
        auto_map={"AutoConfig": "configuration_nemotron_h.NemotronHConfig",
                  "AutoModelForCausalLM": "modeling_nemotron_h.NemotronHForCausalLM"}),
    "nvidia/Minitron-4B-Base": model("nemotron", "NemotronForCausalLM", (256000, 3072, 9216, 32, 24, 8, 4096), "4.44.0",
                                     attention_bias=False, mlp_bias=False, head_dim=128, hidden_act="relu2", norm_eps=1e-5,
                                     partial_rotary_factor=0.5, rope_theta=10000, rope_scaling=None, tie_word_embeddings=False),
    "openai-community/gpt2": {"activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1,
                              "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02,
                              "layer_norm_epsilon": 1e-5, "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12,
                              "n_layer": 12, "n_positions": 1024, "resid_pdrop": 0.1, "summary_activation": None,
                              "summary_first_dropout": 0.1, "summary_proj_to_labels": True, "summary_type": "cls_index",
                              "summary_use_proj": True, "vocab_size": 50257,
                              "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}}},
    "EleutherAI/pythia-70m": model("gpt_neox", "GPTNeoXForCausalLM", (50304, 512, 2048, 6, 8, None, 2048), "4.24.0",
                                   hidden_act="gelu", layer_norm_eps=1e-5, rotary_emb_base=10000, rotary_pct=0.25,
                                   tie_word_embeddings=False, use_parallel_residual=True, torch_dtype="float16"),
    "stabilityai/stablelm-2-1_6b": model("stablelm", "StableLmForCausalLM", (100352, 2048, 5632, 24, 32, 32, 4096), "4.38.0",
                                         hidden_dropout=0.0, layer_norm_eps=1e-5, partial_rotary_factor=0.25,
                                         qk_layernorm=False, rope_scaling=None, rope_theta=10000, use_parallel_residual=False,
                                         use_qkv_bias=True, tie_word_embeddings=False),
    "bigcode/starcoder2-3b": model("starcoder2", "Starcoder2ForCausalLM", (49152, 3072, 12288, 30, 24, 2, 16384), "4.37.0.dev0",
                                   activation_function="gelu", attention_softmax_in_fp32=True, embedding_dropout=0.1,
                                   hidden_act="gelu_pytorch_tanh", layer_norm_epsilon=1e-5, mlp_type="default",
                                   norm_epsilon=1e-5, norm_type="layer_norm", residual_dropout=0.1, rope_theta=999999.4420358813,
                                   scale_attention_softmax_in_fp32=True, scale_attn_weights=True, sliding_window=4096,
                                   use_bias=True, tie_word_embeddings=..., initializer_range=0.018042, torch_dtype=...),
    "CohereForAI/c4ai-command-r-v01": model("cohere", "CohereForCausalLM", (256000, 8192, 22528, 40, 64, 64, 8192), "4.38.2",
                                            attention_bias=False, layer_norm_eps=1e-5, logit_scale=0.0625, pad_token_id=0,
                                            model_max_length=131072, rope_theta=8000000.0, use_qk_norm=False,
                                            torch_dtype="float16"),
    "CohereForAI/c4ai-command-r7b-12-2024": model(
        "cohere2", "Cohere2ForCausalLM", (256000, 4096, 14336, 32, 32, 8, 8192), "4.48.0.dev0", attention_bias=False,
        cache_implementation="hybrid", head_dim=128, layer_norm_eps=1e-5, layer_switch=4, logit_scale=0.25,
        order_of_interleaved_layers="local_attn_first", pad_token_id=0, position_embedding_type="rope_gptj", rope_scaling=None,
        rope_theta=50000, rotary_pct=1.0, sliding_window=4096, sliding_window_pattern=4, use_embedding_sharing=True,
        use_gated_activation=True, use_parallel_block=True, use_parallel_embedding=True),
    "baidu/ERNIE-4.5-0.3B-PT": model("ernie4_5", "Ernie4_5ForCausalLM", (103424, 1024, 3072, 18, 16, 2, 131072), "4.54.0.dev0",
                                     head_dim=128, rms_norm_eps=1e-5, rope_scaling=None, rope_theta=500000.0, use_bias=False,
                                     tie_word_embeddings=True, pad_token_id=0, compression_ratio=1.0, use_flash_attention=False),
    "ByteDance-Seed/Seed-OSS-36B-Instruct": model("seed_oss", "SeedOssForCausalLM", (155136, 5120, 27648, 64, 80, 8, 524288),
                                                  "4.55.0", attention_bias=True, attention_dropout=0.1, attention_out_bias=False,
                                                  head_dim=128, mlp_bias=False, pad_token_id=1, residual_dropout=0.1,
                                                  rms_norm_eps=1e-6, rope_scaling={"rope_type": "default"}, rope_theta=10000000.0,
                                                  tie_word_embeddings=False),
    "deepseek-ai/DeepSeek-V2-Lite": deepseek(102400, 2048, 10944, 27, 16, 16, 163840, kind="deepseek_v2", q_lora_rank=None,
                                             first_k_dense_replace=1, moe_intermediate_size=1408, n_group=1, topk_group=1,
                                             n_routed_experts=64, n_shared_experts=2, num_experts_per_tok=6, norm_topk_prob=False,
                                             routed_scaling_factor=1.0, scoring_func="softmax", topk_method="greedy",
                                             num_nextn_predict_layers=...,
                                             rope_scaling={"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 0.707,
                                                           "mscale_all_dim": 0.707, "type": "yarn",
                                                           "original_max_position_embeddings": 4096}),
    "deepseek-ai/DeepSeek-V3": deepseek(129280, 7168, 18432, 61, 128, 128, 163840, q_lora_rank=1536, first_k_dense_replace=3,
                                        moe_intermediate_size=2048, n_group=8, topk_group=4, n_routed_experts=256,
                                        num_experts_per_tok=8, routed_scaling_factor=2.5,
                                        quantization_config={"activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8",
                                                             "weight_block_size": [128, 128]},
                                        rope_scaling={"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 1.0,
                                                      "mscale_all_dim": 1.0, "original_max_position_embeddings": 4096,
                                                      "type": "yarn"}),
    "moonshotai/Moonlight-16B-A3B": deepseek(163840, 2048, 11264, 27, 16, 16, 8192, q_lora_rank=None, first_k_dense_replace=1,
                                             moe_intermediate_size=1408, n_group=1, topk_group=1, n_routed_experts=64,
                                             n_shared_experts=2, num_experts_per_tok=6, routed_scaling_factor=2.446,
                                             num_nextn_predict_layers=0, rope_theta=50000.0),
    "openai/gpt-oss-20b": model(
        "gpt_oss", "GptOssForCausalLM", (201088, 2880, 2880, 24, 64, 8, 131072), "4.55.0.dev0", attention_bias=True, head_dim=64,
        experts_per_token=4, num_experts_per_tok=4, num_local_experts=32, initial_context_length=4096, rms_norm_eps=1e-5,
        layer_types=["full_attention" if i % 2 else "sliding_attention" for i in range(24)], output_router_logits=False,
        rope_scaling={"beta_fast": 32.0, "beta_slow": 1.0, "factor": 32.0, "original_max_position_embeddings": 4096,
                      "rope_type": "yarn", "truncate": False}, rope_theta=150000, router_aux_loss_coef=0.9, sliding_window=128,
        swiglu_limit=7.0, tie_word_embeddings=False, pad_token_id=199999, torch_dtype=...,
        quantization_config={"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn", "lm_head"]}),
    "google-bert/bert-base-uncased": bert(),
    "BAAI/bge-small-en-v1.5": bert(hidden_size=384, intermediate_size=1536, architectures=["BertModel"],
                                   classifier_dropout=None, id2label={"0": "LABEL_0"}, label2id={"LABEL_0": 0}),
}

# Code that lies in the model's folder: a key that nobody here reads could count.
REMOTE = {
    "openbmb/MiniCPM-2B-sft-bf16": model("minicpm", "MiniCPMForCausalLM", (122753, 2304, 5760, 40, 36, 36, 2048), "4.36.0",
                                         rms_norm_eps=1e-5, rope_scaling=None, scale_emb=12, dim_model_base=256, scale_depth=1.4,
                                         attention_dropout=..., auto_map={"AutoConfig": "configuration_minicpm.MiniCPMConfig"}),
    "internlm/internlm2_5-7b": model("internlm2", "InternLM2ForCausalLM", (92544, 4096, 14336, 32, 32, 8, 32768), "4.41.0",
                                     bias=False, pad_token_id=2, rms_norm_eps=1e-5, rope_theta=1000000, attention_dropout=...,
                                     rope_scaling={"type": "dynamic", "factor": 2.0}, attn_implementation="eager",
                                     tie_word_embeddings=False, pretraining_tp=1),
    "baichuan-inc/Baichuan2-7B-Base": model("baichuan", "BaichuanForCausalLM", (125696, 4096, 11008, 32, 32, None, 4096), "4.29.2",
                                            rms_norm_eps=1e-6, model_max_length=4096, pad_token_id=0, tie_word_embeddings=False,
                                            _from_model_config=True, z_loss_weight=0, attention_dropout=...),
    "moonshotai/Kimi-K2-Instruct": deepseek(163840, 7168, 18432, 61, 64, 64, 131072, kind="kimi_k2", q_lora_rank=1536,
                                            first_k_dense_replace=1, moe_intermediate_size=2048, n_group=1, topk_group=1,
                                            n_routed_experts=384, num_experts_per_tok=8, routed_scaling_factor=2.827,
                                            num_nextn_predict_layers=0, rope_theta=50000.0,
                                            rope_scaling={"beta_fast": 1.0, "beta_slow": 1.0, "factor": 32.0, "mscale": 1.0,
                                                          "mscale_all_dim": 1.0, "original_max_position_embeddings": 4096,
                                                          "type": "yarn"}),
}
