"""docs/recipe-reference.md is what the program prints."""
from program import ROOT, automodel, finish

printed = automodel("config", "reference").stdout
kept = (ROOT / "docs/recipe-reference.md").read_text()
failures = [] if printed == kept and printed else ["run: automodel config reference > docs/recipe-reference.md"]
finish(failures, f"{printed.count(chr(10))} lines")
