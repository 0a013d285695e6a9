"""Random whole networks told with sizes, as lines of a file give them: for tests of what must hold for all of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import SIZED_VOCABULARY, Vocabulary
from catalog.architecture.sizes import NetworkInput, Size

IMAGE = {"shape": [3, 16, 16]}


def random_record(name: str, draw: random.Random, *, whole: bool = True) -> dict[str, Any]:
    """A record whose shapes meet: every node keeps the resolution, and a 1x1 convolution stands before each sum."""
    nodes: list[Any] = ["input"]
    edges: list[list[int]] = []
    for _ in range(draw.randint(1, 6)):
        sources = draw.sample(range(len(nodes)), k=min(len(nodes), draw.choice([1, 1, 2])))
        if len(sources) > 1:  # brought to one width first
            sources = [_add(nodes, edges, {"op": "conv", "kernel": 1, "channels": 4}, [source]) for source in sources]
        _add(nodes, edges, _node(draw, joined=len(sources) > 1), sources)
    _add(nodes, edges, "output", [len(nodes) - 1])
    record: dict[str, Any] = {"id": name, "cells": [{"name": "cell", "ops": nodes, "edges": edges}]}
    if draw.random() < 0.4:
        record["cells"][0]["repeats"] = draw.randint(2, 3)
    if whole:
        record |= {"input": IMAGE, "head": {"classes": 10}}
    return record


def _add(nodes: list[Any], edges: list[list[int]], node: Any, sources: Sequence[int]) -> int:
    nodes.append(node)
    edges += [[source, len(nodes) - 1] for source in sources]
    return len(nodes) - 1


def _node(draw: random.Random, *, joined: bool) -> Any:
    node = draw.choice(
        [
            {"op": "conv", "kernel": draw.choice([1, 3]), "channels": draw.choice([4, 8])},
            {"op": "depthwise_conv", "kernel": 3, "expansion": draw.choice([1, 2]), "channels": 4},
            {"op": draw.choice(["max_pool", "avg_pool"]), "kernel": draw.choice([3, 5])},
            {"op": "attention", "heads": 1},
            {"op": "mlp", "mlp_ratio": draw.choice([2, 0.5])},
            {"op": "norm"},
            {"op": "skip_connect"},
            {"op": "skip_connect", "channels": 8},
            "concat" if joined else "sum",
            "sum",
            "none",
        ]
    )
    if isinstance(node, dict) and draw.random() < 0.4:
        node["repeats"] = draw.randint(1, 3)
    return node


def graph_of(
    record: dict[str, Any], space: str = "own", vocabulary: Vocabulary = SIZED_VOCABULARY
) -> ArchitectureGraph:
    """The graph of a record."""
    cells = []
    for cell in record["cells"]:
        nodes = [node if isinstance(node, dict) else {"op": node} for node in cell["ops"]]
        said = [{name: value for name, value in node.items() if name != "op"} for node in nodes]
        sizes = [None if Size.of(size) == Size() else Size.of(size) for size in said]
        names = [node["op"] for node in nodes]
        cells.append(
            CellGraph.build(
                cell["name"], names, cell["edges"], vocabulary=vocabulary, sizes=sizes, repeats=cell.get("repeats", 1)
            )
        )
    taken = NetworkInput.of(record["input"]) if "input" in record else None
    return ArchitectureGraph(space, tuple(cells), vocabulary, taken, record.get("head", {}).get("classes"))


def unrolled(record: dict[str, Any]) -> dict[str, Any]:
    """The same with copies in the place of repeats, of nodes and of cells."""
    cells = []
    for cell in record["cells"]:
        copied = _unrolled_cell(cell)
        for number in range(cell.get("repeats", 1)):
            cells.append({**copied, "name": f"{cell['name']}_{number}"})
    return {**record, "cells": cells}


def _unrolled_cell(cell: dict[str, Any]) -> dict[str, Any]:
    nodes: list[Any] = []
    edges: list[list[int]] = []
    first, last = {}, {}
    for place, node in enumerate(cell["ops"]):
        times = node.get("repeats", 1) if isinstance(node, dict) else 1
        single = {name: value for name, value in node.items() if name != "repeats"} if isinstance(node, dict) else node
        first[place] = len(nodes)
        for copy in range(times):
            _add(nodes, edges, single, [len(nodes) - 1] if copy else [])
        last[place] = len(nodes) - 1
    edges += [[last[source], first[target]] for source, target in cell["edges"]]
    return {"ops": nodes, "edges": edges}


def relabelled(record: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """The same with the nodes of each cell in another order."""
    cells = []
    for cell in record["cells"]:
        order = list(range(len(cell["ops"])))
        draw.shuffle(order)
        place = {node: number for number, node in enumerate(order)}
        edges = [[place[source], place[target]] for source, target in cell["edges"]]
        cells.append({**cell, "ops": [cell["ops"][node] for node in order], "edges": edges})
    return {**record, "cells": cells}
