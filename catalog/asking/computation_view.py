"""One computation graph for people: a table of its nodes, and a drawing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import polars as pl

from catalog.architecture.computation.arrays import NONE, ComputationBatch
from catalog.architecture.drawing import draw_svg
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import Operator, Vocabulary
from catalog.asking.text_table import as_text
from catalog.message import visible


@dataclass(frozen=True, repr=False)
class ComputationView:
    """The computation graph of one architecture.

    Parameters
    ----------
    title
        Space and native id.
    batch
        The graph, alone in its batch.
    """

    title: str
    batch: ComputationBatch

    @property
    def frame(self) -> pl.DataFrame:
        """One row a node: its place, operator, shape without the batch, repeats, costs, and the nodes that it takes."""
        nodes = self.batch.nodes
        taken: dict[int, list[str]] = {}
        for source, target in zip(self.batch.source.tolist(), self.batch.target.tolist(), strict=True):
            taken.setdefault(target, []).append(str(source))
        places = range(len(nodes.word))
        return pl.DataFrame(
            {
                "node": list(places),
                "operator": [self._operator(place) for place in places],
                "shape": [self._shape(place) for place in places],
                "repeats": nodes.repeats,
                "parameters": nodes.parameters,
                "multiply_accumulates": nodes.multiply_accumulates,
                "takes": [", ".join(taken.get(place, ())) for place in places],
            }
        ).with_columns(pl.col("parameters", "multiply_accumulates").fill_nan(None).cast(pl.Int64))

    def text(self) -> str:
        """The title, the totals and the nodes as a table."""
        if not len(self.batch.nodes.word):
            return visible(
                f"{self.title}\n\na cell has no path from an input to its output: the network computes nothing"
            )
        parameters, costs = (float(total[0]) for total in self.batch.totals())
        totals = f"{parameters:,.0f} parameters, {costs:,.0f} multiply-accumulates".replace("nan", "unknown")
        return visible(f"{self.title}\n{len(self.batch.nodes.word)} nodes, {totals}\n\n{as_text(self.frame)}")

    def svg(self) -> str:
        """The drawing as SVG: each node with its operator, its window and stride, its shape and repeats."""
        labels = [self._label(place) for place in range(len(self.batch.nodes.word))]
        if not labels:
            cell = CellGraph("network", ("input", "output"), ())
            return draw_svg(ArchitectureGraph(self.title, (cell,)))
        edges = Counter(zip(self.batch.source.tolist(), self.batch.target.tolist(), strict=True))
        drawn = tuple((source, target, count) for (source, target), count in sorted(edges.items()))
        vocabulary = Vocabulary(self._drawn_operator(place, label) for place, label in enumerate(labels))
        return draw_svg(ArchitectureGraph(self.title, (CellGraph("network", tuple(labels), drawn),), vocabulary))

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return self.text()

    def _operator(self, place: int) -> str:
        """The operator with its window, between what is fused into it: ``relu, conv3x3/2, batchnorm``."""
        nodes, words = self.batch.nodes, self.batch.words
        kernel, stride = ([edge for edge in column[place].tolist() if edge] for column in (nodes.kernel, nodes.stride))
        name = words[nodes.word[place]] + "x".join(map(str, kernel))
        if any(edge > 1 for edge in stride):
            name += "/" + "x".join(map(str, sorted(set(stride)) if len(set(stride)) == 1 else stride))
        if nodes.dilation[place] > 1:
            name += f" dilated {nodes.dilation[place]}"
        before, *after = (column[place] for column in (nodes.activation_before, nodes.norm, nodes.activation))
        parts = [words[code] for code in (before,) if code != NONE]
        return ", ".join([*parts, name, *(words[code] for code in after if code != NONE)])

    def _shape(self, place: int) -> str | None:
        """The output's shape without the batch."""
        edges = [str(edge) for edge in self.batch.nodes.shape[place].tolist() if edge != NONE]
        return "x".join(edges[1:]) or None

    def _label(self, place: int) -> str:
        repeats = int(self.batch.nodes.repeats[place])
        shown = (self._operator(place), self._shape(place), f"×{repeats}" if repeats > 1 else None)
        return "  ".join(part for part in shown if part)

    def _drawn_operator(self, place: int, label: str) -> Operator:
        nodes, word = self.batch.nodes, self.batch.nodes.word[place]
        window = [edge for edge in nodes.kernel[place].tolist() if edge]
        return Operator(
            label,
            self.batch.kinds[word],
            *(label, label, label),
            kernel=max(window, default=None),
            dilation=int(nodes.dilation[place]) or None,
            depthwise=self.batch.words[word].startswith("depthwise"),
        )
