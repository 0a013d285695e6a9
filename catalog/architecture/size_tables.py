"""Sizes as rows of the table ``node_attribute``, and what follows from them for whole networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.architecture.computation.layers import channels_of
from catalog.architecture.computation.sized import NetworkFacts, NodeFacts, SizedNetworks
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import Operator
from catalog.architecture.sizes import Size, pair

_COLUMNS = pa.schema(
    [
        ("given", pa.string()),
        ("channels", pa.float64()),
        ("shape", pa.list_(pa.int64())),
        ("kernel", pa.list_(pa.int32())),
        ("stride", pa.list_(pa.int32())),
        ("groups", pa.int32()),
        ("expansion", pa.float64()),
        ("heads", pa.int32()),
        ("mlp_ratio", pa.float64()),
        ("squeeze", pa.float64()),
        ("repeats", pa.int32()),
        ("parameters", pa.int64()),
        ("multiply_accumulates", pa.int64()),
    ]
)
_NOTHING = NodeFacts(None, None, None)


def is_sized(graph: ArchitectureGraph) -> bool:
    """Whether a source says anything of a graph's sizes."""
    return graph.input is not None or any(cell.sizes or cell.repeats != 1 for cell in graph.cells)


@dataclass(frozen=True)
class SizedForm:
    """Graphs of a batch in one form, with what follows from their sizes.

    Parameters
    ----------
    form
        ``native`` or ``canonical``.
    graphs
        Of all architectures of the batch.
    facts
        One a graph; None for those that are no whole networks.
    """

    form: str
    graphs: Sequence[ArchitectureGraph]
    facts: Sequence[NetworkFacts | None]


def sized_forms(
    native: Sequence[ArchitectureGraph],
    canonical: Sequence[ArchitectureGraph],
    networks: Sequence[NetworkFacts | None] | None = None,
    *,
    sizes_are_all: bool = True,
) -> tuple[SizedForm, ...]:
    """Both forms with what follows from their sizes; none where no graph says any.

    Parameters
    ----------
    networks
        What follows from the native sizes, where it is known already.
    sizes_are_all
        Whether counts follow from the sizes, as `catalog.spaces.base.SearchSpace.sizes_are_all` says.

    Raises
    ------
    GraphError
        A size is impossible at its place.
    """
    if not any(map(is_sized, native)):
        return ()
    if not sizes_are_all:
        unknown = [None] * len(native)
        return SizedForm("native", native, unknown), SizedForm("canonical", canonical, unknown)
    found = networks if networks is not None else networks_of(native)
    return SizedForm("native", native, found), SizedForm("canonical", canonical, networks_of(canonical))


def networks_of(graphs: Sequence[ArchitectureGraph]) -> list[NetworkFacts | None]:
    """What follows from the sizes of each graph that is a whole network."""
    sized = SizedNetworks(graphs[0].vocabulary)
    return [None if graph.input is None else sized.facts(graph) for graph in graphs]


SIZED_SCORES = ("params", "flops", "live_params", "live_flops", "root_macs", "activations")
"""The structural scores that follow from the sizes of a whole network."""


def sized_scores(forms: Sequence[SizedForm]) -> dict[str, NDArray[np.float64]]:
    """Structural scores of whole networks, (B,) each; NaN for graphs that are none or cannot be counted."""
    scores: dict[str, NDArray[np.float64]] = {}
    if all(fact is None for form in forms for fact in form.facts):
        return scores
    for form in forms:
        prefix = "live_" if form.form == "canonical" else ""
        for name, field in (("params", "parameters"), ("flops", "multiply_accumulates")):
            scores[prefix + name] = _column(form.facts, field)
        if form.form == "canonical":
            for name in ("root_macs", "activations"):
                scores[name] = _column(form.facts, name)
    return scores


def _column(facts: Sequence[NetworkFacts | None], field: str) -> NDArray[np.float64]:
    values = [None if fact is None else getattr(fact, field) for fact in facts]
    return np.array([np.nan if value is None else float(value) for value in values])


def attribute_rows(first_id: int, forms: Sequence[SizedForm]) -> pa.Table:
    """Rows of ``node_attribute`` of the sized graphs among some batches, sorted by architecture.

    Nodes that are alike in all that the table says share one made row, so that a million small graphs cost little.
    """
    rows = _Rows()
    for form in forms:
        for row, (graph, facts) in enumerate(zip(form.graphs, form.facts, strict=True)):
            if is_sized(graph):
                for place, cell in enumerate(graph.cells):
                    rows.add_cell(first_id + row, form.form, graph, cell, None if facts is None else facts.nodes[place])
    return rows.table()


class _Rows:
    def __init__(self) -> None:
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._made: list[Mapping[str, Any]] = []
        self._owners: list[int] = []
        self._forms: list[str] = []
        self._cells: list[str] = []
        self._lengths: list[int] = []
        self._rows: list[int] = []

    def add_cell(
        self, owner: int, form: str, graph: ArchitectureGraph, cell: CellGraph, facts: Sequence[NodeFacts] | None
    ) -> None:
        self._owners.append(owner)
        self._forms.append(form)
        self._cells.append(cell.name)
        self._lengths.append(cell.node_count)
        for node, name in enumerate(cell.operators):
            size = cell.size(node)
            known = _NOTHING if facts is None else facts[node]
            repeats = cell.repeats if node == cell.node_count - 1 else 1
            key = (name, size, repeats, known)
            number = self._numbers.get(key)
            if number is None:
                number = self._numbers[key] = len(self._made)
                self._made.append(_row(graph.vocabulary[name], size, repeats, known))
            self._rows.append(number)

    def table(self) -> pa.Table:
        lengths = np.array(self._lengths, dtype=np.int64)
        starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
        made = pa.Table.from_pylist([dict(row) for row in self._made], schema=_COLUMNS)
        columns: dict[str, Any] = {
            "architecture_id": np.repeat(np.array(self._owners, dtype=np.int64), lengths),
            "form": _repeated(self._forms, lengths),
            "cell": _repeated(self._cells, lengths),
            "position": (np.arange(len(starts)) - starts).astype(np.int16),
        }
        chosen = made.take(pa.array(np.array(self._rows, dtype=np.int64)))
        table = pa.table({**columns, **{name: chosen[name] for name in chosen.column_names}})
        order = np.argsort(table["architecture_id"].to_numpy(), kind="stable")
        return table.take(pa.array(order))


def _repeated(words: Sequence[str], lengths: NDArray[np.int64]) -> pa.Array:
    encoded = pa.array(words, pa.string()).dictionary_encode()
    codes = np.repeat(encoded.indices.to_numpy(zero_copy_only=False), lengths)
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), encoded.dictionary)


def _row(operator: Operator, size: Size | None, repeats: int, known: NodeFacts) -> dict[str, Any]:
    """What the table says of one node."""
    said = operator.sized(size)
    given = size.text if size is not None else None
    if repeats != 1:
        given = Size(repeats=repeats).text
    channels: float | None = said.channels
    if known.shape is not None:
        channels = channels_of(known.shape)
    return {
        "given": given,
        "channels": channels,
        "shape": known.shape,
        "kernel": None if said.kernel is None else pair(said.kernel),
        "stride": None if said.stride is None else pair(said.stride),
        "groups": said.groups,
        "expansion": said.expansion,
        "heads": said.heads,
        "mlp_ratio": said.mlp_ratio,
        "squeeze": said.squeeze,
        "repeats": repeats if repeats != 1 else said.repeats,
        "parameters": known.parameters,
        "multiply_accumulates": known.multiply_accumulates,
    }
