"""The PyTorch network of TransNAS-Bench-101's micro space."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from catalog.errors import GraphError
from catalog.spaces import space_named, transnas_network
from predictor.networks import PUBLISHED, build, thin_config

SPACE = space_named("transnas_micro")
GRAPHS = [graph for graph in SPACE.sample(12, seed=3) if graph.is_connected]
FOR_OBJECTS = replace(
    PUBLISHED["transnas_micro"], classes=transnas_network.SKELETON.datasets[transnas_network.COUNTED].classes
)


@pytest.mark.parametrize("place", range(0, len(GRAPHS), 3))
def test_its_parameters_are_the_space_s_counts(place):
    graph = GRAPHS[place]
    counts = SPACE.structural_scores([graph], [graph.canonical])
    assert build(graph, FOR_OBJECTS).parameter_count() == counts["params"][0]
    assert build(graph.canonical, FOR_OBJECTS).parameter_count() == counts["live_params"][0]


def test_an_edge_without_operator_gives_zeros_of_the_right_shape():
    """In the cell that doubles the channels it cannot hand on what it gets."""
    network = build(SPACE.graph("64-41414-3_00_010"), replace(FOR_OBJECTS, channels=4)).eval()
    alone = build(SPACE.graph("64-41414-3_00_010").canonical, replace(FOR_OBJECTS, channels=4)).eval()
    names = dict(alone.named_parameters())
    with torch.no_grad():
        for weights, given in zip(network.parameters(), names.values(), strict=True):
            weights.copy_(given)
        images = torch.randn(2, 3, 40, 40)
        torch.testing.assert_close(network(images), alone(images))


@pytest.mark.parametrize("pixels", [8, 33])
def test_thin_networks_take_small_images(pixels):
    for graph in GRAPHS[:4]:
        assert build(graph, thin_config(SPACE.name))(torch.randn(2, 1, pixels, pixels)).shape == (2, 10)


def test_a_cell_without_path_has_no_network():
    with pytest.raises(GraphError, match="no path"):
        build(SPACE.graph("64-41414-0_03_003").canonical)
