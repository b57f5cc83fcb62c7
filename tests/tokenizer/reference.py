"""What transformers renders: its own compiled template, its own way to render it, with the clock held still."""

import datetime

import transformers.utils.chat_template_utils as chat

NOW = "2024-07-26T12:00:00"


class _FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromisoformat(NOW)


chat.datetime = _FixedTime


def render(source, variables):
    """(text, spans) or the exception; variables as `data render` gets them."""
    variables = dict(variables)
    try:
        messages = chat._alias_reasoning_fields(variables.pop("messages", []))
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
