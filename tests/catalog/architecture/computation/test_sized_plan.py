"""Whole networks of a user's own as computation graphs: what their facts say, and what tracing shows."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from catalog.architecture.computation.arrays import batch_of_graphs, batch_of_plans
from catalog.architecture.computation.plan import NetworkPlan
from catalog.architecture.computation.sized_plan import SizedPlans
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.operators import SIZED_VOCABULARY, Operator
from tests.catalog.architecture.computation.test_sized import TOKENS, Told, chain, facts, graph
from tests.catalog.architecture.sized_graphs import graph_of, random_record


def plan(whole: ArchitectureGraph, *, compressed: bool = True) -> NetworkPlan:
    made = SizedPlans(whole.vocabulary).plan(whole, compressed=compressed)
    assert made is not None
    return made


def words(made: NetworkPlan) -> list[str]:
    return [node.primitive.operator.name for node in made.graph().nodes]


def random_network(seed: int) -> ArchitectureGraph:
    """Convolutions, inverted residual blocks and pools in a row, some with repeats, some with a sum around them."""
    chance = random.Random(seed)
    told = Told()
    last = 0
    for _ in range(chance.randint(2, 6)):
        repeats = chance.randint(1, 3)
        node: dict[str, Any] = chance.choice(
            [
                {"op": "conv", "kernel": 3, "channels": chance.choice([8, 12]), "stride": chance.choice([1, 2])},
                {"op": "depthwise_conv", "kernel": 5, "expansion": 3, "channels": 8, "squeeze": 0.25},
                {"op": "max_pool", "kernel": 3, "stride": 2},
                {"op": "conv", "kernel": 1, "bias": True, "norm": False, "activation": "silu"},
                {"op": "norm"},
            ]
        )
        last = told.add({**node, "repeats": repeats}, last)
        if chance.random() < 0.5:
            inner = told.add({"op": "conv", "kernel": 3}, last)
            last = told.add("sum", last, inner)
    told.add("output", last)
    return graph(told.nodes, told.edges, classes=10)


@pytest.mark.parametrize("compressed", [False, True])
def test_totals_are_the_facts(compressed: bool) -> None:
    for seed in range(30):
        whole = random_network(seed)
        known = facts(whole)
        made = plan(whole, compressed=compressed)
        assert (made.parameters, made.multiply_accumulates) == (known.parameters, known.multiply_accumulates), seed
        assert made.graph().parameters == known.parameters
        assert batch_of_plans([made]).totals()[1].tolist() == [known.multiply_accumulates]


def test_equal_applications_in_a_row_are_one_node() -> None:
    whole = chain({"op": "conv", "kernel": 3, "channels": 8, "repeats": 4}, classes=10)
    nodes = plan(whole).graph().nodes
    assert [(node.primitive.operator.name, node.repeats) for node in nodes if node.primitive.kernel] == [
        ("conv3x3", 1),  # from 3 channels
        ("conv3x3", 3),
    ]
    assert len(plan(whole, compressed=False).blocks) == 1 + 4 + 1
    halved = plan(chain({"op": "conv", "kernel": 3, "channels": 8, "stride": 2, "repeats": 3}))
    assert [node.shape for node in halved.graph().nodes if node.primitive.kernel] == [
        (1, 8, 16, 16),
        (1, 8, 8, 8),
        (1, 8, 4, 4),
    ]


def test_equal_cells_in_a_row_are_one_cell() -> None:
    """The first widens and halves, the others are equal: applied to their own output they take what they took."""
    nodes = [{"op": "conv", "kernel": 3, "channels": 8}, {"op": "conv", "kernel": 3, "channels": 8, "repeats": 2}]
    whole = chain(*nodes, repeats=5)
    copies = {node.repeats for node in plan(whole).graph().nodes if node.primitive.kernel}
    assert copies == {1, 2, 4, 8}
    assert plan(whole).parameters == plan(whole, compressed=False).parameters == facts(whole).parameters


def test_dead_operators_have_no_part_in_it() -> None:
    nodes = ["input", {"op": "conv", "kernel": 3}, {"op": "conv", "kernel": 5}, "none", "output"]
    edges = [(0, 1), (0, 2), (0, 3), (1, 4), (3, 4)]
    whole = graph(nodes, edges)
    assert words(plan(whole)) == ["input", "conv3x3", "batchnorm", "relu", "output"]
    assert plan(whole).parameters == facts(whole.canonical).parameters
    assert SizedPlans(SIZED_VOCABULARY).plan(graph(["input", "none", "output"], [(0, 1), (1, 2)])) is None


def test_tokens() -> None:
    nodes = [{"op": "norm"}, {"op": "attention", "heads": 2}, {"op": "mlp", "mlp_ratio": 4}]
    whole = chain(*nodes, taken={**TOKENS, "vocabulary": 100}, classes=5)
    made = plan(whole)
    assert made.parameters == facts(whole).parameters
    assert words(made)[:3] == ["input", "embedding", "layernorm"]
    assert words(made)[-3:] == ["mean", "linear", "output"]


def test_what_nobody_knows_stays_unknown() -> None:
    strange = Operator("strange", "mystery", "Strange", "Strange", "Strange")
    vocabulary = SIZED_VOCABULARY.extended([strange])
    nodes = ["input", "strange", {"op": "conv", "kernel": 3, "channels": 8}, "output"]
    made = plan(graph(nodes, [(0, 1), (1, 2), (2, 3)], classes=10, vocabulary=vocabulary))
    for batch in (batch_of_plans([made]), batch_of_graphs([made.graph()])):
        assert np.isnan(batch.totals()).all()
        assert (batch.nodes.shape[1] == -1).all()
        assert batch.nodes.shape[-1].tolist()[:2] == [1, 10]


def test_what_a_node_says_of_its_costs_holds() -> None:
    whole = chain({"op": "conv", "kernel": 3, "channels": 3, "repeats": 3, "params": 100, "macs": 1000})
    for compressed in (False, True):
        made = plan(whole, compressed=compressed)
        assert made.parameters == facts(whole).parameters == 300
        assert made.multiply_accumulates == facts(whole).multiply_accumulates == 3000


def test_it_is_what_tracing_shows() -> None:
    torch = pytest.importorskip("torch", reason="needs torch, of the extra predict")
    from ingest.model.torch_tracing import trace_module
    from tests.predictor.networks.test_computation import bare

    nn = torch.nn
    told = chain(
        {"op": "conv", "kernel": 3, "channels": 8, "stride": 2},
        {"op": "conv", "kernel": 3, "repeats": 2},
        {"op": "max_pool", "kernel": 3, "stride": 2},
        {"op": "depthwise_conv", "kernel": 5, "channels": 12, "expansion": 2},
        classes=10,
    )

    def layer(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[Any]:
        window = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        return [window, nn.BatchNorm2d(outputs), nn.ReLU()]

    parts = [*layer(3, 8, 3, 2), *layer(8, 8, 3), *layer(8, 8, 3), nn.MaxPool2d(3, 2, 1)]
    parts += [*layer(8, 16, 1), *layer(16, 16, 5, groups=16), *layer(16, 12, 1)[:2]]
    module = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 10))
    built, traced = bare(plan(told, compressed=False).graph()), bare(trace_module(module, (1, 3, 32, 32)))
    assert built.digest == traced.digest
    assert [node.label for node in built.nodes] == [node.label for node in traced.nodes]


def test_the_live_network_of_any_graph_costs_what_its_canonical_form_costs() -> None:
    """Zeros, concats, skips of every kind and costs that are said among its nodes."""
    for seed in range(150):
        record = random_record("a", random.Random(seed))
        draw = random.Random(seed)
        for node in record["cells"][0]["ops"]:
            if isinstance(node, dict) and draw.random() < 0.3:
                node |= {"params": draw.choice([0, 5]), "macs": draw.choice([None, 0, 100])}
        whole = graph_of(record)
        live = facts(whole.canonical)
        for compressed in (True, False):
            made = SizedPlans(whole.vocabulary).plan(whole, compressed=compressed)
            if made is None:
                assert (whole.is_connected, live.parameters, live.root_macs) == (False, None, None)
                continue
            assert (made.parameters, made.multiply_accumulates) == (live.parameters, live.multiply_accumulates)
            assert sum(block.root_macs for block in made.blocks) == pytest.approx(live.root_macs)
            assert sum(block.activations for block in made.blocks) == live.activations
