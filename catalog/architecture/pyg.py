"""Graphs as PyTorch Geometric data; the only module of the core that needs torch, and only when called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from catalog.architecture.sizes import NUMBERS, Size
from catalog.errors import MissingExtraError

if TYPE_CHECKING:
    from torch_geometric.data import Data


class OperatorNames:
    """The vocabulary's names, by their place in it.

    No list: PyG takes a list for an attribute of the nodes, or of the edges, wherever the graph has as many of them as
    the list has words, and a subgraph would then lose names.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)

    def __getitem__(self, place: int) -> str:
        return self._names[place]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OperatorNames) and self._names == other._names

    def __hash__(self) -> int:
        return hash(self._names)

    def __repr__(self) -> str:
        return f"OperatorNames({len(self)})"


class _Operator(Protocol):
    @property
    def name(self) -> str: ...


class _Cell(Protocol):
    @property
    def operators(self) -> Sequence[str]: ...

    @property
    def edges(self) -> Sequence[tuple[int, int, int]]: ...

    @property
    def node_count(self) -> int: ...

    def size(self, node: int) -> Size | None: ...


class _Graph(Protocol):
    """What is read of an `ArchitectureGraph`, whose own module imports this one."""

    @property
    def vocabulary(self) -> Iterable[_Operator]: ...

    @property
    def cells(self) -> Sequence[_Cell]: ...


def to_data(graph: _Graph) -> Data:
    """A PyTorch Geometric graph of all cells of an architecture, disjoint and in order.

    Returns
    -------
    torch_geometric.data.Data
        ``operator`` (nodes,) index into ``operator_names``; ``edge_index`` (2, edges); ``edge_multiplicity`` (edges,);
        ``cell`` (nodes,) the cell's place; ``sizes`` (nodes, `NUMBERS`) what the source says of each node's size, NaN
        where it says nothing; ``operator_names`` the vocabulary's names in order; ``num_nodes``. PyG knows an attribute
        of the edges by the ``edge`` in its name where there are as many edges as nodes.

    Raises
    ------
    MissingExtraError
        torch-geometric is not installed.
    """
    try:
        import torch
        from torch_geometric.data import Data
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"to_pyg() needs the package {error.name}, which is not installed; "
            "install it with: pip install 'nas-catalog[predict]'"
        ) from error
    names = [operator.name for operator in graph.vocabulary]
    place = {name: index for index, name in enumerate(names)}
    operators: list[int] = []
    cells: list[int] = []
    sizes: list[tuple[float, ...]] = []
    edges: list[tuple[int, int, int]] = []
    for index, cell in enumerate(graph.cells):
        first = len(operators)
        edges.extend((first + source, first + target, multiplicity) for source, target, multiplicity in cell.edges)
        operators.extend(place[operator] for operator in cell.operators)
        cells.extend([index] * cell.node_count)
        sizes.extend((cell.size(node) or Size()).numbers for node in range(cell.node_count))
    columns = torch.tensor(edges, dtype=torch.long).reshape(-1, 3)
    return Data(
        edge_index=columns[:, :2].t().contiguous(),  # (2, edges)
        operator=torch.tensor(operators, dtype=torch.long),  # (nodes,)
        edge_multiplicity=columns[:, 2].contiguous(),  # (edges,)
        cell=torch.tensor(cells, dtype=torch.long),  # (nodes,)
        sizes=torch.tensor(sizes, dtype=torch.float32).reshape(-1, len(NUMBERS)),  # (nodes, facts)
        operator_names=OperatorNames(names),
        num_nodes=len(operators),
    )
