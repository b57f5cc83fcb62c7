"""The built program, the third-party data, and how a test script ends."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

NOW = "2024-07-26T12:00:00"  # reference.py holds the other clock there
ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("AUTOMODEL_SHARED", ROOT.parent / "shared"))
PROGRAM = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("AUTOMODEL_PROGRAM", "automodel")


def automodel(*arguments, stdin=b"", env=None):
    return subprocess.run(
        [PROGRAM, *map(str, arguments)], input=stdin, capture_output=True, timeout=300, env={**os.environ, **(env or {})}
    )


def show_rows(folder, kind, rows, *options):
    """What the rows become: {"input_ids", "labels"} or {"error"}; a text is a file as it stands."""
    with tempfile.TemporaryDirectory() as temporary:
        path = pathlib.Path(temporary) / "rows.jsonl"
        lines = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
        path.write_text(lines, encoding="utf-8")
        return show_rows_of(folder, kind, path, *options)


def show_rows_of(folder, kind, path, *options):
    """The same of a file that is there."""
    words = [sys.argv[2], str(folder), kind, str(path), *options]
    run = subprocess.run(words, capture_output=True, timeout=300, env={**os.environ, "LOGGING_LEVEL": "error", "AUTOMODEL_NOW": NOW})
    if run.returncode != 0:
        raise SystemExit(f"show_rows ended with {run.returncode}: {run.stderr.decode()}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def render_cli(folder, source, variables):
    """(text, spans) by `data render`, or the message it failed with."""
    paths = []
    for kind, text in (("jinja", source), ("json", json.dumps(variables))):
        content = text.encode()
        path = pathlib.Path(folder) / f"{hashlib.sha256(content).hexdigest()[:24]}.{kind}"
        if not path.exists():
            partial = path.with_suffix(f".{os.getpid()}.{id(content)}")
            partial.write_bytes(content)
            partial.rename(path)
        paths.append(path)
    run = automodel(
        "data", "render", "--template", paths[0], "--input", paths[1], "--json", env={"AUTOMODEL_NOW": NOW}
    )
    if run.returncode == 0:
        result = json.loads(run.stdout)
        return result["text"], result["assistant_spans"]
    message = run.stderr.decode(errors="replace").strip()
    # A crash or an unexplained failure is not the same as refusing the template.
    if run.returncode not in (1, 2, 3) or not message.startswith("error: "):
        raise SystemExit(f"data render ended with {run.returncode}: {message}")
    return message


def shared(path):
    """A third-party file or folder; ends the test as skipped when it is not there."""
    found = SHARED / path
    if not found.exists():
        print(f"SKIP: ../shared/{path} is absent")
        sys.exit(77)
    return found


def finish(failures, summary):
    for failure in failures[:40]:
        print(f"FAILED: {failure}")
    print(f"{summary}; {len(failures)} failures")
    sys.exit(1 if failures else 0)
