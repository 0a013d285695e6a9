"""The error of one node of a whole network."""

from __future__ import annotations

from catalog.errors import GraphError


class NodeError(GraphError):
    """A size that is impossible at its place.

    Attributes
    ----------
    cell, node
        The place: the cell's name, and the node's number in topological order.
    """

    def __init__(self, cell: str, node: int, operator: str, what: str) -> None:
        super().__init__(f"cell {cell!r}, node {node} ({operator}): {what}")
        self.cell = cell
        self.node = node
        self._told = (operator, what)

    def at(self, node: int) -> NodeError:
        """The same error of a node with another number, that of a file."""
        return NodeError(self.cell, node, *self._told)
