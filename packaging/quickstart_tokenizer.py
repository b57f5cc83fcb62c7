"""Makes the quick start's tokenizer and model folder, share/quickstart/tiny-llama, from the project's own pages.

Its result is committed; run this only to change it. A byte-level BPE: any text can be encoded, whatever it was made from.
"""
import json
import pathlib

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / "share/quickstart/tiny-llama"
VOCAB_SIZE = 1024
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


def texts():
    yield from (path.read_text(encoding="utf-8") for path in sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")]))
    for line in (ROOT / "share/quickstart/chat.jsonl").read_text(encoding="utf-8").splitlines():
        yield from (message["content"] for message in json.loads(line)["messages"])


tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
tokenizer.train_from_iterator(texts(), trainers.BpeTrainer(
    vocab_size=VOCAB_SIZE, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False))
FOLDER.mkdir(parents=True, exist_ok=True)
tokenizer.save(str(FOLDER / "tokenizer.json"), pretty=False)


def write(name: str, content: dict):
    (FOLDER / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


write("tokenizer_config.json", {
    "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": SPECIAL[0], "eos_token": SPECIAL[2],
    "pad_token": SPECIAL[0], "model_max_length": 512, "clean_up_tokenization_spaces": False,
    "chat_template": CHAT_TEMPLATE})
write("config.json", {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": tokenizer.get_vocab_size(),
    "hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 32, "hidden_act": "silu", "max_position_embeddings": 512,
    "rms_norm_eps": 1e-5, "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    "tie_word_embeddings": True, "initializer_range": 0.02, "attention_bias": False, "mlp_bias": False,
    "attention_dropout": 0.0, "use_cache": True, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 0,
    "dtype": "float32"})
