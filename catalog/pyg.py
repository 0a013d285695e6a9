"""Architectures as PyTorch Geometric graphs; the only module of the core that needs torch, and only when called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.errors import MissingExtraError

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from catalog.graph import ArchitectureGraph


def to_data(graph: ArchitectureGraph) -> Data:
    """A PyTorch Geometric graph of all cells of an architecture, disjoint and in order.

    Returns
    -------
    torch_geometric.data.Data
        ``operator`` (nodes,) index into ``operator_names``; ``edge_index`` (2, edges); ``multiplicity`` (edges,);
        ``cell`` (nodes,) the cell's place; ``operator_names`` the vocabulary's names in order; ``num_nodes``.

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
    edges: list[tuple[int, int, int]] = []
    for index, cell in enumerate(graph.cells):
        first = len(operators)
        edges.extend((first + source, first + target, multiplicity) for source, target, multiplicity in cell.edges)
        operators.extend(place[operator] for operator in cell.operators)
        cells.extend([index] * cell.node_count)
    columns = torch.tensor(edges, dtype=torch.long).reshape(-1, 3)
    return Data(
        edge_index=columns[:, :2].t().contiguous(),  # (2, edges)
        operator=torch.tensor(operators, dtype=torch.long),  # (nodes,)
        multiplicity=columns[:, 2].contiguous(),  # (edges,)
        cell=torch.tensor(cells, dtype=torch.long),  # (nodes,)
        operator_names=names,
        num_nodes=len(operators),
    )
