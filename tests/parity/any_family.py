"""Checkpoints of any family: encoders, and decoders with experts or without."""
import torch

import checkpoints
import heads_test
import moe_test
import moe_variants
from variants import Variant


def has_experts(family):
    return family in moe_variants.FAMILIES


def save(variant, folder):
    if variant.family in heads_test.ENCODERS:
        return heads_test.save(heads_test.Variant(variant.family, "MaskedLM", variant.name, variant.config), folder)
    (moe_test if has_experts(variant.family) else checkpoints).save(variant, folder)


def load(variant, folder):
    return moe_test.load(variant, folder, torch.float32) if has_experts(variant.family) else checkpoints.load(variant, folder)


def moe_variant(family):
    return Variant(family, "plain", {})
