"""The summary of an ingest names the operators whose fields do not suffice."""

from __future__ import annotations

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import SIZED_VOCABULARY, Operator
from catalog.architecture.sizes import Size
from ingest.formats.missing_facts import MissingFacts

POOL = Operator("pool2", "pool", "Max pooling", "Max pooling", "Max pooling", kernel=2)
VOCABULARY = SIZED_VOCABULARY.extended([POOL])


def told(*nodes: tuple[str, Size | None]) -> list[str]:
    names, sizes = zip(("input", None), *nodes, ("output", None), strict=True)
    edges = [(place, place + 1) for place in range(len(names) - 1)]
    missing = MissingFacts(VOCABULARY)
    cell = CellGraph.build("cell", names, edges, vocabulary=VOCABULARY, sizes=sizes)
    for _ in range(2):
        missing.look_at(ArchitectureGraph("mine", (cell,), VOCABULARY))
    return list(missing.notes())


def test_nothing_is_said_where_nothing_is_missing() -> None:
    assert told(("conv3x3", None), ("max_pool_3x3", None), ("conv", Size(kernel=5))) == []


def test_each_operator_is_named_once_with_its_field() -> None:
    (said,) = told(("pool2", None), ("conv", None), ("conv", Size(kernel=3)), ("attention", Size(channels=8)))
    assert said.endswith(
        "a field is missing: pool2 (generic), conv (kernel), attention (heads). Descriptions are for the encoder alone."
    )
