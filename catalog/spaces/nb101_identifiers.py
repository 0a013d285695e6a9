"""Native identifiers of NAS-Bench-101: what a user may write for a module, and how a module is written."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.errors import IdentifierError
from catalog.spaces.nb101_enumeration import CELL, MAXIMUM_EDGES, MAXIMUM_VERTICES
from catalog.spaces.nb101_hash import NODE_OPERATORS

SIZE = 423_624

BENCHMARK_NAMES = {
    "input": "input",
    "conv3x3": "conv3x3-bn-relu",
    "conv1x1": "conv1x1-bn-relu",
    "maxpool3x3": "maxpool3x3",
    "output": "output",
}
"""The catalog's operator name to the benchmark's."""

_LONGEST_TEXT = 10_000
_HASH = re.compile(r"[0-9a-fA-F]{32}")
_NUMBER = re.compile(r"[0-9]{1,31}")
_COMPACT = re.compile(r"([01]+):([012]*)")
_FIELDS = (
    ("matrix", "ops"),
    ("original_matrix", "original_ops"),
    ("module_adjacency", "module_operations"),
)
_NAMES = {
    **{name: name for name in BENCHMARK_NAMES},
    **{theirs: ours for ours, theirs in BENCHMARK_NAMES.items()},
}
_LABELS = {0: "conv3x3", 1: "conv1x1", 2: "maxpool3x3", -1: "input", -2: "output"}
_CONSTANTS = {
    "INPUT": "input",
    "CONV3X3": "conv3x3",
    "CONV1X1": "conv1x1",
    "MAXPOOL3X3": "maxpool3x3",
    "OUTPUT": "output",
}
"""Names that the benchmark's examples use for operators."""

Pair = tuple[object, object]


def module_hash(identifier: object) -> str | None:
    """The module hash that `identifier` is, in lower case; None where it is none."""
    if isinstance(identifier, str) and _HASH.fullmatch(identifier.strip()):
        return identifier.strip().lower()
    return None


def native_index(identifier: object) -> int | None:
    """The native index that `identifier` is; None where it is no number.

    Raises
    ------
    IdentifierError
        The number is out of range.
    """
    is_number = isinstance(identifier, int | np.integer) and not isinstance(identifier, bool)
    is_text = isinstance(identifier, str) and _NUMBER.fullmatch(identifier.strip())
    if not is_number and not is_text:
        return None
    index = int(str(identifier).strip())
    if not 0 <= index < SIZE:
        raise IdentifierError(
            f"NAS-Bench-101 has no module with index {index}; the indices, in ascending order of the module hashes, "
            f"are 0 to {SIZE - 1}."
        )
    return index


def parse(identifier: object) -> CellGraph:
    """The pruned module of a specification.

    Parameters
    ----------
    identifier
        An object with ``matrix`` and ``ops`` or ``original_matrix`` and ``original_ops``, a mapping with these keys, a
        pair of both, a graph, or text: ``ModelSpec(matrix=[[...]], ops=[...])``, the pair or mapping as JSON, or the
        compact form ``bits:operators`` that `format_compact` gives.

    Raises
    ------
    IdentifierError
        `identifier` is no specification, or specifies no module of the space.
    """
    matrix, operators = _pair(identifier)
    return _pruned(_links(matrix), _operators(operators))


def model_spec(cell: CellGraph) -> tuple[list[list[int]], list[str]]:
    """The arguments of the benchmark's ``ModelSpec``: adjacency matrix and operators."""
    return cell.adjacency().tolist(), [BENCHMARK_NAMES[operator] for operator in cell.operators]


def format_spec(cell: CellGraph) -> str:
    """``ModelSpec(matrix=..., ops=...)`` with the benchmark's operator names."""
    matrix, operators = model_spec(cell)
    return f"ModelSpec(matrix={matrix}, ops={operators})"


def format_compact(cell: CellGraph) -> str:
    """``bits:operators``: the matrix row by row; 0 (conv3x3), 1 (conv1x1) or 2 (maxpool3x3) an interior vertex."""
    bits = "".join(str(bit) for bit in cell.adjacency().ravel().tolist())
    return bits + ":" + "".join(str(NODE_OPERATORS.index(operator)) for operator in cell.operators[1:-1])


def _unknown(identifier: object) -> IdentifierError:
    shown = repr(identifier)
    if len(shown) > 200:
        shown = shown[:200] + "..."
    return IdentifierError(
        f"{shown} names no NAS-Bench-101 module; give a module hash of 32 hexadecimal digits, an index from 0 to "
        f"{SIZE - 1}, ModelSpec(matrix=[[0, 1, ...], ...], ops=['input', 'conv3x3-bn-relu', ..., 'output']), "
        "the matrix and the operators as a pair, or the compact form such as '010001000:0'."
    )


def _pair(identifier: object) -> Pair:
    if isinstance(identifier, ArchitectureGraph) and len(identifier.cells) == 1:
        return identifier.cells[0].adjacency(), identifier.cells[0].operators
    if isinstance(identifier, str):
        return _pair_in_text(identifier.strip())
    if isinstance(identifier, Sequence) and len(identifier) == 2:
        return identifier[0], identifier[1]
    for matrix, operators in _FIELDS:
        if isinstance(identifier, Mapping):
            found = identifier.get(matrix), identifier.get(operators)
        else:
            found = getattr(identifier, matrix, None), getattr(identifier, operators, None)
        if found[0] is not None and found[1] is not None:
            return found
    raise _unknown(identifier)


def _pair_in_text(text: str) -> Pair:
    if len(text) > _LONGEST_TEXT:
        raise _unknown(text)
    compact = _COMPACT.fullmatch(text)
    if compact:
        return compact[1], [-1, *map(int, compact[2]), -2]
    try:
        value = json.loads(text) if text[:1] in "{[" else _literal_call(text)
    except (ValueError, RecursionError, MemoryError):
        try:
            value = _literal(ast.parse(text, mode="eval").body)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            raise _unknown(text) from None
    if isinstance(value, str):
        raise _unknown(text)
    return _pair(value)


def _literal_call(text: str) -> Pair:
    """The arguments of ``ModelSpec(...)``, however it is imported; ValueError for any other text."""
    try:
        call = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise ValueError(text) from error
    if not isinstance(call, ast.Call) or _called(call) != "ModelSpec":
        raise ValueError(text)
    arguments = dict(zip(("matrix", "ops"), call.args, strict=False))
    arguments |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    if "matrix" not in arguments or "ops" not in arguments:
        raise ValueError(text)
    return _literal(arguments["matrix"]), _literal(arguments["ops"])


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _literal(node: ast.expr) -> Any:
    """The value of a literal; ``array(...)`` counts as its first argument and ``CONV3X3`` as its operator."""
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(element) for element in node.elts]
    if isinstance(node, ast.Call) and _called(node) == "array" and node.args:
        return _literal(node.args[0])
    if isinstance(node, ast.Name) and node.id in _CONSTANTS:
        return _CONSTANTS[node.id]
    return ast.literal_eval(node)


def _links(matrix: object) -> NDArray[np.bool_]:
    """The adjacency matrix, (N, N), checked but for what pruning may mend."""
    if isinstance(matrix, str) and re.fullmatch("[01]+", matrix) and isqrt(len(matrix)) ** 2 == len(matrix):
        return _links([list(map(int, row)) for row in re.findall("." * isqrt(len(matrix)), matrix)])
    try:
        values = np.asarray(matrix)
    except (ValueError, TypeError):  # rows of different lengths
        values = np.empty(0)
    if values.ndim != 2 or values.shape[0] != values.shape[1] or len(values) < 2 or values.dtype.kind not in "biuf":
        raise IdentifierError(
            f"{_shown(matrix)} is no square adjacency matrix; give N rows of N entries 0 or 1, N from 2 to "
            f"{MAXIMUM_VERTICES}, row = source."
        )
    for row, column in np.argwhere((values != 0) & (values != 1)).tolist():
        raise IdentifierError(f"matrix[{row}][{column}] is {values[row, column]}; entries are 0 or 1.")
    for row, column in np.argwhere(np.tril(values != 0)).tolist():
        raise IdentifierError(
            f"matrix[{row}][{column}] is 1, but the adjacency matrix must be upper triangular: order the vertices so "
            "that every edge leads from a lower to a higher one."
        )
    return np.asarray(values != 0)


def _operators(operators: object) -> list[str]:
    if isinstance(operators, str):
        operators = operators.split(",")
    if isinstance(operators, np.ndarray):
        operators = operators.tolist()
    if not isinstance(operators, Sequence):
        raise IdentifierError(f"ops is {_shown(operators)}; give one operator a vertex, input first and output last.")
    names = [_operator(place, operator) for place, operator in enumerate(operators)]
    for place, name in enumerate(names):
        expected = {0: "input", len(names) - 1: "output"}.get(place)
        if (name if name in ("input", "output") else None) != expected:
            raise IdentifierError(
                f"ops[{place}] is {BENCHMARK_NAMES[name]!r}; the first operator is 'input', the last is 'output' and "
                "none between them is either."
            )
    return names


def _operator(place: int, operator: object) -> str:
    if isinstance(operator, str) and operator.strip() in _NAMES:
        return _NAMES[operator.strip()]
    if isinstance(operator, int | np.integer) and not isinstance(operator, bool) and int(operator) in _LABELS:
        return _LABELS[int(operator)]
    raise IdentifierError(
        f"ops[{place}] is {_shown(operator)}; allowed are {', '.join(repr(name) for name in BENCHMARK_NAMES.values())} "
        "and the benchmark's labels -1 (input), 0, 1, 2 and -2 (output)."
    )


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 100 else shown[:100] + "..."


def _pruned(links: NDArray[np.bool_], operators: Sequence[str]) -> CellGraph:
    """The module without the vertices that lie on no path from input to output."""
    size = len(links)
    if len(operators) != size:
        raise IdentifierError(
            f"the adjacency matrix has {size} vertices, but there are {len(operators)} operators; give one operator a "
            "vertex, input first and output last."
        )
    fed = np.zeros(size, dtype=bool)
    used = np.zeros(size, dtype=bool)
    fed[0] = used[-1] = True
    for vertex in range(1, size):
        fed[vertex] = (links[:, vertex] & fed).any()
        used[-1 - vertex] = (links[-1 - vertex] & used).any()
    if not fed[-1]:
        raise IdentifierError("the module has no path from input to output; connect vertex 0 with the last one.")
    kept = np.flatnonzero(fed & used)
    edges = np.argwhere(links[np.ix_(kept, kept)]).tolist()
    if len(kept) > MAXIMUM_VERTICES or len(edges) > MAXIMUM_EDGES:
        raise IdentifierError(
            f"the module has {len(kept)} vertices and {len(edges)} edges on paths from input to output; NAS-Bench-101 "
            f"has at most {MAXIMUM_VERTICES} vertices and {MAXIMUM_EDGES} edges."
        )
    return CellGraph.build(
        CELL, [operators[vertex] for vertex in kept.tolist()], [(source, target) for source, target in edges]
    )
