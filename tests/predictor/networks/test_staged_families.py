"""Shortcuts with a projection, groups and bottlenecks: one count in the graph, the plan and the built network."""

from __future__ import annotations

import pytest
import torch

from catalog.architecture.computation.sized import SizedNetworks
from catalog.spaces.staged import built_in
from ingest.model.torch_tracing import trace_module
from predictor.networks import NetworkConfig, build, whole_counts
from tests.catalog.spaces.staged.known_networks import KNOWN


@pytest.mark.parametrize("name", ["ResNet-18", "ResNeXt-50 32x4d", "RegNetY-400MF", "MobileNetV2"])
def test_a_known_network_is_built_as_it_is_counted(name):
    place, native_id, parameters, _ = KNOWN[name]
    space = built_in(place)
    graph = space.graph(native_id)
    assert graph.input is not None
    assert graph.input.shape is not None
    facts = SizedNetworks(space.vocabulary).facts(graph)
    network = build(graph, NetworkConfig(16, 1))
    traced = trace_module(network, [torch.randn(1, *graph.input.shape)])
    (plan,) = space.network_plans([graph], compressed=False)
    assert plan is not None
    assert network.parameter_count() == parameters == plan.parameters == traced.parameters
    assert facts.multiply_accumulates == plan.multiply_accumulates == traced.multiply_accumulates
    assert whole_counts(graph) == (parameters, facts.multiply_accumulates)


@pytest.mark.parametrize("place", ["face_landmark", "resnet", "resnext", "nds_resnet", "nds_resnext_a"])
def test_a_drawn_network_is_built_as_it_is_counted(place):
    space = built_in(place)
    known = SizedNetworks(space.vocabulary)
    graphs = sorted(space.sample(12, seed=3), key=lambda graph: known.facts(graph).parameters or 0)
    for graph in graphs[:2]:
        facts = known.facts(graph)
        network = build(graph, NetworkConfig(16, 1))
        (plan,) = space.network_plans([graph], compressed=False)
        assert plan is not None
        assert network.parameter_count() == facts.parameters == plan.parameters
        assert facts.multiply_accumulates == plan.multiply_accumulates
        assert network(torch.randn(2, 3, 32, 32)).shape == (2, graph.classes)
