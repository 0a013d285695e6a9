"""Contraction: what a cell computes, without what changes nothing and without what is computed twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from catalog.architecture.operators import Operator, Vocabulary
from catalog.architecture.sizes import Size


class Parts(NamedTuple):
    """What a cell consists of: edges with their multiplicities; `sizes` is empty where no node has one."""

    operators: tuple[str, ...]
    edges: tuple[tuple[int, int, int], ...]
    sizes: tuple[Size | None, ...] = ()

    def size(self, node: int) -> Size | None:
        """What the source says of a node's size."""
        return self.sizes[node] if self.sizes else None


def contracted(cell: Parts, vocabulary: Vocabulary, *, reduction: bool, merges: bool) -> tuple[Parts, tuple[int, ...]]:
    """What is left of a cell, and for each of its nodes which node of the cell it was.

    Delete zero operators, contract identities, merge what is computed twice, drop what is on no path to the output.

    An identity hands its inputs to whoever adds them; parallel paths that arise are counted (``x + x``). Toward a
    ``concat`` an identity of several inputs stays, as a ``sum``: joining differs from adding. A ``concat`` that one
    input alone reaches joins nothing, and is an identity itself. What has a size that changes something is no identity.
    A skip that a cell input feeds in a reduction cell has stride 2 and weights (DARTS, Liu et al. 2019): it becomes
    ``factorized_reduce``.

    Equal operators of equal inputs are one node where `Operator.is_pure` says that they compute one thing, as two
    poolings of one state do; in a reduction cell they have the same stride, too. `_Equal` says what else parts them,
    and without `merges` they stay apart.
    """
    if not reduction and _is_contracted(cell, vocabulary):
        return cell, tuple(range(len(cell.operators)))
    operators = list(cell.operators)
    kinds = [vocabulary[operator].kind for operator in operators]
    incoming: dict[int, list[tuple[int, int]]] = {node: [] for node in range(len(operators))}
    strided: set[int] = set()  # in a reduction cell, what a cell input feeds
    for source, target, multiplicity in cell.edges:
        incoming[target].append((source, multiplicity))
        if reduction and kinds[source] == "input":
            strided.add(target)
            if kinds[target] == "skip":
                operators[target] = "factorized_reduce"
    facts = [vocabulary[operator] for operator in operators]
    bare = [operator.changes_nothing(cell.size(node)) for node, operator in enumerate(facts)]
    identity = [operator.is_identity and bare[node] for node, operator in enumerate(facts)]
    inputs: list[dict[int, int]] = []  # per node: what feeds it once identities are seen through
    fed: list[bool] = []  # per node: whether any data reaches it
    equal = _Equal(cell, facts, strided, merges=merges)
    for node, fact in enumerate(facts):
        resolved: dict[int, int] = {}
        live = [(source, count) for source, count in incoming[node] if fed[source] and not facts[source].is_zero]
        joins = fact.is_join and sum(count for _, count in live) != 1
        identity[node] |= fact.is_join and not joins and bare[node]
        for source, multiplicity in live:
            if not identity[source]:
                origin = equal.first(source, inputs[source])
                resolved[origin] = resolved.get(origin, 0) + multiplicity
            elif joins and sum(inputs[source].values()) != 1:
                sum_node = equal.first_sum(source, inputs[source])
                resolved[sum_node] = resolved.get(sum_node, 0) + multiplicity
            else:
                for origin, count in inputs[source].items():
                    resolved[origin] = resolved.get(origin, 0) + count * multiplicity
        inputs.append(resolved)
        fed.append(kinds[node] == "input" or bool(resolved))
    if cell.sizes:  # that of a sum or a concat says no more than that it stands there
        said = (None if bare[n] and (identity[n] or fact.is_join) else cell.size(n) for n, fact in enumerate(facts))
        cell = cell._replace(sizes=tuple(said))
    return _keep_used(cell, ["sum" if identity[n] else operators[n] for n in range(len(operators))], kinds, inputs)


def _is_contracted(cell: Parts, vocabulary: Vocabulary) -> bool:
    """Whether a glance tells that nothing can be contracted, merged or dropped: so it is in most cells of large spaces.

    What joins or is an identity, and two nodes that might be one, take more than a glance.
    """
    sources, targets = {source for source, _, _ in cell.edges}, {target for _, target, _ in cell.edges}
    alike: set[tuple[str, Size | None]] = set()
    for node, name in enumerate(cell.operators):
        operator = vocabulary[name]
        if operator.is_zero or operator.is_join or operator.is_identity:
            return False
        if (node not in sources and operator.kind != "output") or (node not in targets and operator.kind != "input"):
            return False
        if operator.is_pure:
            key = (name, cell.size(node))
            if key in alike:
                return False
            alike.add(key)
    return True


class _Equal:
    """The first of the nodes of a cell that compute one thing.

    A merge of several states, other than ``concat`` and ``sum``, may tell its operands apart, which a graph does not:
    it stays. So does what has weights by its size or its operator's.
    """

    def __init__(self, cell: Parts, facts: Sequence[Operator], strided: Set[int], *, merges: bool) -> None:
        self._cell = cell
        self._facts = facts
        self._strided = strided
        self._merges = merges
        self._seen: dict[tuple[str, str, bool, frozenset[tuple[int, int]]], int] = {}

    def first(self, node: int, inputs: Mapping[int, int]) -> int:
        """The node that stands for `node`, which these inputs feed."""
        operator, size = self._facts[node], self._cell.size(node)
        ordered = operator.family == "merge" and not (operator.is_join or operator.is_identity) and len(inputs) > 1
        learned = any(said is not None and said.has_weights for said in (operator.size, size))
        if not self._merges or not operator.is_pure or ordered or learned:
            return node
        said = "" if size is None else size.text
        key = (operator.name, said, node in self._strided, frozenset(inputs.items()))
        return self._seen.setdefault(key, node)

    def first_sum(self, node: int, inputs: Mapping[int, int]) -> int:
        """The identity that stands for `node` where several of its inputs are added before they are joined."""
        return self._seen.setdefault(("sum", "", False, frozenset(inputs.items())), node)


def _keep_used(
    cell: Parts, operators: list[str], kinds: list[str], inputs: list[dict[int, int]]
) -> tuple[Parts, tuple[int, ...]]:
    kept = {node for node, kind in enumerate(kinds) if kind in ("input", "output")}
    used = {len(operators) - 1}
    for node in reversed(range(len(operators))):
        if node in used:
            used.update(inputs[node])
    position = {node: place for place, node in enumerate(sorted(kept | used))}
    edges = sorted(
        (position[source], position[target], count) for target in position for source, count in inputs[target].items()
    )
    sizes = tuple([cell.sizes[node] for node in position]) if cell.sizes else ()
    if not any(sizes):
        sizes = ()
    return Parts(tuple(operators[node] for node in position), tuple(edges), sizes), tuple(position)
