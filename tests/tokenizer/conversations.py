"""Conversations that chat templates must render as jinja2 does. Each is a dict of template variables."""

import itertools
import json

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather.\nSecond line with \"quotes\" & <tags>.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "City, e.g. Zürich"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
                "days": {"type": "integer", "minimum": 1, "nullable": True},
                "where": {
                    "type": "object",
                    "properties": {"lat": {"type": "number"}, "lon": {"type": ["number", "null"]}},
                    "required": ["lat"],
                },
                "tags": {"type": "array", "items": {"type": "string"}},
                "any": {"anyOf": [{"type": "string"}, {"type": "integer"}], "description": "either"},
            },
            "required": ["city"],
        },
        "return": {"type": "string"},
    },
}
NOW = {"type": "function", "function": {"name": "now", "description": "Time.", "parameters": {"type": "object", "properties": {}}}}
BARE = {"name": "bare", "description": "No wrapper.", "parameters": {"type": "object", "properties": {"x": {"type": "number"}}}}

SYSTEM = {"role": "system", "content": "You are terse.\n"}
USER = {"role": "user", "content": "Hi there!"}
REPLY = {"role": "assistant", "content": "Hello.\n\nHow are you?  "}
MORE = {"role": "user", "content": "  Fine, thanks 🦙 — «Grüße», 世界\t"}


def call(name="get_weather", arguments=None, identifier="abcdef123"):
    arguments = {"city": "Zürich", "days": 2, "where": {"lat": 1.5}, "ok": True, "none": None} if arguments is None else arguments
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


TOOL_CALL = {"role": "assistant", "content": "", "tool_calls": [call()]}
TOOL_CALL_TEXT = {"role": "assistant", "content": "Let me look.", "tool_calls": [call(arguments=json.dumps({"city": "Bern"}))]}
TOOL_CALL_NONE = {"role": "assistant", "content": None, "tool_calls": [call(), call("now", {}, "abcdef124")]}
TOOL_CALL_KEYLESS = {"role": "assistant", "tool_calls": [call()]}
TOOL = {"role": "tool", "tool_call_id": "abcdef123", "name": "get_weather", "content": "{\"temp\": 21.5}"}
TOOL_TWO = {"role": "tool", "tool_call_id": "abcdef124", "name": "now", "content": "12:00"}
TOOL_OBJECT = {"role": "tool", "tool_call_id": "abcdef123", "name": "get_weather", "content": {"temp": 21.5, "sky": ["clear", None]}}
THINKING = {"role": "assistant", "content": "<think>\nHmm, let me see.\n</think>\n\nIt is 21 degrees."}
REASONING = {"role": "assistant", "content": "It is 21 degrees.", "reasoning_content": "\nHmm.\n"}
THOUGHT = {"role": "assistant", "content": "Done.", "thinking": "Some thought", "tool_calls": [call()]}
PARTS = {"role": "user", "content": [{"type": "text", "text": "What is"}, {"type": "image"}, {"type": "text", "text": " this?"}]}
DOCUMENTS = [
    {"title": "Moon", "text": "The moon is far.\nVery far."},
    {"doc_id": 7, "title": "Sun", "text": "Hot & bright", "contents": "x"},
]

MESSAGES = {
    "user": [USER],
    "system_user": [SYSTEM, USER],
    "two_turns": [USER, REPLY, MORE],
    "system_two_turns": [SYSTEM, USER, REPLY, MORE],
    "ends_with_assistant": [SYSTEM, USER, REPLY],
    "three_turns": [USER, REPLY, MORE, REPLY, USER],
    "empty": [],
    "system_only": [SYSTEM],
    "empty_content": [{"role": "user", "content": ""}],
    "none_content": [{"role": "user", "content": None}],
    "no_content": [{"role": "user"}],
    "two_users": [USER, MORE],
    "assistant_first": [REPLY, USER],
    "late_system": [USER, REPLY, SYSTEM, USER],
    "odd_role": [{"role": "narrator", "content": "Once"}, USER],
    "developer": [{"role": "developer", "content": "Obey."}, USER],
    "parts": [PARTS],
    "system_parts": [{"role": "system", "content": [{"type": "text", "text": "Be nice"}]}, PARTS, REPLY],
    "assistant_parts": [USER, {"role": "assistant", "content": [{"type": "text", "text": "ok"}]}, MORE],
    "tool_call": [USER, TOOL_CALL],
    "tool_result": [USER, TOOL_CALL, TOOL],
    "tool_answer": [SYSTEM, USER, TOOL_CALL, TOOL, REPLY, MORE],
    "tool_text": [USER, TOOL_CALL_TEXT, TOOL, REPLY],
    "tool_two": [USER, TOOL_CALL_NONE, TOOL, TOOL_TWO, REPLY],
    "tool_keyless": [USER, TOOL_CALL_KEYLESS, TOOL_OBJECT, REPLY, MORE],
    "ipython": [USER, TOOL_CALL, {"role": "ipython", "content": {"output": "x"}}, REPLY],
    "thinking": [USER, THINKING, MORE],
    "thinking_last": [USER, THINKING],
    "reasoning": [USER, REASONING, MORE, REASONING],
    "thought": [USER, THOUGHT, TOOL, REASONING],
    "tool_response_text": [USER, TOOL_CALL, {"role": "user", "content": "<tool_response>\nx\n</tool_response>"}, THINKING],
    "bad_tool_id": [USER, {"role": "assistant", "content": "", "tool_calls": [call(identifier="short")]}, TOOL],
    "specials": [{"role": "user", "content": "<|im_end|>{{ x }}{% y %}</s> \\n 'q' \"d\""}],
    "numbers": [{"role": "user", "content": 5}, {"role": "assistant", "content": 1.5}],
    "unicode": [{"role": "user", "content": "\u00a0a\u2003\u200bb\u2028c\x1c\n"}, {"role": "assistant", "content": "\u0130\u00df 𝒳 é"}],
    "crlf": [{"role": "user", "content": "a\r\nb\rc\n\n"}, {"role": "assistant", "content": "\n\nx\n\n"}],
}

SETTINGS = {
    "plain": {},
    "prompt": {"add_generation_prompt": True},
    "tools": {"tools": [WEATHER, NOW], "add_generation_prompt": True},
    "bare_tools": {"tools": [BARE]},
    "no_tools": {"tools": [], "add_generation_prompt": True},
    "documents": {"documents": DOCUMENTS, "add_generation_prompt": True},
    "no_think": {"enable_thinking": False, "add_generation_prompt": True, "thinking": False},
    "effort": {"reasoning_effort": "high", "enable_thinking": True, "builtin_tools": ["browser", "python"], "date_string": "01 Jan 2025"},
}

TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def conversations(sampled=False):
    """(name, variables): every conversation in every setting, or a fixed third of them."""
    for index, ((name, messages), (setting, more)) in enumerate(itertools.product(MESSAGES.items(), SETTINGS.items())):
        if not sampled or index % 3 == 0 or setting == "tools":
            yield f"{name}/{setting}", {"messages": messages, **TOKENS, **more}
