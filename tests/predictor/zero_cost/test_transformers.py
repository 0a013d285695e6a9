"""Vision transformers, text encoders and language models under all proxies: a score, or why there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from torch import nn

from catalog.architecture.graph import ArchitectureGraph
from catalog.spaces.staged import built_in
from predictor.networks import NetworkConfig, build, measured_input, whole_counts
from predictor.zero_cost import MeasureConfig, Measurement, measure, registered
from predictor.zero_cost.modules import conserving

CONFIG = MeasureConfig(batch_size=4)
NOT_THEIRS = {"linear_regions", "nwot", "swap", "zen", "meco"}
"""No thinner form, no ReLU, no BatchNorm, and in every map more channels than positions.

With many classes none has two inputs of the minibatch, as ``epe_nas`` needs.
"""

VISION = "h192d12:" + ".".join(["n3r4.0", "n4r3.5"] * 6)
ENCODER = "h128d4:SAWMAn4f512x1.LTDFTn2f512x3.LTDCTn4f1024x1.DSC9n4f512x1"


def network(space: str, native_id: str) -> ArchitectureGraph:
    return built_in(space).graph(native_id)


def scores(whole: ArchitectureGraph) -> dict[str, Measurement]:
    return {one.proxy: one for one in measure(whole, list(registered().values()), CONFIG)}


@pytest.mark.parametrize(
    ("space", "native_id", "failed"),
    [
        ("autoformer", VISION, NOT_THEIRS | {"epe_nas"}),
        ("flexibert", ENCODER, NOT_THEIRS - {"meco"}),
        ("decoder_lm", "d96l4h4", NOT_THEIRS | {"epe_nas", "synflow_normed"}),
    ],
)
def test_what_is_defined_has_a_score_and_all_else_a_reason(space, native_id, failed):
    whole = network(space, native_id)
    found = scores(whole)
    assert {name for name, one in found.items() if one.status != "ok"} == failed
    assert all(found[name].reason for name in failed)
    assert (found["params"].value, found["flops"].value) == whole_counts(whole)


def test_a_deep_language_model_has_no_synaptic_flow():
    """Each gate squares it, without a normalisation."""
    whole = network("decoder_lm", "d96l24h4")
    (one,) = measure(whole, [registered()["synflow"]], CONFIG)
    assert (one.status, one.value) == ("failed", None)
    assert "grows beyond all numbers" in (one.reason or "")


def test_the_words_of_a_network_are_forgotten_where_vectors_go_in():
    whole = network("decoder_lm", "d96l4h4")
    assert whole.input is not None
    made = build(replace(whole, input=measured_input(whole.input)), NetworkConfig(16, 1))
    before = made.parameter_count()
    made.forget_words()
    assert before - made.parameter_count() == 50_432 * 96


def test_flow_passes_transforms_and_kernels_without_signs():
    whole = network("flexibert", ENCODER)
    assert whole.input is not None
    made = conserving(build(replace(whole, input=measured_input(whole.input)), NetworkConfig(16, 1)))
    states = [getattr(module, "is_positive", getattr(module, "is_gate", None)) for module in made.modules()]
    assert [state for state in states if state is not None] == [True] * 5
    assert not any(isinstance(module, nn.LayerNorm) for module in made.modules())
