"""What transformers renders: its own compiled template, its own way to render it, with the clock held still."""

import datetime

import transformers.utils.chat_template_utils as chat
from program import NOW


class _FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromisoformat(NOW)


chat.datetime = _FixedTime


def render(source, variables):
    """(text, spans) or the exception; variables as `data render` gets them."""
    variables = dict(variables)
    try:
        # apply_chat_template takes keys without a value out of every message first.
        messages = [{k: v for k, v in message.items() if v is not None} for message in variables.pop("messages", [])]
        messages = chat._alias_reasoning_fields(messages)
        text, spans = chat._render_with_assistant_indices(
            compiled_template=chat._compile_jinja_template(source),
            messages=messages,
            tools=variables.pop("tools", None),
            documents=variables.pop("documents", None),
            add_generation_prompt=variables.pop("add_generation_prompt", False),
            **variables,
        )
        return text, [list(span) for span in spans]
    except Exception as error:  # every way a template can fail counts as failing
        return error
