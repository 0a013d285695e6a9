"""Whole networks of a user's own under all proxies: images and tokens, each value or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.sizes import NetworkInput
from catalog.errors import DatasetError, ProxyError
from predictor.networks import Network, NetworkConfig, build, measured_input
from predictor.zero_cost import (
    MeasureConfig,
    Measurement,
    Need,
    Passes,
    measure,
    measure_many,
    proxies_named,
    registered,
)
from predictor.zero_cost.inputs import draw
from predictor.zero_cost.measuring import measure_config
from predictor.zero_cost.modules import conserving
from tests.catalog.architecture.computation.test_sized import Told, chain, facts, graph

CONFIG = MeasureConfig(batch_size=4)
SMALL = {"shape": [3, 8, 8]}
CONV = {"op": "conv", "kernel": 3, "channels": 6}
THINNER = {"linear_regions"}
RECTIFIED = {"nwot", "swap"}


def transformer(taken: Any, *first: Any, norm: str = "layer", width: int = 8, classes: int = 3) -> ArchitectureGraph:
    """Whatever goes first, attention and MLP with a normalisation before each, and one at the end."""
    told = Told()
    last = 0
    for node in first:
        last = told.add(node, last)
    for node in ({"op": "attention", "heads": 2}, {"op": "mlp", "mlp_ratio": 2, "activation": "gelu"}):
        last = told.add("sum", last, told.add(node, told.add({"op": "norm", "norm": norm}, last)))
    told.add("output", told.add({"op": "norm", "norm": norm}, last))
    return graph(told.nodes, told.edges, taken, classes)


PATCHES = {"op": "conv", "kernel": 4, "stride": 4, "channels": 8, "norm": False, "activation": False, "bias": True}
TEXT = {"tokens": 12, "channels": 8}
CHAIN = chain(CONV, {**CONV, "stride": 2}, {**CONV, "expansion": 2, "squeeze": 0.5}, taken=SMALL, classes=3)
VISION = transformer({"shape": [3, 16, 16]}, PATCHES)
VECTORS = transformer(TEXT)
WORDS = transformer({**TEXT, "vocabulary": 40})


def scores(whole: ArchitectureGraph, config: MeasureConfig = CONFIG) -> dict[str, Measurement]:
    return {one.proxy: one for one in measure(whole, list(registered().values()), config)}


def failures(found: dict[str, Measurement]) -> dict[str, str]:
    return {name: one.reason or "" for name, one in found.items() if one.status != "ok"}


def test_a_chain_of_convolutions_has_all_scores_but_one() -> None:
    found = scores(CHAIN)
    assert failures(found) == {
        "linear_regions": "ProxyError: a network that states its own channels has no thinner form"
    }
    known = facts(CHAIN)
    assert (found["params"].value, found["flops"].value) == (known.parameters, known.multiply_accumulates)
    assert found["az_complexity"].value == found["flops"].value


@pytest.mark.parametrize("whole", [VISION, VECTORS, WORDS], ids=["vision", "vectors", "words"])
def test_transformers_lack_what_some_definitions_need(whole: ArchitectureGraph) -> None:
    found = scores(whole)
    reasons = failures(found)
    assert set(reasons) == {*THINNER, *RECTIFIED, "zen"}
    assert all("no ReLU" in reasons[name] for name in RECTIFIED)
    assert "no BatchNorm" in reasons["zen"]
    assert found["params"].value == facts(whole).parameters


def test_with_batch_normalisation_and_relus_tokens_have_them_too() -> None:
    told = Told()
    last = told.add({"op": "mlp", "mlp_ratio": 2, "activation": "relu"}, told.add({"op": "norm", "norm": "batch"}, 0))
    told.add("output", told.add({"op": "norm", "norm": "batch"}, last))
    assert set(failures(scores(graph(told.nodes, told.edges, TEXT, 3)))) == THINNER


def test_the_look_up_of_tokens_is_no_layer_of_any_proxy() -> None:
    """Weights are seeded by layer, so that only what looks at the very inputs differs."""
    of_vectors, of_words = scores(VECTORS), scores(WORDS)
    for name in ("l2_norm", "synflow", "az_trainability", "az_expressivity", "meco"):
        assert of_vectors[name].value == of_words[name].value, name
    assert of_vectors["snip"].value != of_words["snip"].value


def test_equal_functions_have_equal_scores_and_the_seed_decides() -> None:
    again = replace(CHAIN, cells=(replace(CHAIN.cells[0]),))
    names = ("snip", "zen", "jacov", "synflow")
    first, second = measure_many([CHAIN, again], proxies_named(names), CONFIG)
    assert first == second
    other = measure(CHAIN, proxies_named(names), replace(CONFIG, seed=1))
    assert all(one.value != two.value for one, two in zip(first, other, strict=True))


def test_alone_and_in_company_a_proxy_gives_the_same() -> None:
    together = scores(VISION)
    for name in ("jacov", "snip", "fisher", "grasp", "az_progressivity"):
        (alone,) = measure(VISION, proxies_named([name]), CONFIG)
        assert alone.value == pytest.approx(together[name].value, rel=1e-5), name


def test_large_inputs_are_measured_small_and_counted_large() -> None:
    large = chain(CONV, {**CONV, "stride": 2}, taken={"shape": [3, 200, 96]}, classes=3)
    small = chain(CONV, {**CONV, "stride": 2}, taken={"shape": [3, 64, 64]}, classes=3)
    names = ("snip", "synflow", "params", "flops")
    of_large, of_small = (measure(one, proxies_named(names), CONFIG) for one in (large, small))
    assert [one.value for one in of_large[:3]] == [one.value for one in of_small[:3]]
    assert of_large[3].value == facts(large).multiply_accumulates != of_small[3].value
    assert measured_input(NetworkInput(tokens=512, channels=8, vocabulary=9)) == NetworkInput(
        tokens=64, channels=8, vocabulary=9
    )
    assert CONFIG.recorded("mine")["largest"] == {"pixels": 64, "tokens": 64}
    assert "largest" not in CONFIG.recorded("nb201")


LARGE = {"shape": [3, 224, 160]}
STRIDED = {**CONV, "stride": 2, "repeats": 5}
WHOLE_MAP = {"op": "avg_pool", "kernel": [7, 5], "stride": 7, "padding": 0}


def test_a_pooling_over_the_whole_map_is_one_of_smaller_maps_too() -> None:
    """Wherever it stands, what comes behind it sees one pixel."""
    image = {"op": "conv", "kernel": 1, "channels": 5}
    whole = chain(STRIDED, WHOLE_MAP, image, {**WHOLE_MAP, "kernel": 1}, image, taken=LARGE, classes=3)
    small = chain(STRIDED, {**WHOLE_MAP, "kernel": 2}, image, image, taken={"shape": [3, 64, 64]}, classes=3)
    names = proxies_named(["snip", "synflow", "l2_norm", "params", "jacov"])
    assert [one.value for one in measure(whole, names, CONFIG)] == [one.value for one in measure(small, names, CONFIG)]
    counted = measure(whole, proxies_named(["flops"]), CONFIG)[0].value
    assert counted == facts(whole).multiply_accumulates


def test_other_poolings_keep_their_windows() -> None:
    narrow = chain(STRIDED, {"op": "avg_pool", "kernel": 3, "padding": 0}, taken=LARGE, classes=3)
    (snip,) = measure(narrow, proxies_named(["snip"]), CONFIG)
    assert "kernel is 3, more than the 2 pixels" in (snip.reason or "")


def test_what_fits_large_inputs_alone_fails() -> None:
    """Five pixels of 160 after strides of 32 are two of 64."""
    whole = chain(STRIDED, {**CONV, "kernel": 5, "padding": 0}, taken=LARGE, classes=3)
    snip, params = measure(whole, proxies_named(["snip", "params"]), CONFIG)
    assert (snip.reason or "").startswith('ProxyError: it is measured with an input of {"shape":[3,64,64]}, which does')
    assert "node 2 (conv): kernel is 5, more than the 2 pixels" in (snip.reason or "")
    assert params.value == facts(whole).parameters


def test_the_network_s_own_classes_and_channels_hold() -> None:
    grey = chain(CONV, taken={"shape": [1, 8, 10]}, classes=2)
    assert failures(scores(grey)).keys() == {*THINNER, "az_progressivity", "az_trainability"}  # of one block
    (one,) = measure(grey, proxies_named(["snip"]), measure_config("mine", batch_size=4, channels=8))
    assert (one.status, one.value) == ("failed", None)
    assert "has a size of its own; leave both out" in (one.reason or "")


@pytest.mark.parametrize(
    ("given", "whole", "reason"),
    [
        ("photos", chain(CONV, taken={"shape": [2, 8, 8]}), "the network takes 2; noise has as many"),
        ("digits", replace(VECTORS, classes=10), "the input 'digits' is images, and the network takes tokens"),
        ("digits", CHAIN, "has 10 classes, the network 3"),
    ],
)
def test_an_input_that_does_not_fit_is_the_reason(given: str, whole: ArchitectureGraph, reason: str) -> None:
    """And what looks at no images is measured all the same."""
    config = replace(CONFIG, input=given)
    snip, flow, nwot = measure(whole, proxies_named(["snip", "synflow", "nwot"]), config)
    assert (snip.status, flow.status, nwot.status) == ("failed", "ok", "failed")
    assert all(reason in (one.reason or "") for one in (snip, nwot))
    assert flow.value == measure(whole, proxies_named(["synflow"]), replace(config, input="noise"))[0].value


def test_inputs_have_the_shape_that_a_network_takes() -> None:
    def drawn(name: str, **taken: Any) -> torch.Tensor:
        return draw(name, batch_size=3, batches=1, classes=10, seed=0, taken=NetworkInput(**taken))[0].images

    assert drawn("photos", shape=(3, 20, 40)).shape == (3, 3, 20, 40)
    assert drawn("photos", shape=(1, 20, 40)).shape == (3, 1, 20, 40)
    assert drawn("noise", shape=(5, 7, 9)).shape == (3, 5, 7, 9)
    assert drawn("digits", shape=(1, 28, 28)).shape == (3, 1, 28, 28)
    assert drawn("photos", tokens=5, channels=4).shape == (3, 5, 4)
    words = drawn("photos", tokens=50, channels=4, vocabulary=7)
    assert words.shape == (3, 50)
    assert set(words.flatten().tolist()) == set(range(7))
    with pytest.raises(DatasetError, match="unknown input 'cats'"):
        drawn("cats", tokens=5, channels=4)


def test_what_cannot_be_built_fails_with_its_node() -> None:
    found = scores(chain({"op": "conv", "channels": 6}, taken=SMALL))
    assert {one.status for one in found.values()} == {"failed"}
    assert "node 1 (conv) does not say what it computes: kernel is missing" in (found["snip"].reason or "")


class Once(torch.autograd.Function):
    """The identity, whose gradient has none."""

    @staticmethod
    def forward(_: Any, state: torch.Tensor) -> torch.Tensor:
        return state.clone()

    @staticmethod
    def backward(_: Any, given: torch.Tensor) -> torch.Tensor:
        raised: torch.Tensor = Never.apply(given)
        return raised


class Never(torch.autograd.Function):
    """The identity without a gradient."""

    @staticmethod
    def forward(_: Any, state: torch.Tensor) -> torch.Tensor:
        return state.clone()

    @staticmethod
    def backward(_: Any, __: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError("the derivative is not implemented")


class OnceLayer(nn.Module):
    """A layer that PyTorch can derive once."""

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = Once.apply(state)
        return out


def test_what_pytorch_cannot_derive_twice_takes_one_score_alone() -> None:
    def made(config: NetworkConfig) -> Network:
        network = build(CHAIN, config)
        network.head = OnceLayer()
        return network

    batches = draw("noise", batch_size=4, batches=1, classes=3, seed=0, taken=NetworkInput(shape=(3, 8, 8)))
    passes = Passes(made, NetworkConfig(16, 1), batches, Need.FORWARD | Need.GRADIENT | Need.HESSIAN)
    snip, grasp = proxies_named(["snip", "grasp"])
    assert snip.measure(passes) > 0
    with pytest.raises(ProxyError, match="the derivative is not implemented"):
        grasp.measure(passes)


@pytest.mark.parametrize("whole", [CHAIN, VISION, VECTORS], ids=["chain", "vision", "vectors"])
def test_synflow_is_the_flow_of_a_network_without_signs(whole: ArchitectureGraph) -> None:
    """Without normalisation, and with attention as a gate, the flow through each layer of a chain is the output."""
    (one,) = measure(whole, proxies_named(["logsynflow"]), CONFIG)
    assert one.status == "ok"
    assert one.value is not None
    assert math.isfinite(one.value)
    network = conserving(build(whole, NetworkConfig(16, 1)))
    assert not [part for part in network.modules() if isinstance(part, nn.BatchNorm2d | nn.LayerNorm)]


def test_bounded_activations() -> None:
    """ReLU6 is a ReLU to those who defined nwot; synflow is no number of the classifier alone."""

    def steep(word: str) -> ArchitectureGraph:
        nodes = [{**CONV, "channels": 64, "activation": word} for _ in range(3)]
        return chain(*nodes, taken=SMALL, classes=3)

    proxies = proxies_named(["nwot", "synflow"])
    assert [one.status for one in measure(steep("relu6"), proxies, CONFIG)] == ["ok", "ok"]
    flow = [measure(steep(word), proxies, CONFIG)[1].value for word in ("relu6", "relu")]
    assert flow[0] == flow[1]
    assert "activations are at their bounds" in (measure(steep("hardsigmoid"), proxies, CONFIG)[1].reason or "")


def test_the_resolution_of_a_block_has_to_fold() -> None:
    narrowing = chain(CONV, {**CONV, "padding": 0}, CONV, taken=SMALL, classes=3)
    assert failures(scores(narrowing))["az_trainability"].endswith(
        "a block makes 8x8 pixels 6x6, which no folding of pixels into channels does"
    )
