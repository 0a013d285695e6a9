"""Unknown operators that have a description: put into networks, beside the known ones that are described alike."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from benchmarks.laws.networks import CELL_OPERATORS, Drawing, free_cell, network
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.operators import SIZED_VOCABULARY, Operator, Vocabulary
from catalog.architecture.sizes import Size

WITH_WEIGHTS = (
    "Convolution 7 by 7",
    "Convolution 5 by 5",
    "Grouped convolution 3 by 3",
    "Deformable convolution 3 by 3",
    "Ghost convolution 3 by 3",
    "Involution 7 by 7",
    "Depthwise convolution 7 by 7",
    "Depth-wise separable convolution 7x7",
    "Dilated convolution 3 by 3 with rate 4",
    "Pointwise convolution that mixes channels",
    "Residual block of two convolutions 3 by 3",
    "Inverted residual with a depthwise convolution 5 by 5",
    "Asymmetric convolution 1 by 7 then 7 by 1",
    "Dynamic convolution 3 by 3",
    "Squeeze and excitation block",
    "Octave convolution",
    "Multi-head self-attention over all positions",
    "Transformer feed-forward layer",
    "Gated convolution 3 by 3",
    "Bottleneck of convolutions 1 by 1, 3 by 3, 1 by 1",
)
WITHOUT_WEIGHTS = (
    "Max pooling 5 by 5",
    "Average pooling 5 by 5",
    "Stochastic pooling 3 by 3",
    "Gaussian blur",
    "Identity mapping",
    "Shuffle of channels",
    "Shift of the feature map by one pixel",
    "Dropout",
    "Lp pooling 3 by 3",
    "Skip connection with a constant factor",
)


@dataclass(frozen=True)
class Swap:
    """A network with an unknown operator, and the same with each of the three operators that are described nearest.

    Parameters
    ----------
    sentence
        The description.
    nearest
        Names of the three, the nearest first.
    unknown, known
        The networks; all share one vocabulary.
    whole
        Whether they are whole networks, whose unknown nodes say their channels, or cells without any size.
    """

    whole: bool
    sentence: str
    nearest: tuple[str, ...]
    unknown: ArchitectureGraph
    known: tuple[ArchitectureGraph, ...]


def swaps(count: int, seed: int) -> list[Swap]:
    """`count` swaps in random cells, half of them behind a stem in whole networks."""
    draw = random.Random(f"swaps {seed}")
    found: list[Swap] = []
    while len(found) < count:
        graph, whole = free_cell(draw), len(found) % 2 == 1
        swapped = draw.choice([name for name in graph.cells[0].operators if name in CELL_OPERATORS])
        operator = draw.choice(unknown_operators())
        nearest = nearest_known(operator.short)
        unknown, *known = (_put(graph, swapped, name) for name in (operator.name, *nearest))
        if all(one.is_connected for one in known):
            if whole:
                unknown, *known = (_whole(one) for one in (unknown, *known))
            found.append(Swap(whole, operator.short, nearest, unknown, tuple(known)))
    return found


WIDTH = 32


def _whole(graph: ArchitectureGraph) -> ArchitectureGraph:
    """The network of a stem and one cell; unknown operators say that they keep the channels."""
    drawing = Drawing()
    stem = drawing.cell(drawing.add("conv", [0], kernel=3, channels=WIDTH), "stem")
    (cell,) = graph.cells
    sizes = tuple(Size(channels=WIDTH) if name.startswith("unknown") else None for name in cell.operators)
    return replace(network(stem, replace(cell, sizes=sizes), pixels=32), vocabulary=graph.vocabulary)


@cache
def _vocabulary() -> Vocabulary:
    return SIZED_VOCABULARY.extended(unknown_operators())


@cache
def unknown_operators() -> tuple[Operator, ...]:
    """Operators of which nothing is said but whether they have weights, and a sentence."""
    return tuple(
        Operator(f"unknown_{place}", "other", sentence, sentence, sentence, has_weights=has_weights)
        for place, (sentence, has_weights) in enumerate(
            [*((one, True) for one in WITH_WEIGHTS), *((one, False) for one in WITHOUT_WEIGHTS)]
        )
    )


@cache
def nearest_known(sentence: str) -> tuple[str, ...]:
    """The three operators of a cell whose sentences have the largest cosine with a sentence."""
    from predictor.encoding.embedding import embed

    known = [SIZED_VOCABULARY[name] for name in (*CELL_OPERATORS, "sep_conv_5x5", "dil_conv_5x5")]
    asked = Operator("asked", "other", sentence, sentence, sentence)
    vectors = embed([asked, *known], "short")
    order = np.argsort(-(vectors[1:] @ vectors[0]), kind="stable")[:3]
    return tuple(known[place].name for place in order)


def _put(graph: ArchitectureGraph, old: str, new: str) -> ArchitectureGraph:
    cells = tuple(
        replace(cell, operators=tuple(new if name == old else name for name in cell.operators)) for cell in graph.cells
    )
    return replace(graph, cells=cells, vocabulary=_vocabulary())


def outside(unknown: float, known: Sequence[float]) -> float:
    """How far a score lies outside the range of three others; infinite where it is none."""
    if not np.isfinite([unknown, *known]).all():
        return np.inf
    return float(max(0.0, min(known) - unknown, unknown - max(known)))
