"""Graphs read back from the tables ``node`` and ``edge``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from catalog.graph import ArchitectureGraph, CellGraph, Edge
from catalog.operators import BUILT_IN, Operator, Vocabulary

if TYPE_CHECKING:
    from catalog.store import Catalog

Form = Literal["native", "canonical"]


def read_graphs(catalog: Catalog, space: str, ids: Sequence[int], form: Form) -> list[ArchitectureGraph]:
    """The stored graphs of some architectures of one space in one form, in the order of `ids`.

    Both tables are read once, whatever the number of architectures. The cells come as they were stored: a stored
    canonical form is not computed again.
    """
    wanted = pa.table({"architecture_id": pa.array(ids, pa.int64())})
    selected = """
        FROM {table} SEMI JOIN wanted USING (architecture_id) WHERE form IN ({form}, 'both')
        ORDER BY architecture_id, cell, {order}
    """
    nodes = catalog.arrow(
        "SELECT architecture_id, cell, operator " + selected.format(table="node", form=f"'{form}'", order="position"),
        tables={"wanted": wanted},
    )
    edges = catalog.arrow(
        "SELECT architecture_id, cell, source, target, multiplicity "
        + selected.format(table="edge", form=f"'{form}'", order="source, target"),
        tables={"wanted": wanted},
    )
    operators: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for owner, cell, operator in zip(*(column.to_pylist() for column in nodes.columns), strict=True):
        operators[owner, cell].append(operator)
    data_flow: defaultdict[tuple[int, str], list[Edge]] = defaultdict(list)
    for owner, cell, *edge in zip(*(column.to_pylist() for column in edges.columns), strict=True):
        source, target, multiplicity = edge
        data_flow[owner, cell].append((source, target, multiplicity))
    cells: defaultdict[int, list[CellGraph]] = defaultdict(list)
    for (owner, cell), names in operators.items():
        cells[owner].append(CellGraph(cell, tuple(names), tuple(data_flow[owner, cell])))
    vocabulary = read_vocabulary(catalog, space)
    return [ArchitectureGraph(space, tuple(cells[owner]), vocabulary) for owner in ids]


def read_vocabulary(catalog: Catalog, space: str) -> Vocabulary:
    """The built-in operators and those that the space brought itself."""
    rows = catalog.arrow(
        "SELECT name, kind, short, medium, long, kernel, dilation, depthwise, has_weights "
        "FROM operator WHERE space = ?",
        [space],
    ).to_pylist()
    return Vocabulary(BUILT_IN).extended(Operator(**row) for row in rows)
