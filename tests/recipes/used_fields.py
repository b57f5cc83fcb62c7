"""Fields of config.json that a recipe may write beside a model: what a Llama reads is changed in all four places where they may
stand, and must show in the numbers, or where no number can hang on it in the exported config.json."""
OTHERS = ("of other families: put into config.json by the same line of code as a Llama's; tests/parity/strict_test.py turns every key "
          "of each family's config")
NAMES = """compress_ratios decoder_sparse_step embd_pdrop first_k_dense_replace hidden_activation kda_mode kda_unpad_inputs
kda_use_fused_gate kda_use_qk_l2norm_in_kernel kv_lora_rank layer_norm_eps layer_types max_window_layers mlp_only_layers
moe_intermediate_size n_group n_routed_experts n_shared_experts norm_topk_prob num_experts num_experts_per_tok num_local_experts
num_nextn_predict_layers partial_rotary_factor q_lora_rank qk_nope_head_dim qk_rope_head_dim query_pre_attn_scalar resid_pdrop
routed_scaling_factor router_aux_loss_coef scoring_func sliding_window text_config topk_group topk_method use_sliding_window
v_head_dim attn_logit_softcapping final_logit_softcapping"""
NUMBERS = {"attention_bias": True, "attention_dropout": 0.5, "head_dim": 8, "hidden_act": "relu", "hidden_size": 64,
           "initializer_range": 0.3, "intermediate_size": 64, "mlp_bias": True, "num_attention_heads": 2, "num_hidden_layers": 1,
           "num_key_value_heads": 1, "rms_norm_eps": 0.5, "rope_parameters": {"rope_type": "default", "rope_theta": 10.0},
           "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "tie_word_embeddings": True, "vocab_size": 120}
NAMED = {"architectures": ["MistralForCausalLM"], "bos_token_id": 7, "eos_token_id": 7, "pad_token_id": 7, "model_type": "mistral",
         "max_position_embeddings": 4096, "rope_theta": 10.0}  # the last: rope_parameters has its own, a warning says so
# Read when weights are drawn: a checkpoint has its own.
DRAWN = ("initializer_range",)
FIELDS = {**dict.fromkeys(NAMES.split(), OTHERS), **NUMBERS, **NAMED}
