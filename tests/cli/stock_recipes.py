"""Every recipe of the reference is accepted, or refused only for features that are not implemented; prints counts."""
import collections
import json
import re

from program import automodel, finish, shared

recipes = shared("data/automodel-recipes")
accepted, reasons, failures = collections.Counter(), collections.Counter(), []
files = sorted(path for path in recipes.rglob("*") if path.suffix in (".yaml", ".yml"))
for path in files:
    name = str(path.relative_to(recipes))
    done = automodel("config", "check", "-c", path, "--json")
    try:
        report = json.loads(done.stdout)
    except ValueError:
        failures.append(f"{name}: no JSON: {done.stdout[-200:]}{done.stderr[-300:]}")
        continue
    accepted[name.split("/")[0], report["accepted"]] += 1
    if done.returncode != (0 if report["accepted"] else 2) or report["accepted"] != (not report["refused"]):
        failures.append(f"{name}: status {done.returncode} does not fit the report")
    for refusal in report["refused"]:
        if refusal["why"] != "not_supported":
            failures.append(f"{name}: {refusal['why']}: {refusal['message']}")
    # A recipe counts once for each different reason.
    sentences = {re.sub(r" \((it is )?[^()]*\)$", "", r["message"].split(": ", 2)[-1]) for r in report["refused"]}
    reasons.update(sentences)
for group in sorted({group for group, _ in accepted}):
    print(f"{group}: {accepted[group, True]} accepted, {accepted[group, False]} refused")
print("reasons (a recipe may have several):")
for sentence, count in reasons.most_common():
    print(f"  {count:4} {sentence}")
if not files:
    failures.append("no recipes found")
total = sum(count for (_, ok), count in accepted.items() if ok)
finish(failures, f"{len(files)} recipes, {total} accepted, {len(files) - total} refused")
