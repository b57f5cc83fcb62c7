"""`data show` beside transformers, live: ids of chat rows are apply_chat_template's, labels the assistant's turns, and the
pieces joined are the decoded text. Third-party tokenizers, text of several scripts."""
import json
import pathlib
import tempfile

import transformers

from program import automodel, finish, shared

TEMPLATE = "{% for m in messages %}{{ '<' + m['role'] + '> ' + m['content'] + '\n' }}{% endfor %}"
ROWS = [[("user", "Hello, how are you?"), ("assistant", "Fine, thanks.")],
        [("system", "Be brief."), ("user", "Grüße, 世界 🙂🚀"), ("assistant", "你好，世界！ 🙂🙂"), ("user", "x = 1\n\n  y"),
         ("assistant", "  naïve café — ﷽ اهلا ")],
        [("user", "Count."), ("assistant", "1, 2, 3"), ("user", "More?")]]
FOLDERS = ["gpt2", "qwen3", "qwen2.5", "phi-2", "phi-3-mini", "mistral", "gpt-neox-20b", "tinyllama-v0"]
RECIPE = """model:
  _target_: nemo_automodel.NeMoAutoModelForCausalLM.from_config
  config: {{architectures: [LlamaForCausalLM], model_type: llama, vocab_size: 200000, hidden_size: 16, intermediate_size: 32,
           num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 512, rms_norm_eps: 1.0e-6}}
tokenizer: {{pretrained_model_name_or_path: {folder}}}
dataset:
  _target_: nemo_automodel.components.datasets.llm.chat_dataset.ChatDataset
  path_or_dataset_id: rows.jsonl
  chat_template: template.jinja
"""
failures, num_rows = [], 0


def expected_of(tokenizer, messages):
    """(ids, learnt) as transformers gives them: a turn is what rendering up to and with it adds."""
    def ids(count):
        return tokenizer(tokenizer.apply_chat_template(messages[:count], tokenize=False, chat_template=TEMPLATE),
                         add_special_tokens=False)["input_ids"] if count else []
    whole, learnt = ids(len(messages)), set()
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            learnt |= set(range(len(ids(i)), len(ids(i + 1))))
    return whole, [i in learnt for i in range(len(whole))]


with tempfile.TemporaryDirectory(prefix="automodel_") as name:
    place = pathlib.Path(name)
    rows = [[{"role": role, "content": content} for role, content in row] for row in ROWS]
    (place / "rows.jsonl").write_text("".join(json.dumps({"messages": row}) + "\n" for row in rows), encoding="utf-8")
    (place / "template.jinja").write_text(TEMPLATE)
    for folder in FOLDERS:
        path = shared("data/tokenizers") / folder
        if not (path / "tokenizer.json").exists():
            continue
        (place / "recipe.yaml").write_text(RECIPE.format(folder=path))
        tokenizer = transformers.AutoTokenizer.from_pretrained(path)
        shown = automodel("data", "show", "-c", "recipe.yaml", "--json", cwd=place)
        if shown.returncode != 0:
            failures.append(f"{folder}: status {shown.returncode}: {shown.stderr[-500:]}")
            continue
        facts = json.loads(shown.stdout)["sets"][0]
        lengths = []
        for row, messages in zip(facts["rows"], rows):
            ids, learnt = expected_of(tokenizer, messages)
            lengths.append(len(ids))
            labels = [token if is_learnt else -100 for token, is_learnt in zip(ids[1:], learnt[1:])]
            if (row["input_ids"], row["labels"]) != (ids[:-1], labels):
                failures.append(f"{folder}, row {row['row']}: ids or labels differ")
            seen = ids if learnt[-1] else ids[:-1]
            text = tokenizer.decode(seen, clean_up_tokenization_spaces=False)
            joined = "".join(piece["text"] for piece in row["pieces"])
            if joined != text:
                failures.append(f"{folder}, row {row['row']}: pieces join to {joined!r}, not {text!r}")
            if row["num_learnt"] != sum(learnt[1:]) or any(
                    a["learnt"] == b["learnt"] for a, b in zip(row["pieces"], row["pieces"][1:])):
                failures.append(f"{folder}, row {row['row']}: {row['num_learnt']} learnt, not {sum(learnt[1:])}")
            num_rows += 1
        if (facts["lengths"]["min"], facts["lengths"]["max"]) != (min(lengths), max(lengths)):
            failures.append(f"{folder}: lengths {facts['lengths']}, expected {sorted(lengths)}")
if num_rows < 6:
    failures.append(f"only {num_rows} rows compared")
finish(failures, f"{num_rows} rows")
