"""The model_type of each model that the stock recipes name; the first pattern that fits counts. "+experts": with experts,
of a family that also has models without."""
import re

TYPES = [
    (r"meta-llama/Llama-3", "llama"),
    (r"nvidia/Llama-3.1-Nemotron-Nano", "llama"),
    (r"nvidia/Llama-3_3-Nemotron-Super", "decilm"),
    (r"tiiuae/Falcon3", "llama"),
    (r"ByteDance-Seed/Seed-Coder", "llama"),
    (r"openbmb/MiniCPM5", "llama"),
    (r"Qwen/Qwen2.5", "qwen2"),
    (r"Qwen/Qwen3-\d+B-A", "qwen3_moe"),
    (r"Qwen/Qwen3-", "qwen3"),
    (r"Qwen/Qwen3.5-35B-A3B", "qwen3_5_moe"),
    (r"Qwen/Qwen3.8", "qwen3_8_moe"),
    (r"baichuan-inc/Baichuan2", "baichuan"),
    (r"CohereForAI/c4ai-command-r7b", "cohere2"),
    (r"mistralai/(Devstral-Small-2|Ministral-3)", "ministral3"),
    (r"mistralai/Mixtral", "mixtral"),
    (r"deepseek-ai/DeepSeek-V3\.2", "deepseek_v32"),
    (r"deepseek-ai/DeepSeek-V3", "deepseek_v3"),
    (r"deepseek-ai/DeepSeek-V4", "deepseek_v4"),
    (r"moonshotai/Moonlight", "deepseek_v3"),
    (r"moonshotai/Kimi-Linear", "kimi_linear"),
    (r"baidu/ERNIE-4.5-.*-A", "ernie4_5_moe"),
    (r"baidu/ERNIE-4.5-", "ernie4_5"),
    (r"tiiuae/Falcon-H1", "falcon_h1"),
    (r"google/functiongemma", "gemma3_text"),
    (r"google-t5/", "t5"),
    (r"zai-org/glm-4-9b-chat-hf", "glm"),
    (r"zai-org/GLM-4.7-Flash", "glm4_moe_lite"),
    (r"zai-org/GLM-4", "glm4_moe"),
    (r"zai-org/GLM-5", "glm_moe_dsa"),
    (r"openai/gpt-oss", "gpt_oss"),
    (r"openai-community/gpt2", "gpt2"),
    (r"ibm-granite/granite-3", "granite"),
    (r"inclusionAI/Ling", "bailing_moe"),
    (r"MiniMaxAI/MiniMax-M2", "minimax_m2"),
    (r"meta-models/Muse-Glimmer", "muse_glimmer"),
    (r"nvidia/NVIDIA-Nemotron-3-(Nano-30B|Ultra)", "nemotron_h+experts"),
    (r"nvidia/NVIDIA-Nemotron-(3-)?Nano", "nemotron_h"),
    (r"microsoft/phi-2", "phi"),
    (r"microsoft/Phi-3", "phi3"),
    (r"bigcode/starcoder2", "starcoder2"),
    (r"stepfun-ai/Step-3.5", "step3p5"),
]


def type_of(model: str) -> str:
    for pattern, model_type in TYPES:
        if re.match(pattern, model):
            return model_type
    raise LookupError(f"{model}: say its model_type in models.py")
