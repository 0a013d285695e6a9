"""Where a layer of a network stands: its role, its stage and cell, and the node of the graph that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import nn

from catalog.architecture.canonical_form import native_nodes
from catalog.architecture.graph import ArchitectureGraph
from predictor.networks import live_form
from predictor.networks.cell import GraphCell
from predictor.networks.darts import DARTSCell
from predictor.networks.generic import GenericBlock
from predictor.networks.nb101 import NB101Module
from predictor.networks.network import Network
from predictor.networks.whole import Segment

ROLES = ("stem", "preprocessing", "projection", "operator", "narrowing", "reduction", "head", "classifier")
"""What a layer is there for.

``operator``: it belongs to the operator of a node. ``projection``: it brings the input of a NAS-Bench-101 module to a
vertex. ``preprocessing`` and ``narrowing``: they bring what a cell takes, or what it joins, to its width.
``reduction``: a block between two stages.
"""


@dataclass(frozen=True)
class Place:
    """Where one layer stands.

    Parameters
    ----------
    role
        One of `ROLES`.
    stage
        From 0; None outside of all stages, and in a network that has none.
    repetition
        Which of the stage's cells it is in, from 0; None outside of all cells.
    cell
        The name of the graph's cell.
    node
        Its place in the native form of the graph; in NAS-Bench-201 a node is an edge of the benchmark's cell.
    operator
        The native operator of that node, where the layer belongs to it.
    """

    role: str
    stage: int | None = None
    repetition: int | None = None
    cell: str | None = None
    node: int | None = None
    operator: str | None = None


def places(network: Network, graph: ArchitectureGraph) -> dict[str, Place]:
    """By their names, the places of all modules of a network.

    Parameters
    ----------
    network
        The network of the live form of `graph`.
    graph
        The native graph.
    """
    known = _Nodes.of(graph)
    found: dict[str, Place] = {}
    for name, module, place in _blocks(network):
        for inner, one in _inside(module, place, known):
            found[f"{name}.{inner}" if inner else name] = one
    return found


@dataclass(frozen=True)
class _Nodes:
    """By the name of a cell, for each node of its live form: the native node, and that one's operator."""

    native: Mapping[str, Sequence[int]]
    operators: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, graph: ArchitectureGraph) -> _Nodes:
        if live_form(graph) is graph:
            nodes: Sequence[Sequence[int]] = [range(cell.node_count) for cell in graph.cells]
        else:
            nodes = native_nodes(graph)
        return cls(
            {cell.name: found for cell, found in zip(graph.cells, nodes, strict=True)},
            {cell.name: cell.operators for cell in graph.cells},
        )

    def place(self, at: Place, cell: str, node: int, role: str) -> Place:
        """The place of what belongs to a node of a cell's live form."""
        native = self.native[cell][node]
        operator = self.operators[cell][native] if role == "operator" else None
        return replace(at, role=role, cell=cell, node=native, operator=operator)


def _blocks(network: Network) -> Iterator[tuple[str, nn.Module, Place]]:
    """The parts of a network by name, with what is known of them as a whole."""
    cells: dict[int | None, int] = {}
    for name, module in network.named_children():
        if module is not network.body:
            role = name if name in ("head", "classifier") else "stem"
            yield name, module, Place("head" if name == "pool" else role)
    for number, module in enumerate(network.body):
        stage = network.stages[number] if network.stages else None
        if any(isinstance(part, GraphCell | NB101Module) for part in module.modules()):
            repetition = cells.get(stage, 0)
            cells[stage] = repetition + 1
            yield f"body.{number}", module, Place("operator", stage, repetition)
        else:
            role = "operator" if isinstance(module, Segment) else "reduction"
            yield f"body.{number}", module, Place(role, stage)


def _inside(module: nn.Module, place: Place, known: _Nodes) -> Iterator[tuple[str, Place]]:
    """All modules of a block by their names in it, each with its place."""
    yield "", place
    for name, child in module.named_children():
        if isinstance(module, GraphCell) and child is module.operators:
            for key, operator in module.operators.items():
                yield from _named(
                    f"{name}.{key}", operator, known.place(place, module.name, int(key), "operator"), known
                )
        elif isinstance(module, Segment):
            for key, layer in module.layers.items():
                yield from _named(f"{name}.{key}", layer, _of_segment(module, key, place, known), known)
        elif isinstance(module, NB101Module):
            for number, (key, part) in enumerate(child.named_children(), start=1):
                node, role = (int(key), "projection") if child is module.projections else (number, "operator")
                yield from _named(f"{name}.{key}", part, known.place(place, module.name, node, role), known)
        else:
            yield from _named(name, child, _changed(module, child, place), known)


def _of_segment(segment: Segment, key: str, place: Place, known: _Nodes) -> Place:
    """The place of a layer of a whole network, which has no stages."""
    if key not in segment.origins:
        return place
    origin = segment.origins[key]
    return known.place(Place("operator", repetition=origin.repetition), origin.cell, origin.node, "operator")


def _named(name: str, module: nn.Module, place: Place, known: _Nodes) -> Iterator[tuple[str, Place]]:
    for inner, one in _inside(module, place, known):
        yield f"{name}.{inner}" if inner else name, one


def _changed(module: nn.Module, child: nn.Module, place: Place) -> Place:
    """The place of a part of a cell's surroundings."""
    if isinstance(module, DARTSCell) and child is not module.graph:
        return replace(place, role="preprocessing", cell=module.graph.name)
    if isinstance(module, GenericBlock) and child is not module.graph:
        return replace(place, role="narrowing", cell=module.graph.name)
    return place
