"""Small templates on Python's and Jinja's semantics, rendered by `data render` and by jinja2."""

import concurrent.futures
import json
import tempfile

import reference
from program import finish, render_cli
from snippets import EXPRESSIONS, STATEMENTS, VARIABLES


def main():
    sources = ["{{ " + expression + " }}" for expression in EXPRESSIONS] + STATEMENTS
    failures, raised = [], 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda source: render_cli(folder, source, VARIABLES), sources)
        for source, ours in zip(sources, results):
            expected = reference.render(source, json.loads(json.dumps(VARIABLES)))
            if isinstance(expected, Exception):
                raised += 1
                if not isinstance(ours, str):
                    failures.append(f"{source!r}: jinja2 raises {expected!r}, we render {ours[0]!r}")
            elif ours != expected:
                failures.append(f"{source!r}: jinja2 {expected!r}, ours {ours!r}")
    finish(failures, f"{len(sources)} snippets: {len(sources) - raised - len(failures)} equal, {raised} where both raise")


if __name__ == "__main__":
    main()
