"""Architectures as graphs: nodes carry operators, edges carry data flow."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog.architecture import canonical_labelling as canonical
from catalog.architecture.contraction import Parts, contracted
from catalog.architecture.operators import VOCABULARY, Vocabulary, label
from catalog.architecture.sizes import CELLS, NetworkInput, Size
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
    sizes
        What the source says of each node's size, None where it says nothing; empty where it says nothing of any node.
    repeats
        How many such cells stand in a row.
    """

    name: str
    operators: tuple[str, ...]
    edges: tuple[Edge, ...]
    reduction: bool = False
    sizes: tuple[Size | None, ...] = ()
    repeats: int = 1

    @classmethod
    def build(
        cls,
        name: str,
        operators: Iterable[str],
        edges: Iterable[tuple[int, int]] | Iterable[Edge],
        *,
        reduction: bool = False,
        vocabulary: Vocabulary = VOCABULARY,
        sizes: Iterable[Size | None] = (),
        repeats: int = 1,
    ) -> CellGraph:
        """Check and normalise: nodes in topological order, equal edges added up.

        Raises
        ------
        GraphError
            A cycle, a dangling edge, no input, no output or two outputs, an edge into an input or out of the output.
        """
        names = tuple(operators)
        multiplicity: dict[tuple[int, int], int] = {}
        for edge in edges:
            source, target = edge[0], edge[1]
            if not (0 <= source < len(names) and 0 <= target < len(names)):
                raise GraphError(
                    f"cell {name!r}: edge ({source}, {target}) points outside its nodes, 0 to {len(names) - 1}."
                )
            copies = edge[2] if len(edge) == 3 else 1
            if copies < 1:
                raise GraphError(f"cell {name!r}: edge ({source}, {target}) has multiplicity {copies}; 1 is the least.")
            multiplicity[source, target] = multiplicity.get((source, target), 0) + copies
        kinds = [vocabulary[operator].kind for operator in names]
        given = tuple(sizes)
        _check_ends(name, kinds, multiplicity)
        _check_ends_are_bare(name, names, kinds, given)
        _check_copies(name, multiplicity.values())
        order = topological_order(name, kinds, multiplicity)
        position = {node: place for place, node in enumerate(order)}
        return cls(
            name,
            tuple(names[node] for node in order),
            tuple(sorted((position[s], position[t], count) for (s, t), count in multiplicity.items())),
            reduction,
            tuple([given[node] for node in order]) if any(given) else (),
            repeats,
        )

    @property
    def node_count(self) -> int:
        """Number of nodes, inputs and output included."""
        return len(self.operators)

    def size(self, node: int) -> Size | None:
        """What the source says of a node's size."""
        return self.sizes[node] if self.sizes else None

    def applications(self) -> tuple[int, ...]:
        """How many times each node's operator is applied in a row."""
        if not self.sizes:
            return (1,) * len(self.operators)
        return tuple(1 if size is None else size.repeats or 1 for size in self.sizes)

    def labels(self) -> tuple[str, ...]:
        """What decides the function of each node: its operator's name, with its size where one is given."""
        if not self.sizes:
            return self.operators
        return tuple(label(name, size) for name, size in zip(self.operators, self.sizes, strict=True))

    def adjacency(self) -> np.ndarray[Any, np.dtype[np.uint16]]:
        """Multiplicities as a dense matrix, shape (nodes, nodes), row = source."""
        matrix = np.zeros((self.node_count, self.node_count), dtype=np.uint16)
        for source, target, multiplicity in self.edges:
            matrix[source, target] = multiplicity
        return matrix

    def ordered(self, order: Sequence[int]) -> CellGraph:
        """The same cell with its nodes in another topological order, told by their present places."""
        position = [0] * len(order)
        for place, node in enumerate(order):
            position[node] = place
        return CellGraph(
            self.name,
            tuple([self.operators[node] for node in order]),
            tuple(sorted([(position[s], position[t], count) for s, t, count in self.edges])),
            self.reduction,
            tuple([self.sizes[node] for node in order]) if self.sizes else (),
            self.repeats,
        )

    def depth(self) -> int:
        """Edges on the longest path that ends in the output; 0 where no path reaches it.

        An operator that is applied several times in a row counts as often.
        """
        longest = [0] * self.node_count
        applications = self.applications()
        for source, target, _ in self.edges:  # sorted by source, so each source is final when it is read
            longest[target] = max(longest[target], longest[source] + applications[target])
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
    input
        What the network takes where the graph is the whole network; None where it is cells for a space's skeleton.
    classes
        Of the classifier that follows a whole network; None where nothing follows it.
    """

    space: str
    cells: tuple[CellGraph, ...]
    vocabulary: Vocabulary = VOCABULARY
    input: NetworkInput | None = None
    classes: int | None = None

    @cached_property
    def canonical(self) -> ArchitectureGraph:
        """The same architecture in canonical form: what the network computes, in canonical node order."""
        return replace(self, cells=tuple(_canonically_ordered(cell) for cell in self.contracted()))

    def contracted(self) -> list[CellGraph]:
        """What each cell computes; the strides of a whole network are those that its nodes say."""
        says_strides = self.input is not None
        return [
            contract(cell, self.vocabulary, merges=self.merges_equals, strides=not says_strides) for cell in self.cells
        ]

    @property
    def merges_equals(self) -> bool:
        """Whether equal operators of equal inputs are one in the canonical form: whether the graph says all of them."""
        return self.space not in EDGES_DECIDE and not any(is_traced(cell.name) for cell in self.cells)

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits, equal for architectures of one space that compute the same function."""
        return self.canonical.digest_as_is()

    def digest_as_is(self) -> str:
        """The digest of the cells in the order in which they stand; `digest` where this is a canonical form."""
        cells = [(cell.name, canonical.encode(cell.labels(), cell.adjacency())) for cell in self.cells]
        return combine_digests([*cells, *self.settings()])

    def settings(self) -> list[tuple[str, bytes]]:
        """What decides the function beside the cells, as further parts of `combine_digests`."""
        said = [(f"\0repeats {cell.name}", str(cell.repeats).encode()) for cell in self.cells if cell.repeats != 1]
        if self.input is not None:
            said.append(("\0input", self.input_text.encode()))
        if self.classes is not None:
            said.append(("\0classes", str(self.classes).encode()))
        return said

    @property
    def is_connected(self) -> bool:
        """Whether a path leads from an input to the output in every cell."""
        return all(cell.depth() > 0 for cell in self.canonical.cells)

    @property
    def input_text(self) -> str:
        """JSON of what a whole network takes and, where it is not that of their names, of the order of its cells."""
        if self.input is None:
            raise ValueError(f"{self!r} is no whole network: it has no input")
        names = [cell.name for cell in self.cells]
        if names == sorted(names):
            return self.input.text
        return json.dumps({**json.loads(self.input.text), CELLS: names}, separators=(",", ":"))

    def as_cells(self) -> tuple[CellGraph, ...]:
        """The cells with channels as multiples of a width, as those of a cell space are."""
        if self.input is None:
            return self.cells
        return tuple(
            replace(cell, sizes=tuple(None if size is None else size.relative() for size in cell.sizes))
            for cell in self.cells
        )

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
            (edges,); ``cell`` (nodes,) the cell's place; ``sizes`` (nodes, facts) what is said of each node's size.

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


def _check_ends(name: str, kinds: list[str], edges: Iterable[tuple[int, int]]) -> None:
    if "input" not in kinds:
        raise GraphError(f"cell {name!r} has no input node; give one node the operator 'input'.")
    if kinds.count("output") != 1:
        raise GraphError(f"cell {name!r} has {kinds.count('output')} output nodes; exactly one is allowed.")
    for source, target in edges:
        if kinds[target] == "input":
            raise GraphError(f"cell {name!r}: edge ({source}, {target}) leads into an input.")
        if kinds[source] == "output":
            raise GraphError(f"cell {name!r}: edge ({source}, {target}) leaves the output.")


def _check_ends_are_bare(
    name: str, operators: Sequence[str], kinds: Sequence[str], sizes: Sequence[Size | None]
) -> None:
    for node, (operator, kind, size) in enumerate(zip(operators, kinds, sizes, strict=False)):
        if kind in ("input", "output") and size is not None:
            raise GraphError(
                f"cell {name!r}, node {node} ({operator}): it has a size, {size.words}; an input and an output pass on "
                "what they get. Give the size to the node that changes it."
            )


def _check_copies(name: str, multiplicities: Iterable[int]) -> None:
    most = max(multiplicities, default=0)
    if most > MOST_PARALLEL:
        raise GraphError(f"cell {name!r} has {most} parallel copies of one edge; {MOST_PARALLEL} is the most.")


def topological_order(name: str, kinds: list[str], edges: Collection[tuple[int, int]]) -> list[int]:
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
    return cell.ordered(canonical.canonical_order_of_one(cell.labels(), cell.adjacency()).tolist())


def contract(cell: CellGraph, vocabulary: Vocabulary, *, merges: bool = True, strides: bool = True) -> CellGraph:
    """The cell without what changes nothing, and, with `merges`, without what is computed twice.

    With `strides` what an input of a reduction cell feeds halves the resolution.

    Raises
    ------
    GraphError
        Identities in parallel make more copies of one edge than can be stored.
    """
    return contract_traced(cell, vocabulary, merges=merges, strides=strides)[0]


def contract_traced(
    cell: CellGraph, vocabulary: Vocabulary, *, merges: bool, strides: bool
) -> tuple[CellGraph, tuple[int, ...]]:
    """What `contract` gives, and for each of its nodes which node of the cell it was."""
    parts = Parts(cell.operators, cell.edges, cell.sizes)
    made, nodes = contracted(parts, vocabulary, reduction=cell.reduction and strides, merges=merges)
    if made == parts:
        return cell, nodes
    _check_copies(cell.name, [count for _, _, count in made.edges])
    return replace(cell, operators=made.operators, edges=made.edges, sizes=made.sizes), nodes


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
        handing = sum([vocabulary[name].is_join or vocabulary[name].is_identity for name in cell.operators])
        if sum([copies for _, _, copies in cell.edges]) ** (handing + 1) <= MOST_PARALLEL:
            continue
        entering = Counter[int]()
        for _, target, multiplicity in cell.edges:
            entering[target] += multiplicity
        bound = max(entering.values(), default=0)
        for node, operator in enumerate(cell.operators):
            if vocabulary[operator].is_join or vocabulary[operator].is_identity:
                bound *= max(entering[node], 1)
        if bound > MOST_PARALLEL:
            contract(cell, vocabulary)
