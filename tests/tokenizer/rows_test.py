"""The text of a chat row that is learnt, and what `data render` prints of it, against transformers' apply_chat_template
of the row; and AutoModel's form of tool calls against json.dumps."""

import copy
import json
import pathlib
import tempfile

import templates_test
from program import NOW, automodel, finish, shared, show_rows
from transformers import AutoTokenizer
from transformers.utils import logging

# Blocks without text: the template is rendered whole and once, whatever it makes of the beginnings of a conversation.
NO_SPAN = "{% generation %}{% endgeneration %}"
USER = {"role": "user", "content": "Weather in Zürich?"}
ANSWER = {"role": "assistant", "content": "21.5°"}
ARGUMENTS = {
    "accents": {"city": "Zürich", "note": "a \"quote\", a \\ and a\nline", "emoji": "🦙"},
    "order": {"z": 1, "a": {"y": [], "b": {}}, "m": [1, [2, {"k": None}]]},
    "numbers": {"lat": 117.55768042133525, "t": 1707181493.8442461, "tiny": 5e-324, "half": 0.5, "one": 1.0, "neg": -0.0, "e": 1e16, "ok": True},
    "whole": {"wei": 10**21, "id": 12345678901234567890123, "max": 2**256 - 1, "neg": -(2**200), "i64": -(2**63), "u64": 2**64 - 1, "i128": 2**127},
    "not finite": {"nan": float("nan"), "up": float("inf"), "down": float("-inf")},
    "text": json.dumps({"city": "Zürich"}),
    "accented text": json.dumps({"city": "Zürich"}, ensure_ascii=False),
    "empty": {},
}
TOOLS = [{"type": "function", "function": {"name": "f", "description": "Grüße", "parameters": {"properties": {"x": {"type": "number", "default": 0.1, "maximum": 10**30}}}}}]


def rows():
    """(name, row)"""
    for name, arguments in ARGUMENTS.items():
        function = {"name": "f", "arguments": arguments}
        result = {"role": "tool", "tool_call_id": "abcdef123", "name": "f", "content": "21.5"}
        for form, call in (("full", {"id": "abcdef123", "type": "function", "function": function}), ("bare", {"function": function}), ("flat", function)):
            turn = {"role": "assistant", "content": "", "tool_calls": [call]}
            yield f"{name}, {form}", {"messages": [USER, turn, result, ANSWER], "tools": TOOLS}
    call = {"id": "abcdef123", "type": "function", "function": {"name": "f", "arguments": {"city": "Bern"}}}
    yield "two calls", {"messages": [USER, {"role": "assistant", "content": "Let me see.", "tool_calls": [call, call]}, ANSWER]}
    yield "legacy", {"messages": [USER, {"role": "assistant", "content": "x", "function_call": {"name": "f", "arguments": "{}"}}, {"role": "function", "name": "f", "content": "21"}, ANSWER]}
    yield "tool without an id", {"messages": [USER, {"role": "assistant", "content": "", "tool_calls": [call]}, {"role": "tool", "content": "21"}, ANSWER]}
    yield "nulls", {"messages": [{**USER, "name": None}, {**ANSWER, "tool_calls": None, "reasoning_content": None, "weight": None}], "tools": None}
    yield "reasoning", {"messages": [USER, {**ANSWER, "reasoning_content": "Hm."}, USER, {**ANSWER, "thinking": "Hm."}, USER, {**ANSWER, "content": "<think>\nHm.\n</think>\n\nYes"}]}
    yield "weights", {"messages": [USER, {**ANSWER, "weight": 0}, {**USER, "weight": 0}, {**ANSWER, "weight": 1}]}
    yield "developer", {"messages": [{"role": "developer", "content": "Be terse."}, USER, ANSWER]}


def automodel_form(row):
    """Arguments as JSON text, calls with ids and types; reasoning that is null is empty."""
    row = copy.deepcopy(row)
    for message in row["messages"]:
        if message.get("reasoning_content", "") is None:
            message["reasoning_content"] = ""
        for index, call in enumerate(message.get("tool_calls") or []):
            call.setdefault("id", f"call_{index}")
            call.setdefault("type", "function")
            if not isinstance(call["function"]["arguments"], str):
                call["function"]["arguments"] = json.dumps(call["function"]["arguments"])
    return row


def text_of(tokenizer, row, source):
    try:
        return tokenizer.apply_chat_template(row["messages"], tools=row.get("tools"), chat_template=source, tokenize=False)
    except Exception as error:  # every way a template can fail counts as failing
        return error


def render(folder, row, source):
    """By `data render`."""
    paths = [pathlib.Path(folder) / "t.jinja", pathlib.Path(folder) / "row.json"]
    paths[0].write_text(source)
    variables = {**{name: token for name, token in TOKENS.items()}, **row}
    paths[1].write_text(json.dumps(variables))
    run = automodel("data", "render", "--template", paths[0], "--input", paths[1], env={"AUTOMODEL_NOW": NOW})
    return run.stdout.decode() if run.returncode == 0 else None


TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}


def main():
    logging.set_verbosity_error()
    failures, equal, raised, forms = [], 0, 0, 0
    gpt2 = shared("data/tokenizers") / "gpt2"
    cases = list(rows())
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "tokenizer"
        folder.mkdir()
        (folder / "tokenizer.json").symlink_to(gpt2 / "tokenizer.json")
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **TOKENS}))
        tokenizer = AutoTokenizer.from_pretrained(folder)
        sources = {name: source for name, source in templates_test.templates()}
        for name, source in sources.items():
            for form in ("as_is", "json_text"):
                used = [(case, row) for case, row in cases if form == "as_is" or "flat" not in case]
                written = pathlib.Path(temporary) / "template.jinja"
                written.write_text(source + NO_SPAN)
                options = [f"chat_template={written}", f"tool_arguments={form}"]
                for (case, row), ours in zip(used, show_rows(folder, "chat", [row for _, row in used], *options), strict=True):
                    given = row if form == "as_is" else automodel_form(row)
                    expected = text_of(tokenizer, given, source + NO_SPAN)
                    where = f"{name} on {case}, {form}"
                    if isinstance(expected, Exception):
                        raised += 1
                        # Content that is null or missing is empty to us, where templates may raise.
                        if "error" not in ours and case != "nulls":
                            failures.append(f"{where}: transformers raises {expected!r}, ours {tokenizer.decode(ours['input_ids'])!r}")
                        continue
                    ids = tokenizer(expected, add_special_tokens=False)["input_ids"]
                    if ours.get("input_ids") != ids[:-1]:
                        failures.append(f"{where}: {expected!r}\n  ours {ours.get('error') or tokenizer.decode(ours['input_ids'])!r}")
                        continue
                    equal += 1
                    forms += form == "json_text"
            for case, row in cases[:: max(1, len(cases) // 8)]:
                expected = text_of(tokenizer, row, source)
                ours = render(temporary, row, source)
                if not isinstance(expected, Exception) and ours != expected:
                    failures.append(f"{name} on {case}: data render: {expected!r}\n  ours {ours!r}")
    finish(failures, f"{len(sources)} templates, {len(cases)} rows: {equal} texts learnt are equal, {forms} of them in AutoModel's form; {raised} where transformers raises")


if __name__ == "__main__":
    main()
