"""Sizes as rows of the table ``node_attribute``, and what follows from them for whole networks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.architecture.canonical_form import Order
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import VOCABULARY, Operator
from catalog.architecture.sizes import Size, pair

if TYPE_CHECKING:
    from catalog.architecture.computation.sized import NetworkFacts, NodeFacts

_Key = TypeVar("_Key", bound=Hashable)

_SAID = pa.schema(
    [
        ("given", pa.string()),
        ("channels", pa.float64()),
        ("kernel", pa.list_(pa.int32())),
        ("stride", pa.list_(pa.int32())),
        ("groups", pa.int32()),
        ("expansion", pa.float64()),
        ("heads", pa.int32()),
        ("mlp_ratio", pa.float64()),
        ("squeeze", pa.float64()),
        ("repeats", pa.int32()),
    ]
)
"""The columns that an operator and its size decide."""
_KNOWN = pa.schema(
    [
        ("channels", pa.float64()),
        ("shape", pa.list_(pa.int64())),
        ("parameters", pa.int64()),
        ("multiply_accumulates", pa.int64()),
    ]
)
"""The columns that a node's place in a whole network decides; its channels hold before those that are said."""


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
    orders: Sequence[tuple[Order, ...] | None] | None = None,
    sizes_are_all: bool = True,
) -> tuple[SizedForm, ...]:
    """Both forms with what follows from their sizes; none where no graph says any.

    Parameters
    ----------
    networks
        What follows from the native sizes, where it is known already.
    orders
        As in `CanonicalForms`: what follows from the sizes of a form that is the native one in another order is known.
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
    from catalog.architecture.computation.sized import sized_networks

    sized = sized_networks(native[0].vocabulary)
    if networks is None:
        networks = [None if graph.input is None else sized.facts(graph) for graph in native]
    changed = [
        facts if facts is None else sized.facts(graph) if order is None else facts.ordered(order)
        for graph, facts, order in zip(canonical, networks, orders or [None] * len(canonical), strict=True)
    ]
    return SizedForm("native", native, networks), SizedForm("canonical", canonical, changed)


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

    Nodes that are alike share one made row, so that a million small graphs cost little.
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
        from catalog.architecture.computation.sized import NodeFacts

        self._nothing = NodeFacts(None, None, None)
        self._vocabulary = VOCABULARY
        self._said: list[tuple[str, Size | None, int]] = []
        self._known: list[NodeFacts] = []
        self._owners: list[int] = []
        self._forms: list[str] = []
        self._cells: list[str] = []
        self._lengths: list[int] = []

    def add_cell(
        self, owner: int, form: str, graph: ArchitectureGraph, cell: CellGraph, facts: Sequence[NodeFacts] | None
    ) -> None:
        count = cell.node_count
        self._owners.append(owner)
        self._forms.append(form)
        self._cells.append(cell.name)
        self._lengths.append(count)
        self._vocabulary = graph.vocabulary
        self._said.extend(zip(cell.operators, cell.sizes or repeat(None), repeat(1), strict=False))
        if cell.repeats != 1:
            self._said[-1] = (cell.operators[-1], cell.size(count - 1), cell.repeats)
        self._known.extend(facts or repeat(self._nothing, count))

    def table(self) -> pa.Table:
        lengths = np.array(self._lengths, dtype=np.int64)
        starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
        import pyarrow.compute as pc

        said = _columns(_SAID, self._said, lambda key: _said(self._vocabulary[key[0]], *key[1:]))
        known = _columns(_KNOWN, self._known, _known)
        channels = pc.coalesce(known.pop("channels"), said.pop("channels"))
        table = pa.table(
            {
                "architecture_id": np.repeat(np.array(self._owners, dtype=np.int64), lengths),
                "form": _repeated(self._forms, lengths),
                "cell": _repeated(self._cells, lengths),
                "position": (np.arange(len(starts)) - starts).astype(np.int16),
                "channels": channels,
                **said,
                **known,
            }
        )
        order = np.argsort(table["architecture_id"].to_numpy(), kind="stable")
        return table.take(pa.array(order))


def _columns(schema: pa.Schema, keys: Sequence[_Key], row: Callable[[_Key], tuple[Any, ...]]) -> dict[str, pa.Array]:
    """Columns of the rows of some keys; the row of each different key is made once."""
    place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    places = pa.array(np.fromiter(map(place.__getitem__, keys), np.int32, len(keys)))
    columns = zip(*map(row, place), strict=True) if place else [()] * len(schema)
    return {
        field.name: pa.array(column, field.type).take(places) for field, column in zip(schema, columns, strict=True)
    }


def _repeated(words: Sequence[str], lengths: NDArray[np.int64]) -> pa.Array:
    encoded = pa.array(words, pa.string()).dictionary_encode()
    codes = np.repeat(encoded.indices.to_numpy(zero_copy_only=False), lengths)
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), encoded.dictionary)


def _said(operator: Operator, size: Size | None, repeats: int) -> tuple[Any, ...]:
    """The columns of `_SAID` of one node; `repeats` are those of its cell, which its output says."""
    said = operator.sized(size)
    given = size.text if size is not None else None
    return (
        given if repeats == 1 else Size(repeats=repeats).text,
        said.channels,
        None if said.kernel is None else pair(said.kernel),
        None if said.stride is None else pair(said.stride),
        said.groups,
        said.expansion,
        said.heads,
        said.mlp_ratio,
        said.squeeze,
        repeats if repeats != 1 else said.repeats,
    )


def _known(node: NodeFacts) -> tuple[Any, ...]:
    """The columns of `_KNOWN` of one node."""
    from catalog.architecture.computation.layers import channels_of

    channels = None if node.shape is None else channels_of(node.shape)
    return channels, node.shape, node.parameters, node.multiply_accumulates
