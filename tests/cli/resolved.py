"""`config show` of the reference's own runs is letter for letter the config.yaml that it wrote.

But for the tag of a Python tuple, which no safe loader reads back: here it is a list."""
from program import automodel, finish, shared

golden = shared("golden")
failures, num_compared = [], 0
for written in sorted(golden.glob("*/final/config.yaml")):
    recipe = written.parents[1] / "recipe.yaml"
    done = automodel("config", "show", "-c", recipe)
    num_compared += 1
    if done.stdout != written.read_text().replace(" !!python/tuple\n", "\n"):
        failures.append(f"{recipe.parent.name}: differs from final/config.yaml: {done.stderr}")
if num_compared == 0:
    failures.append("no golden recipe with a final/config.yaml found")
finish(failures, f"{num_compared} recipes")
