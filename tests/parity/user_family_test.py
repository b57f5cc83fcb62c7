"""A family as a user writes it, from docs/model-families.md: outside the tree, without a rebuild, to parity."""
import json
import os
import pathlib
import re
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
import transformers
from safetensors.torch import load_file

import checkpoints
import forward_test
from program import ROOT, call
from variants import Variant

PAGE = ROOT / "docs" / "model-families.md"


def example():
    """The first family file of the page."""
    return re.search(r"```yaml\n(# AFM.*?)```", PAGE.read_text(), re.DOTALL).group(1)


def main():
    variant = Variant("arcee", "user")
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        families, model = root / "families", root / variant.key
        families.mkdir()
        (families / "afm.yaml").write_text(example())
        call("model", "check-family", families / "afm.yaml")
        checkpoints.save(variant, model)
        facts = json.loads(call("model", "info", model, "--family-file", families / "afm.yaml", "--json"))
        expected = checkpoints.make_model(variant).num_parameters()
        assert facts["parameters"] == expected, (facts["parameters"], expected)
        call("checkpoint", "verify", model, "--family-file", families / "afm.yaml")
        os.environ["AUTOMODEL_MODELS"] = str(families)
        cases = forward_test.prepare([variant], root)
        call("model", "forward", "--cases", cases)
        (logits, loss, gradient), whose, over = forward_test.compare(variant, model, forward_test.BOUNDS["float32"])
        assert not over, over
        lines = len(example().splitlines())
        print(f"{lines} lines: {expected} parameters, logits {logits:.1e}, loss {loss:.1e}, gradient {gradient:.1e} ({whose})")


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    main()
