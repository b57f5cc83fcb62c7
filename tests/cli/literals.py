"""What the reference makes of a value of a recipe that PyYAML has read: text that is a Python literal becomes its value."""
import ast
import re

WORDS = {"none": None, "None": None, "true": True, "True": True, "false": False, "False": False}


def is_plain(value) -> bool:
    """A literal that has a place in a recipe."""
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(is_plain(item) for pair in value.items() for item in pair)
    if isinstance(value, int) and not isinstance(value, bool):
        return -2**63 <= value < 2**63
    return value is None or isinstance(value, (bool, float, str))


def lists(value):
    if isinstance(value, (list, tuple)):
        return [lists(item) for item in value]
    return {key: lists(item) for key, item in value.items()} if isinstance(value, dict) else value


def typed(value):
    """What the reference makes of a loaded value."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    if not isinstance(value, str) or re.search(r"\$\{|\$[A-Za-z_]", value):
        return value
    if value in WORDS:
        return WORDS[value]
    try:
        literal = ast.literal_eval(value) if len(value) <= 1000 else value
    except Exception:
        return value
    return lists(literal) if is_plain(literal) else value
