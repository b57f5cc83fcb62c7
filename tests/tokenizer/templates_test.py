"""Chat templates, ours and third parties', rendered by `data render` and by jinja2 as transformers sets it up."""

import concurrent.futures
import json
import pathlib
import re
import sys
import tempfile

import reference
import yaml
from conversations import conversations
from program import SHARED, finish, render_cli

HERE = pathlib.Path(__file__).resolve().parent


def templates():
    """(name, source) of every template at hand."""
    for path in sorted((HERE / "templates").glob("*.jinja")):
        yield f"own/{path.name}", path.read_text()
    data = SHARED / "data"
    for path in sorted((data / "chat-templates").glob("*/*.jinja")):
        yield str(path.relative_to(data)), path.read_bytes().decode()
    for path in sorted((data / "tokenizers").glob("*/tokenizer_config.json")):
        source = json.loads(path.read_text()).get("chat_template")
        if isinstance(source, str):
            yield str(path.relative_to(data)), source
    yield from inline_templates(data / "automodel-recipes")


def inline_templates(folder):
    """Templates written into recipes, each once."""
    seen = set()
    for path in sorted(folder.rglob("*.yaml")):
        if not re.search(r"chat_template:.*[{|>]", path.read_text()):
            continue
        for section in yaml.safe_load(path.read_text()).values():
            source = section.get("chat_template") if isinstance(section, dict) else None
            if isinstance(source, str) and "{%" in source and source not in seen:
                seen.add(source)
                yield f"{path.name}", source


def cases():
    contexts = {path.name: json.loads(path.read_text()) for path in sorted((SHARED / "data/chat-templates/minja-contexts").glob("*.json"))}
    for name, source in templates():
        for conversation, variables in conversations(sampled=not name.startswith("own/")):
            yield f"{name} on {conversation}", source, variables
        for context, variables in contexts.items():
            yield f"{name} on {context}", source, variables


def main():
    failures, raised, spans = [], 0, 0
    all_cases = list(cases())
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda case: render_cli(folder, case[1], case[2]), all_cases)
        for (name, source, variables), ours in zip(all_cases, results):
            expected = reference.render(source, json.loads(json.dumps(variables)))
            if isinstance(expected, Exception):
                raised += 1
                if not isinstance(ours, str):
                    failures.append(f"{name}: jinja2 raises {expected!r}, we render {ours[0]!r}")
            elif isinstance(ours, str):
                failures.append(f"{name}: jinja2 renders {expected[0]!r}, we say {ours}")
            elif ours != expected:
                failures.append(f"{name}: jinja2 {expected!r}\n  ours {ours!r}")
            else:
                spans += len(expected[1])
    own = len(list((HERE / "templates").glob("*.jinja")))
    count = len({source for _, source, _ in all_cases})
    finish(
        failures,
        f"{count} templates ({own} our own), {len(all_cases)} renderings: "
        f"{len(all_cases) - raised - len(failures)} equal byte for byte with {spans} spans, {raised} where both raise",
    )


if __name__ == "__main__":
    sys.exit(main())
