"""Templates made to hurt: each must end soon with an error of its own, within bounded memory."""

import json
import resource
import subprocess
import tempfile
import pathlib

from program import PROGRAM, finish

MEMORY = 3 << 30
SECONDS = 60

GROW = "{%% set ns = namespace(s=%s, t=%s) %%}{%% for a in range(99) %%}%s{%% endfor %%}"
TEMPLATES = {
    "endless loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "endless output": "{% for a in range(99999) %}{% for b in range(99999) %}{{ 'x' * 999 }}{% endfor %}{% endfor %}",
    "doubling text": GROW % ("'x' * 99", "1", "{% set ns.s = ns.s ~ ns.s %}"),
    "doubling sum": GROW % ("'x' * 99", "1", "{% set ns.s = ns.s + ns.s %}"),
    "doubling list": GROW % ("[1]", "1", "{% set ns.s = ns.s + ns.s %}"),
    "doubling block": GROW % ("'x' * 99", "1", "{% set ns.s %}{{ ns.s }}{{ ns.s }}{% endset %}"),
    "shared list as JSON": GROW % ("[1]", "1", "{% set ns.s = [ns.s, ns.s] %}") + "{{ ns.s|tojson }}",
    "shared list as text": GROW % ("[1]", "1", "{% set ns.s = [ns.s, ns.s] %}") + "{{ ns.s }}",
    "shared lists compared": GROW % ("[1]", "[1]", "{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}") + "{{ ns.s == ns.t }}",
    "deep list": "{% set ns = namespace(s=[]) %}{% for a in range(99999) %}{% set ns.s = [ns.s] %}{% endfor %}",
    "namespace in itself": "{% set ns = namespace() %}{% set ns.x = [ns] %}{{ ns }}",
    "endless macro": "{% macro f(n) %}{% for x in [1] %}{% if true %}{% set z %}{{ f(n + 1)|upper ~ (1 + (2 * n)) }}{% endset %}{% endif %}{% endfor %}{% endmacro %}{{ f(0) }}",
    "endless loop call": "{% for x in [[1]] recursive %}{{ loop([x]) }}{% endfor %}",
    "endless call block": "{% macro f() %}{{ caller() }}{% call f() %}{% endcall %}{% endmacro %}{% call f() %}{% endcall %}",
    "parentheses": "{{ " + "(" * 50_000 + "1" + ")" * 50_000 + " }}",
    "brackets": "{{ " + "[" * 50_000 + "]" * 50_000 + " }}",
    "long sum": "{{ " + "1+" * 100_000 + "1 }}",
    "long path": "{{ a" + ".b" * 100_000 + " }}",
    "many filters": "{{ 'a'" + "|upper" * 100_000 + " }}",
    "many nots": "{{ " + "not " * 100_000 + "1 }}",
    "many ifs": "{% if 1 %}" * 20_000 + "{% endif %}" * 20_000,
    "huge product": "{{ 'x' * 99999999999 }}",
    "huge range": "{{ range(10 ** 12)|list }}",
    "huge padding": "{{ '%99999999999d' % 1 }}",
    "huge format": "{{ '{:99999999999}'.format(1) }}",
    "huge centre": "{{ 'a'.center(99999999999) }}",
    "huge power": "{{ 9 ** 9 ** 9 ** 9 }}",
    "huge join": "{% set s = 'x' * 1000000 %}{{ ([s] * 100000)|join(s) }}",
    "huge replace": "{% set s = 'x' * 1000000 %}{{ s.replace('x', s) }}",
    "many sorts": "{% set l = range(99999)|list %}{% for i in range(99999) %}{{ l|sort|length }}{% endfor %}",
    "many paddings": "{% set ns = namespace(l=[]) %}{% for i in range(99999) %}{% set ns.l = ns.l + ['x'.ljust(60000000)] %}{% endfor %}",
    "many maps": "{% set l = range(99999)|list %}{% for i in range(99999) %}{{ l|map('tojson')|join|length }}{% endfor %}",
    "unsafe attribute": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "unsafe change": "{{ messages.append(1) }}",
}


def main():
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        source, variables = pathlib.Path(folder) / "t.jinja", pathlib.Path(folder) / "v.json"
        variables.write_text(json.dumps({"messages": []}))
        for name, template in TEMPLATES.items():
            source.write_text(template)
            try:
                run = subprocess.run(
                    [PROGRAM, "data", "render", "--template", source, "--input", variables],
                    capture_output=True,
                    timeout=SECONDS,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
                )
            except subprocess.TimeoutExpired:
                failures.append(f"{name}: still running after {SECONDS} s")
                continue
            if run.returncode != 3 or not run.stderr.startswith(b"error: chat template, line 1: "):
                failures.append(f"{name}: ended with {run.returncode}: {run.stderr[:300]}")
    finish(failures, f"{len(TEMPLATES)} hostile templates")


if __name__ == "__main__":
    main()
