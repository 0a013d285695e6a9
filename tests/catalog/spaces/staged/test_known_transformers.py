"""Well-known transformers, described as staged spaces: their parameters are the published ones."""

from __future__ import annotations

import pytest

from catalog.architecture.computation.sized import NetworkFacts, SizedNetworks
from catalog.spaces.staged import built_in
from catalog.spaces.staged.space import StagedSpace

VISION = """
name = "deit"
description = "DeiT: vision transformers of 12 layers with heads of 64 channels"
id = "{width}{stages}"

[network]
input = { shape = [3, 224, 224] }
classes = 1000
choices = { width = [192, 384, 768] }

[[stem]]
nodes = [
    { op = "conv", kernel = 16, stride = 16, bias = true, norm = false, activation = false, channels = "=width" },
    { op = "class_token" },
    { op = "position_table" },
]

[[stages]]
blocks = 12

[[block.parts]]
residual = true
nodes = [{ op = "norm", norm = "layer" }, { op = "attention", heads = "=width // 64" }]

[[block.parts]]
residual = true
nodes = [{ op = "norm", norm = "layer" }, { op = "mlp", mlp_ratio = 4 }]

[[tail]]
nodes = [{ op = "norm", norm = "layer" }, { op = "first_token" }]
"""

TEXT = """
name = "bert"
description = "BERT: encoders with heads of 64 channels, with tables, pooler and no head"
id = "{width}-{layers}{stages}"

[network]
input = { tokens = 128, channels = "=width", vocabulary = 30522 }
choices = { width = [768, 1024], layers = [12, 24] }

[[stem]]
nodes = [{ op = "position_table", kernel = 512 }, { op = "segment_table" }, { op = "norm", norm = "layer" }]

[stage]
blocks = "=layers"

[[stages]]

[[block.parts]]
residual = true
nodes = [{ op = "attention", heads = "=width // 64" }]

[[block.parts]]
nodes = [{ op = "norm", norm = "layer" }]

[[block.parts]]
residual = true
nodes = [{ op = "mlp", mlp_ratio = 4 }]

[[block.parts]]
nodes = [{ op = "norm", norm = "layer" }]

[[tail]]
nodes = [{ op = "first_token" }, { op = "linear", activation = "tanh" }]
"""

DEIT_TI = "h192d12:" + ".".join(["n3r4.0"] * 12)


def facts(space: StagedSpace, native_id: str) -> NetworkFacts:
    return SizedNetworks(space.vocabulary).facts(space.graph(native_id))


@pytest.mark.parametrize(
    ("text", "native_id", "parameters"),
    [
        # Touvron et al. 2021 (arXiv 2012.12877): 5M, 22M and 86M; the numbers are those of the models in timm.
        (VISION, "192", 5_717_416),
        (VISION, "384", 22_050_664),
        (VISION, "768", 86_567_656),
        # Devlin et al. 2019 (arXiv 1810.04805): 110M and 340M; the numbers are those of the models in transformers.
        (TEXT, "768-12", 109_482_240),
        (TEXT, "1024-24", 335_141_888),
    ],
)
def test_parameters_are_the_published_ones(text, native_id, parameters):
    assert facts(StagedSpace.from_text(text, "known.toml"), native_id).parameters == parameters


@pytest.mark.parametrize(("width", "published"), [(192, 1.26), (384, 4.61), (768, 17.58)])
def test_multiply_accumulates_differ_by_what_the_usual_counter_adds(width, published):
    """It counts 5 for each number that one of the 25 normalisations of 197 tokens takes."""
    counted = facts(StagedSpace.from_text(VISION, "known.toml"), str(width)).multiply_accumulates
    assert counted is not None
    assert round((counted + 5 * 25 * 197 * width) / 1e9, 2) == published


def test_deit_ti_is_one_of_autoformer():
    known, same = facts(built_in("autoformer"), DEIT_TI), facts(StagedSpace.from_text(VISION, "known.toml"), "192")
    assert (known.parameters, known.multiply_accumulates) == (same.parameters, same.multiply_accumulates)


@pytest.mark.parametrize(
    ("native_id", "parameters"),
    [  # `params` of the source's models of these names
        ("d96l8h4", 10_569_312),
        ("d512l8h4", 78_914_048),
        ("d576l24h8", 153_677_376),
        ("d1024l24h8", 411_616_256),
    ],
)
def test_language_models_have_the_parameters_that_their_source_gives(native_id, parameters):
    assert facts(built_in("decoder_lm"), native_id).parameters == parameters
