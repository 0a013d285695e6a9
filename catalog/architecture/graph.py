"""Architectures as graphs: nodes carry operators, edges carry data flow."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog.architecture import canonical_labelling as canonical
from catalog.architecture.operators import VOCABULARY, Operator, Vocabulary
from catalog.errors import GraphError

if TYPE_CHECKING:
    import networkx
    from torch_geometric.data import Data

Edge = tuple[int, int, int]
"""Source position, target position, multiplicity (how many parallel copies of the data flow)."""

MOST_PARALLEL = 2**15 - 1  # an edge's multiplicity is stored in 16 bits
_TRACED = re.compile(r"network_[0-9a-f]{12}")

EDGES_DECIDE = frozenset({"nb101"})
"""Spaces whose edges do what the graph leaves out, so that equal operators of equal inputs need not compute one thing.

In NAS-Bench-101 an edge from the module's input has weights, and a vertex is as wide as what it feeds.
"""


def halves_resolution(cell: str) -> bool:
    """Whether a cell of this name is a reduction cell: its name begins with ``reduce``, in every space.

    The name is what the tables keep of it, so the flag of a stored graph follows from it.
    """
    return cell.startswith("reduce")


def is_traced(cell: str) -> bool:
    """Whether a cell of this name is a traced network: ``network_`` and twelve digits of its own digest.

    Its operators have settings that the graph leaves out and the digits cover, so that two of one name may differ.
    """
    return _TRACED.fullmatch(cell) is not None


@dataclass(frozen=True)
class CellGraph:
    """One cell: a directed acyclic graph of operators in topological order.

    A node adds its inputs, except a ``concat`` node, which joins them; an edge of multiplicity 2 is ``x + x``.

    Parameters
    ----------
    name
        The cell's name within its architecture, for example ``normal``.
    operators
        Operator name of each node, inputs first, the output last.
    edges
        Sorted (source, target, multiplicity) triples with source < target.
    reduction
        Whether the cell halves the resolution: what is directly fed by a cell input then has stride 2.
    """

    name: str
    operators: tuple[str, ...]
    edges: tuple[Edge, ...]
    reduction: bool = False

    @classmethod
    def build(
        cls,
        name: str,
        operators: Iterable[str],
        edges: Iterable[tuple[int, int]] | Iterable[Edge],
        *,
        reduction: bool = False,
        vocabulary: Vocabulary = VOCABULARY,
    ) -> CellGraph:
        """Check and normalise: nodes in topological order, equal edges added up.

        Raises
        ------
        GraphError
            A cycle, a dangling edge, no input, no output or two outputs, an edge into an input or out of the output.
        """
        names = tuple(operators)
        multiplicity: Counter[tuple[int, int]] = Counter()
        for edge in edges:
            source, target = edge[0], edge[1]
            if not (0 <= source < len(names) and 0 <= target < len(names)):
                raise GraphError(
                    f"cell {name!r}: edge ({source}, {target}) points outside its nodes, 0 to {len(names) - 1}."
                )
            copies = edge[2] if len(edge) == 3 else 1
            if copies < 1:
                raise GraphError(f"cell {name!r}: edge ({source}, {target}) has multiplicity {copies}; 1 is the least.")
            multiplicity[source, target] += copies
        kinds = [vocabulary[operator].kind for operator in names]
        _check_ends(name, kinds, multiplicity)
        _check_copies(name, multiplicity.values())
        order = _topological_order(name, kinds, multiplicity)
        position = {node: place for place, node in enumerate(order)}
        return cls(
            name,
            tuple(names[node] for node in order),
            tuple(sorted((position[s], position[t], count) for (s, t), count in multiplicity.items())),
            reduction,
        )

    @property
    def node_count(self) -> int:
        """Number of nodes, inputs and output included."""
        return len(self.operators)

    def adjacency(self) -> np.ndarray[Any, np.dtype[np.uint16]]:
        """Multiplicities as a dense matrix, shape (nodes, nodes), row = source."""
        matrix = np.zeros((self.node_count, self.node_count), dtype=np.uint16)
        for source, target, multiplicity in self.edges:
            matrix[source, target] = multiplicity
        return matrix

    def depth(self) -> int:
        """Edges on the longest path that ends in the output; 0 where no path reaches it."""
        longest = [0] * self.node_count
        for source, target, _ in self.edges:  # sorted by source, so each source is final when it is read
            longest[target] = max(longest[target], longest[source] + 1)
        return longest[-1]

    def __repr__(self) -> str:
        return f"CellGraph({self.name!r}, {self.node_count} nodes, {len(self.edges)} edges)"


@dataclass(frozen=True)
class ArchitectureGraph:
    """One architecture of a search space: one or more cells, in native form as the benchmark defines them.

    Parameters
    ----------
    space
        Name of the search space.
    cells
        The cells in the space's own order.
    vocabulary
        What the operator names mean; the built-in operators unless the space brings its own.
    """

    space: str
    cells: tuple[CellGraph, ...]
    vocabulary: Vocabulary = VOCABULARY

    @cached_property
    def canonical(self) -> ArchitectureGraph:
        """The same architecture in canonical form: what the network computes, in canonical node order."""
        contracted = [contract(cell, self.vocabulary, merges=self.merges_equals) for cell in self.cells]
        return replace(self, cells=tuple(_canonically_ordered(cell) for cell in contracted))

    @property
    def merges_equals(self) -> bool:
        """Whether equal operators of equal inputs are one in the canonical form; see `EDGES_DECIDE`."""
        return self.space not in EDGES_DECIDE

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits, equal for architectures of one space that compute the same function."""
        return self.canonical.digest_as_is()

    def digest_as_is(self) -> str:
        """The digest of the cells in the order in which they stand; `digest` where this is a canonical form."""
        return combine_digests([(cell.name, canonical.encode(cell.operators, cell.adjacency())) for cell in self.cells])

    @property
    def is_connected(self) -> bool:
        """Whether a path leads from an input to the output in every cell."""
        return all(cell.depth() > 0 for cell in self.canonical.cells)

    def to_networkx(self) -> networkx.MultiDiGraph:
        """A networkx multigraph: node (cell, position) with attribute ``operator``, one edge a parallel copy."""
        import networkx

        graph = networkx.MultiDiGraph(space=self.space)
        for cell in self.cells:
            for position, operator in enumerate(cell.operators):
                graph.add_node((cell.name, position), operator=operator)
            for source, target, multiplicity in cell.edges:
                for _ in range(multiplicity):
                    graph.add_edge((cell.name, source), (cell.name, target))
        return graph

    def to_pyg(self) -> Data:
        """A PyTorch Geometric graph of all cells, disjoint and in order.

        Returns
        -------
        torch_geometric.data.Data
            ``operator`` (nodes,) index into ``operator_names``; ``edge_index`` (2, edges); ``edge_multiplicity``
            (edges,); ``cell`` (nodes,) the cell's place.

        Raises
        ------
        MissingExtraError
            torch-geometric is not installed.
        """
        from catalog.architecture.pyg import to_data

        return to_data(self)

    def __repr__(self) -> str:
        return f"ArchitectureGraph({self.space!r}, {list(self.cells)!r})"


def combine_digests(cells: Iterable[tuple[str, bytes]]) -> str:
    """Digest of an architecture from its cells' names and canonical encodings, whatever the cells' order."""
    digest = hashlib.sha256()
    for name, encoding in sorted(cells):
        digest.update(name.encode() + b"\0" + hashlib.sha256(encoding).digest())
    return digest.hexdigest()[:32]


def _check_ends(name: str, kinds: list[str], edges: Counter[tuple[int, int]]) -> None:
    if "input" not in kinds:
        raise GraphError(f"cell {name!r} has no input node; give one node the operator 'input'.")
    if kinds.count("output") != 1:
        raise GraphError(f"cell {name!r} has {kinds.count('output')} output nodes; exactly one is allowed.")
    for source, target in edges:
        if kinds[target] == "input":
            raise GraphError(f"cell {name!r}: edge ({source}, {target}) leads into an input.")
        if kinds[source] == "output":
            raise GraphError(f"cell {name!r}: edge ({source}, {target}) leaves the output.")


def _check_copies(name: str, multiplicities: Iterable[int]) -> None:
    most = max(multiplicities, default=0)
    if most > MOST_PARALLEL:
        raise GraphError(f"cell {name!r} has {most} parallel copies of one edge; {MOST_PARALLEL} is the most.")


def _topological_order(name: str, kinds: list[str], edges: Counter[tuple[int, int]]) -> list[int]:
    """Nodes such that every edge leads forward, inputs first, the output last; as given where that already holds."""
    nodes = range(len(kinds))
    inputs = kinds.count("input")
    if all(source < target for source, target in edges) and kinds[-1] == "output" and "input" not in kinds[inputs:]:
        return list(nodes)
    import networkx

    graph = networkx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    try:
        order = list(networkx.lexicographical_topological_sort(graph, lambda node: (kinds[node] != "input", node)))
    except networkx.NetworkXUnfeasible:
        cycle = sorted(source for source, _ in networkx.find_cycle(graph))
        raise GraphError(
            f"cell {name!r} has a cycle through nodes {cycle}; edges must form an acyclic graph."
        ) from None
    output = kinds.index("output")
    return [node for node in order if node != output] + [output]


def _canonically_ordered(cell: CellGraph) -> CellGraph:
    order = canonical.canonical_order_of_one(cell.operators, cell.adjacency())
    position = {int(node): place for place, node in enumerate(order)}
    return replace(
        cell,
        operators=tuple(cell.operators[node] for node in order),
        edges=tuple(sorted((position[s], position[t], count) for s, t, count in cell.edges)),
    )


def contract(cell: CellGraph, vocabulary: Vocabulary, *, merges: bool = True) -> CellGraph:
    """Delete zero operators, contract identities, merge what is computed twice, drop what is on no path to the output.

    An identity hands its inputs to whoever adds them; parallel paths that arise are counted (``x + x``). Toward a
    ``concat`` an identity of several inputs stays, as a ``sum``: joining differs from adding. A ``concat`` that one
    input alone reaches joins nothing, and is an identity itself. A skip that a cell input feeds in a reduction cell has
    stride 2 and weights (DARTS, Liu et al. 2019): it becomes ``factorized_reduce``.

    Equal operators of equal inputs are one node where `Operator.is_pure` says that they compute one thing, as two
    poolings of one state do; in a reduction cell they have the same stride, too. `_Equal` says what else parts them,
    and without `merges` they stay apart.
    """
    operators = list(cell.operators)
    kinds = [vocabulary[operator].kind for operator in operators]
    incoming: dict[int, list[tuple[int, int]]] = {node: [] for node in range(len(operators))}
    strided: set[int] = set()  # in a reduction cell, what a cell input feeds
    for source, target, multiplicity in cell.edges:
        incoming[target].append((source, multiplicity))
        if cell.reduction and kinds[source] == "input":
            strided.add(target)
            if kinds[target] == "skip":
                operators[target] = "factorized_reduce"
    facts = [vocabulary[operator] for operator in operators]
    identity = [operator.is_identity for operator in facts]
    inputs: list[dict[int, int]] = []  # per node: what feeds it once identities are seen through
    fed: list[bool] = []  # per node: whether any data reaches it
    equal = _Equal(facts, strided, merges=merges and not is_traced(cell.name))
    for node, operator in enumerate(operators):
        resolved: dict[int, int] = {}
        live = [(source, count) for source, count in incoming[node] if fed[source] and not facts[source].is_zero]
        joins = operator == "concat" and sum(count for _, count in live) != 1
        identity[node] |= operator == "concat" and not joins
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
    return _keep_used(cell, ["sum" if identity[n] else operators[n] for n in range(len(operators))], kinds, inputs)


class _Equal:
    """The first of the nodes of a cell that compute one thing.

    A merge of several states, other than ``concat``, may tell its operands apart, which a graph does not: it stays.
    """

    def __init__(self, facts: Sequence[Operator], strided: Set[int], *, merges: bool) -> None:
        self._facts = facts
        self._strided = strided
        self._merges = merges
        self._seen: dict[tuple[str, bool, frozenset[tuple[int, int]]], int] = {}

    def first(self, node: int, inputs: Mapping[int, int]) -> int:
        """The node that stands for `node`, which these inputs feed."""
        operator = self._facts[node]
        ordered = operator.kind == "merge" and operator.name != "concat" and len(inputs) > 1
        if not self._merges or not operator.is_pure or ordered:
            return node
        return self._seen.setdefault((operator.name, node in self._strided, frozenset(inputs.items())), node)

    def first_sum(self, node: int, inputs: Mapping[int, int]) -> int:
        """The identity that stands for `node` where several of its inputs are added before they are joined."""
        return self._seen.setdefault(("sum", False, frozenset(inputs.items())), node)


def check_copies(cells: Iterable[CellGraph], vocabulary: Vocabulary) -> None:
    """Check that the canonical form of each cell can be kept, at a small part of its price.

    Each identity hands on as many paths as lead into it, so their product bounds the copies of one edge; only a cell
    whose bound is too high is contracted to see.

    Raises
    ------
    GraphError
        Identities in parallel make more copies of one edge than can be stored.
    """
    for cell in cells:
        entering = Counter[int]()
        for _, target, multiplicity in cell.edges:
            entering[target] += multiplicity
        bound = max(entering.values(), default=0)
        for node, operator in enumerate(cell.operators):
            if operator == "concat" or vocabulary[operator].is_identity:
                bound *= max(entering[node], 1)
        if bound > MOST_PARALLEL:
            contract(cell, vocabulary)


def _keep_used(cell: CellGraph, operators: list[str], kinds: list[str], inputs: list[dict[int, int]]) -> CellGraph:
    kept = {node for node, kind in enumerate(kinds) if kind in ("input", "output")}
    used = {len(operators) - 1}
    for node in reversed(range(len(operators))):
        if node in used:
            used.update(inputs[node])
    position = {node: place for place, node in enumerate(sorted(kept | used))}
    edges = sorted(
        (position[source], position[target], count) for target in position for source, count in inputs[target].items()
    )
    _check_copies(cell.name, [count for _, _, count in edges])
    return replace(cell, operators=tuple(operators[node] for node in position), edges=tuple(edges))
