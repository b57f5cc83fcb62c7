"""Which keys of a config.json a class of transformers takes notice of."""
import inspect
import re

from transformers.configuration_utils import PreTrainedConfig

# Whatever the class: of every loading, or rewritten before the class sees it.
OF_ALL = {"architectures", "model_type", "torch_dtype", "dtype", "rope_scaling", "rope_theta", "type", "quantization_config",
          "partial_rotary_factor", "original_max_position_embeddings", "num_labels"}
TAKEN = re.compile(r"""kwargs\.(?:pop|get|setdefault)\(\s*["'](\w+)["']|["'](\w+)["'] in kwargs""")


def declared(config_class):
    """Fields of the class and of its bases, other names of them, and what its constructors take out of the rest."""
    keys = set(OF_ALL)
    for base in config_class.__mro__:
        keys |= set(getattr(base, "__annotations__", {})) | set(getattr(base, "attribute_map", None) or {})
        if base.__module__.startswith("transformers"):
            keys |= {name for pair in TAKEN.findall(inspect.getsource(base)) for name in pair if name}
    return keys


class Noticed:
    """with Noticed() as keys: the attributes that configs are asked for meanwhile, theirs or not."""

    def __enter__(self):
        self.keys, self.old = set(), PreTrainedConfig.__getattribute__

        def ask(config, name):
            self.keys.add(name)
            return self.old(config, name)

        PreTrainedConfig.__getattribute__ = ask
        return self.keys

    def __exit__(self, *_):
        PreTrainedConfig.__getattribute__ = self.old
