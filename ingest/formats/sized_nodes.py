"""The nodes of a user's own graphs, as a line of JSON gives them: names of operators, or objects with sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from catalog.architecture.computation.node_error import NodeError
from catalog.architecture.graph import topological_order
from catalog.architecture.operators import Vocabulary
from catalog.architecture.sizes import FIELDS, Size
from catalog.errors import GraphError
from ingest.reading.pickled_values import described

OPERATOR = "op"
"""The field of a node that names its operator."""


def operator_names(nodes: Any) -> list[str]:
    """The operator names among some nodes, as far as they are well formed."""
    if not isinstance(nodes, list):
        return []
    named = [node.get(OPERATOR) if isinstance(node, dict) else node for node in nodes]
    return [name for name in named if isinstance(name, str)]


def numbered_as_given(error: GraphError, record: Mapping[str, Any], vocabulary: Vocabulary) -> GraphError:
    """An error of a node by its number in the file, whose nodes may stand in any order."""
    if not isinstance(error, NodeError):
        return error
    cell = next(cell for cell in record.get("cells", [record]) if cell.get("name", "cell") == error.cell)
    kinds = [vocabulary[name].kind for name in operator_names(cell["ops"])]
    edges = Counter((source, target) for source, target, *_ in cell["edges"])
    return error.at(topological_order(error.cell, kinds, edges)[error.node])


def parsed_nodes(nodes: Any) -> tuple[list[str], list[Size | None]]:
    """Operator names and sizes of the nodes of a cell.

    Raises
    ------
    GraphError
        Something else than a list of operator names and of objects with ``op`` and fields of `Size`; the message names
        the node and the field.
    """
    if not isinstance(nodes, list):
        raise GraphError(f"is {described(nodes)}; a list of operator names, or of objects with op, is needed.")
    names: list[str] = []
    sizes: list[Size | None] = []
    for place, node in enumerate(nodes):
        name, size = _parsed_node(place, node)
        names.append(name)
        sizes.append(size)
    return names, sizes


def _parsed_node(place: int, node: Any) -> tuple[str, Size | None]:
    if isinstance(node, str):
        return node, None
    if not isinstance(node, dict) or not isinstance(node.get(OPERATOR), str):
        raise GraphError(
            f"has as node {place} {described(node)}; the name of an operator, or an object with op and optionally "
            f"{', '.join(FIELDS)}, is needed."
        )
    try:
        return node[OPERATOR], _remembered_size(node)
    except GraphError as error:
        raise GraphError(f"has node {place} ({described(node[OPERATOR])}): {error}") from None


def _remembered_size(node: Mapping[str, Any]) -> Size | None:
    try:
        return _size_of_fields(tuple(node), *node.values())
    except TypeError:  # a list among the values is no key
        return _size_of(node)


@lru_cache(maxsize=65536, typed=True)  # 1, 1.0 and true are three things that a node may say
def _size_of_fields(fields: tuple[str, ...], *values: Any) -> Size | None:
    return _size_of(dict(zip(fields, values, strict=True)))


def _size_of(node: Mapping[str, Any]) -> Size | None:
    """What a node says besides its operator."""
    size = Size.of({field: value for field, value in node.items() if field != OPERATOR and value is not None})
    return None if size == Size() else size
