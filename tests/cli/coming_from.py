"""docs/coming-from.md says what the program says: every word of its tables gets the hint of its row."""
import re
import tempfile

from program import ROOT, automodel, finish

ROW = re.compile(r"^\| `([^`]+)` \|(.*)\|$")
failures, pairs = [], []
for line in (ROOT / "docs/coming-from.md").read_text().splitlines():
    if found := ROW.match(line):
        pairs += [(word, found.group(1)) for word in re.findall(r"`([^`]+)`", found.group(2))]
words = sorted({word for word, _ in pairs})
with tempfile.NamedTemporaryFile("w", suffix=".yaml") as recipe:
    recipe.write("seed: 1\n")
    recipe.flush()
    said = automodel("config", "check", "-c", recipe.name,
                     *(f"--{word}=1" for word in words)).stdout
for word, key in pairs:
    if f"command line: {word} is not a known option; here it is {key}" not in said:
        failures.append(f"{word}: expected the hint {key}")
if len(words) < 50:
    failures.append(f"only {len(words)} words in the tables")
finish(failures, f"{len(words)} words of other trainers")
