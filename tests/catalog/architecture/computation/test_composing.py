"""Layers that are written as several operators become one, and what only looks like them stays."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from catalog.architecture.computation.arrays import NONE, ComputationBatch, batch_of_graphs
from catalog.architecture.computation.fusing import fused
from catalog.architecture.computation.graph import ComputationGraph, ComputationNode
from catalog.architecture.computation.primitives import Primitive, plain

SHAPE = (1, 8, 4, 4)
Step = tuple[object, ...]
"""An operator's word, and the places of what it takes; behind them, if need be, its parameters and shape."""


def graph(*steps: Step) -> ComputationBatch:
    """A pooling in front, which nothing is fused into but what follows, and the steps behind it."""
    nodes = [
        ComputationNode(plain("input"), (), "input", SHAPE, 0),
        ComputationNode(plain("global_maxpool"), (0,), "pool", SHAPE, 0),
    ]
    for word, takes, *more in steps:
        parameters, shape = (*more, *(0, SHAPE)[len(more) :])
        nodes.append(ComputationNode(plain(str(word)), takes, str(word), shape, parameters))  # type: ignore[arg-type]
    nodes.append(ComputationNode(plain("output"), (len(nodes) - 1,), "output", SHAPE, 0))
    return batch_of_graphs([ComputationGraph(tuple(nodes))])


def said(batch: ComputationBatch) -> list[str]:
    """Each node between input and output: its word and what stands beside it."""
    nodes = batch.nodes
    beside = zip(nodes.word, nodes.norm, nodes.activation, strict=True)
    return ["+".join(batch.words[code] for code in codes if code != NONE) for codes in beside][1:-1]


GELU = [("divide", (1,)), ("erf", (2,)), ("add", (3,)), ("multiply", (1, 4))]


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        ([("sigmoid", (1,)), ("multiply", (1, 2))], "silu"),
        ([("sigmoid", (1,)), ("multiply", (2, 1))], "silu"),
        ([("multiply", (1,)), ("sigmoid", (2,)), ("multiply", (1, 3))], "silu"),
        ([("hardsigmoid", (1,)), ("multiply", (1, 2))], "hardswish"),
        ([("add", (1,)), ("relu6", (2,)), ("multiply", (1, 3)), ("divide", (4,))], "hardswish"),
        ([("add", (1,)), ("clip", (2,)), ("divide", (3,)), ("multiply", (1, 4))], "hardswish"),
        ([("softplus", (1,)), ("tanh", (2,)), ("multiply", (1, 3))], "mish"),
        ([*GELU, ("multiply", (5,))], "gelu"),
        ([("multiply", (1,)), ("divide", (1,)), ("erf", (3,)), ("add", (4,)), ("multiply", (2, 5))], "gelu"),
        (
            [
                *(
                    ("pow", (1,)),
                    ("multiply", (2,)),
                    ("add", (1, 3)),
                    ("multiply", (4,)),
                    ("tanh", (5,)),
                    ("add", (6,)),
                ),
                *(("multiply", (1,)), ("multiply", (7, 8))),
            ],
            "gelu",
        ),
    ],
)
def test_a_formula_is_the_activation_that_it_computes(steps: Sequence[Step], wanted: str) -> None:
    assert said(fused(graph(*steps))) == [f"global_maxpool+{wanted}"]


NORM = [("pow", (2,)), ("mean", (3,)), ("add", (4,)), ("sqrt", (5,))]


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        ([("identity", (1,)), *NORM, ("divide", (2, 6))], "rmsnorm"),
        ([("identity", (1,)), *NORM, ("divide", (2, 6)), ("multiply", (7,), 4)], "rmsnorm"),
        ([("identity", (1,)), *NORM[:-1], ("rsqrt", (5,)), ("multiply", (2, 6))], "rmsnorm"),
        (
            [
                *(("mean", (1,)), ("subtract", (1, 2)), ("pow", (3,)), ("mean", (4,)), ("add", (5,)), ("sqrt", (6,))),
                *(("divide", (3, 7)), ("multiply", (8,), 4), ("add", (9,), 4)),
            ],
            "layernorm",
        ),
    ],
)
def test_a_normalisation_by_its_formula_takes_its_scale_and_offset(steps: Sequence[Step], wanted: str) -> None:
    batch = fused(graph(*steps))
    assert said(batch) == [f"global_maxpool+{wanted}"]
    assert batch.totals()[0] == sum(step[2] for step in steps if len(step) > 2)  # type: ignore[misc]


def test_a_normalisation_of_instances_between_two_shapes_is_one_of_groups() -> None:
    affine: list[Step] = [("multiply", (4,), 8), ("add", (5,), 8)]
    groups = graph(("reshape", (1,), 0, (1, 2, 64)), ("instancenorm", (2,), 0, (1, 2, 64)), ("reshape", (3,)), *affine)
    assert said(fused(groups)) == ["global_maxpool+groupnorm"]
    assert said(fused(graph(("instancenorm", (1,))))) == ["global_maxpool+instancenorm"]


def test_attention_by_its_products_is_attention_with_their_costs() -> None:
    def product(*takes: int) -> ComputationNode:
        return ComputationNode(Primitive(plain("matmul").operator, multiply_accumulates=50), takes, "", SHAPE, 0)

    def node(word: str, *takes: int) -> ComputationNode:
        return ComputationNode(Primitive(plain(word).operator, multiply_accumulates=0), takes, word, SHAPE, 0)

    nodes = [node("input"), node("split", 0), node("multiply", 1), node("permute", 1), node("multiply", 3)]
    nodes += [product(2, 4), node("add", 5), node("softmax", 6), product(7, 1), node("output", 8)]
    batch = fused(batch_of_graphs([ComputationGraph(tuple(nodes))]))
    assert said(batch) == ["attention"]
    assert (batch.totals()[1][0], batch.source.tolist()) == (100, [0, 0, 0, 1])


@pytest.mark.parametrize(
    "steps",
    [
        [("relu", (1,)), ("add", (1, 2))],  # a skip beside an operator
        [("sigmoid", (1,)), ("multiply", (1, 2)), ("add", (3, 2))],  # the gate goes elsewhere, too
        [("mean", (1,)), ("sigmoid", (2,)), ("multiply", (1, 3))],  # a gate for each channel
        [("mean", (1,)), ("subtract", (1, 2))],
        [("sigmoid", (1,)), ("multiply", (0, 2))],  # of another tensor
        [("multiply", (1,), 8), ("add", (2,), 8)],  # a scale and offset behind no normalisation
    ],
)
def test_what_is_no_such_layer_stays(steps: Sequence[Step]) -> None:
    batch = fused(graph(*steps))
    known = {"gelu", "silu", "hardswish", "mish", "layernorm", "rmsnorm"}
    assert not known & {part for word in said(batch) for part in word.split("+")}
    arithmetic = {"add", "multiply", "subtract"}
    left = [word.partition("+")[0] for word in said(batch)]
    assert [one for one in left if one in arithmetic] == [word for word, *_ in steps if word in arithmetic]


def test_what_follows_an_activation_is_of_the_formula_alone() -> None:
    """A GELU lacks its half behind it; a constant behind a SiLU is one."""
    assert said(fused(graph(("sigmoid", (1,)), ("multiply", (1, 2)), ("multiply", (3,))))) == [
        "global_maxpool+silu",
        "multiply",
    ]
    assert said(fused(graph(*GELU, ("multiply", (5,)), ("multiply", (6,))))) == ["global_maxpool+gelu", "multiply"]


def test_an_offset_behind_a_linear_map_is_a_part_of_it() -> None:
    def behind(parameters: int) -> list[str]:
        return said(fused(graph(("linear", (1,), 64, (1, 5, 8)), ("add", (2,), parameters, (1, 5, 8)))))

    assert behind(8) == ["global_maxpool", "linear"]
    assert behind(40) == ["global_maxpool", "linear", "add"]  # learned places
