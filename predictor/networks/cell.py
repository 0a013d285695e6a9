"""A cell as a module: the operator graph run node by node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from catalog.architecture.graph import CellGraph
from catalog.architecture.operators import VOCABULARY, Operator, Vocabulary
from catalog.errors import GraphError, ProxyError
from predictor.networks.layers import join

MakeOperator = Callable[[Operator, int], nn.Module | None]
"""Makes the module of an operator with a stride; None where the operator changes nothing (a sum, a plain skip)."""


@dataclass(frozen=True)
class _Step:
    """How one node's value comes about."""

    node: int
    sources: tuple[tuple[int, int], ...]  # (node, multiplicity)
    joins: bool


class GraphCell(nn.Module):
    """Runs a `CellGraph`: a node adds what feeds it (a ``concat`` node joins it) and applies its operator.

    Works on the native and on the canonical form; an edge of multiplicity 2 is counted twice. In a reduction cell the
    operators that a cell input feeds have stride 2.

    Shapes: each input state (B, C, H, W); result (B, C * `joined`, H', W').
    """

    joined: int
    """How many states of C channels the output consists of."""

    def __init__(
        self, cell: CellGraph, make: MakeOperator, *, vocabulary: Vocabulary = VOCABULARY, replicas: int = 1
    ) -> None:
        super().__init__()
        self.name = cell.name
        self.replicas = replicas
        kinds = [vocabulary[operator].kind for operator in cell.operators]
        self.inputs = [node for node, kind in enumerate(kinds) if kind == "input"]
        self.output = cell.node_count - 1
        self.operators = nn.ModuleDict()
        self.steps: list[_Step] = []
        widths = dict.fromkeys(self.inputs, 1)
        halved = dict.fromkeys(self.inputs, False)
        for node, name in enumerate(cell.operators):
            if node in self.inputs:
                continue
            edges = [(source, count) for source, target, count in cell.edges if target == node]
            stride = 2 if cell.reduction and any(source in self.inputs for source, _ in edges) else 1
            module = make(vocabulary[name].at(cell.size(node)), stride)
            if module is not None:
                self.operators[str(node)] = module
            fed = tuple((source, count) for source, count in edges if source in widths)
            if fed:
                joins = vocabulary[name].is_join
                self.steps.append(_Step(node, fed, joins))
                widths[node] = sum(widths[s] * count for s, count in fed) if joins else widths[fed[0][0]]
                halved[node] = halved[fed[0][0]] or (stride == 2 and module is not None)
                self._check(self.steps[-1], name, module, widths, halved)
        if self.output not in widths:
            raise GraphError(
                f"cell {cell.name!r} has no path from an input to its output, so it has no network; score it as "
                "disconnected."
            )
        if cell.reduction and not halved[self.output]:
            raise ProxyError(
                f"reduction cell {cell.name!r} halves no resolution: none of its operators is fed by an input directly."
            )
        self.joined = widths[self.output]

    def _check(
        self, step: _Step, name: str, module: nn.Module | None, widths: Mapping[int, int], halved: Mapping[int, bool]
    ) -> None:
        """Raise where a node is fed with states that do not fit together or do not fit its operator."""
        sources = [source for source, _ in step.sources]
        place = f"node {step.node} ({name}) of cell {self.name!r}"
        if len({halved[source] for source in sources}) > 1:
            raise ProxyError(
                f"{place} is fed by an input of the reduction cell and by a state of half its resolution, and the "
                "graph does not say what makes them fit."
            )
        channels = sorted({widths[source] for source in sources})
        if not step.joins and len(channels) > 1:
            raise ProxyError(
                f"{place} adds states of {' and '.join(map(str, channels))} times the cell's channels, and the graph "
                "does not say what makes them fit."
            )
        if channels[-1] > 1 and module is not None and any(True for _ in module.parameters()):
            raise ProxyError(
                f"{place} has weights and is fed by {channels[-1]} states side by side, and its facts do not say how "
                "many channels it gives."
            )

    def forward(self, *states: Tensor) -> Tensor:
        """The output state from the states of the cell inputs, in their order."""
        values: dict[int, Tensor] = dict(zip(self.inputs, states, strict=True))
        for step in self.steps:
            value = self._gathered(step, values)
            key = str(step.node)
            values[step.node] = self.operators[key](value) if key in self.operators else value
        return values[self.output]

    def _gathered(self, step: _Step, values: dict[int, Tensor]) -> Tensor:
        if step.joins:
            parts = [values[source] for source, count in step.sources for _ in range(count)]
            return join(parts, self.replicas)
        terms = [values[source] if count == 1 else values[source] * count for source, count in step.sources]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total

    def extra_repr(self) -> str:
        """The cell's name and size, for ``repr``."""
        return f"{self.name!r}, {len(self.steps)} steps"
