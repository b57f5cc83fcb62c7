"""Runs text cases: `run.py FILE...`. A case file is read line by line:

    # a comment
    file recipe.yaml        the lines after it that begin with "|" are its content (one blank after the bar is dropped)
    env NAME=VALUE          for the runs that follow; `env NAME` unsets
    run automodel ...       in an empty folder with the files so far; quoted as in a shell; checks what follows:
    status 2                the exit status (0 unless said)
    out TEXT                a line of standard output holds TEXT; `out~ REGEX` searches; `out! TEXT` is nowhere in it
    err TEXT                the same of standard error: err~, err!
    json a.b = VALUE        standard output is JSON, and this key of it is VALUE (JSON; a key with dots: "a.b" in quotes)
"""
import json
import pathlib
import re
import shlex
import sys
import tempfile

from program import ROOT, SHARED, automodel, finish


class Case:
    def __init__(self, path: pathlib.Path, folder: pathlib.Path):
        self.path, self.folder = path, folder
        self.env = {"AUTOMODEL_ROOT": str(ROOT)}
        self.failures: list[str] = []
        self.ran = None
        self.expected_status = 0
        self.num_runs = 0
        self.line = 0
        self.run_line = 0
        self.open_file = None

    def fail(self, what: str) -> None:
        self.failures.append(f"{self.path.name}:{self.line}: {what}")

    def close_run(self) -> None:
        if self.ran is not None and self.ran.returncode != self.expected_status:
            self.failures.append(f"{self.path.name}:{self.run_line}: status {self.ran.returncode}, not "
                                 f"{self.expected_status}\n--- stdout\n{self.ran.stdout[-2000:]}\n--- stderr\n"
                                 f"{self.ran.stderr[-2000:]}")
        self.ran, self.expected_status = None, 0

    def read(self) -> None:
        for self.line, text in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            if text.startswith("|"):
                with open(self.open_file, "a", encoding="utf-8") as out:
                    out.write(text[2:] + "\n")
            elif text.strip() and not text.startswith("#"):
                word, _, rest = text.partition(" ")
                self.step(word, rest)
        self.close_run()

    def step(self, word: str, rest: str) -> None:
        if word == "file":
            self.open_file = self.folder / rest
            self.open_file.write_text("")
        elif word == "env":
            name, has_value, value = rest.partition("=")
            self.env[name] = value.replace("$SHARED", str(SHARED)) if has_value else ""
            if not has_value:
                del self.env[name]
        elif word == "run":
            self.run(shlex.split(rest))
        elif self.ran is None:
            self.fail(f"\"{word}\" has no run before it")
        elif word == "status":
            self.expected_status = int(rest)
        elif word == "json":
            self.check_json(rest)
        elif word[:3] in ("out", "err") and word[3:] in ("", "~", "!"):
            self.check_text(word[:3], word[3:], rest)
        else:
            self.fail(f"no such word: {word}")

    def run(self, words: list[str]) -> None:
        self.close_run()
        assert words[0] == "automodel", f"{self.path.name}:{self.line}"
        self.ran = automodel(*words[1:], cwd=self.folder, env=self.env)
        self.run_line = self.line
        self.num_runs += 1

    def check_text(self, stream: str, kind: str, text: str) -> None:
        found = self.ran.stdout if stream == "out" else self.ran.stderr
        if kind == "~":
            holds = re.search(text, found, re.MULTILINE) is not None
        else:
            holds = (text in found) == (kind == "")
        if not holds:
            self.fail(f"{stream}{kind} {text}\n--- got\n{found[-3000:]}")

    def check_json(self, rest: str) -> None:
        path, _, value = rest.partition(" = ")
        try:
            got = json.loads(self.ran.stdout)
            for key in re.findall(r'"([^"]*)"|([^."]+)', path):
                name = key[0] or key[1]
                got = got[int(name)] if isinstance(got, list) else got[name]
        except (ValueError, KeyError, IndexError, TypeError) as error:
            self.fail(f"json {path}: {type(error).__name__}: {error}\n{self.ran.stdout[-3000:]}{self.ran.stderr[-500:]}")
            return
        if got != json.loads(value):
            self.fail(f"json {path} is {json.dumps(got)}, not {value}")


def main() -> None:
    failures, num_runs = [], 0
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            case = Case(pathlib.Path(name), pathlib.Path(folder))
            case.read()
        failures += case.failures
        num_runs += case.num_runs
    finish(failures, f"{num_runs} commands")


main()
