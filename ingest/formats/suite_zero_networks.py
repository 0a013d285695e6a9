"""The keys of NAS-Bench-Suite-Zero's files: which architecture each names, and how many parameters its network has."""

from __future__ import annotations

import ast
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeVar

import numpy as np

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.graph_tables import PlacedCells, placed_cells
from catalog.architecture.members import Members
from catalog.errors import IdentifierError
from catalog.spaces import genotype, nb201, space_named, transnas_micro
from catalog.spaces.nb101 import NASBench101, parameters_as_drawn
from catalog.spaces.nb201_network import SKELETON
from catalog.spaces.transnas_network import encoder_parameters
from catalog.tables.transnas_facts import TASKS
from ingest.formats.nb101_modules import Modules

Fail = Callable[[int, str], NoReturn]
"""Raises the caller's error for a key, counted from 0, and what is wrong with it."""

Named = TypeVar("Named")

_NB101_OPERATORS = ("input", "output", "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu")  # NASLib's numbers


@dataclass(frozen=True)
class Networks:
    """What the keys of one section name.

    Parameters
    ----------
    members
        The distinct architectures.
    rows
        The place among them of each key's one.
    parameters
        Of the network that each key describes, on the section's data set; None where that network is not known.
    """

    members: Members
    rows: list[int]
    parameters: Sequence[int | None]


class Keys(ABC):
    """Reads the keys of one space."""

    repeats = True
    """Whether two keys of one file may name one architecture, because the order in a key has no meaning."""

    @abstractmethod
    def read(self, keys: Sequence[str], dataset: str, fail: Fail) -> Networks:
        """What the keys name; `fail` is called with the first that names nothing."""


class NB201Keys(Keys):
    """Architecture strings, indices or NASLib's tuples."""

    repeats = False

    def read(self, keys: Sequence[str], dataset: str, fail: Fail) -> Networks:
        cells = _each(keys, lambda key: nb201.format_cell(nb201.parse(key)), fail)
        members, rows = _distinct(cells)
        if dataset not in SKELETON.datasets:
            return Networks(members, rows, [None] * len(keys))
        return Networks(members, rows, nb201.parameters(cells, dataset).astype(np.int64).tolist())


class TransNASKeys(Keys):
    """Ids of TransNAS-Bench-101's micro space, or NASLib's tuples, of networks that end in the task's own decoder."""

    repeats = False

    def read(self, keys: Sequence[str], dataset: str, fail: Fail) -> Networks:
        cells = _each(keys, lambda key: transnas_micro.format_cell(transnas_micro.parse(key)), fail)
        members, rows = _distinct(cells)
        counted = encoder_parameters([space_named("transnas_micro").graph(cell) for cell in cells])
        return Networks(members, rows, [count + TASKS[dataset].head for count in counted])


class DARTSKeys(Keys):
    """Genotypes. The suite's counts belong to a network that it does not describe."""

    def read(self, keys: Sequence[str], dataset: str, fail: Fail) -> Networks:
        members, rows = _distinct(_each(keys, lambda key: str(genotype.parse(key)), fail))
        return Networks(members, rows, [None] * len(keys))


class NB101Keys(Keys):
    """Module hashes, or NASLib's tuple of a flattened matrix and as many operator numbers as it has rows.

    The order of the vertices decides how channels are shared out: each key's network is that of its own matrix, and a
    hash stands for the form that the benchmark trained.
    """

    def __init__(self) -> None:
        self._modules = Modules()
        self._space = NASBench101()

    def read(self, keys: Sequence[str], dataset: str, fail: Fail) -> Networks:
        graphs = _each(keys, self._graph, fail)
        hashes = [
            key if graph is None else self._space.native_id(graph) for key, graph in zip(keys, graphs, strict=True)
        ]
        places = self._modules.places(hashes, fail)
        distinct, order = np.unique(places, return_inverse=True)
        members = self._modules.members(distinct)
        trained = _counted(members.cells or ())
        own = _counted(placed_cells([graph for graph in graphs if graph is not None]))
        given = iter(own)
        rows = order.tolist()
        counts = [trained[row] if graph is None else next(given) for row, graph in zip(rows, graphs, strict=True)]
        return Networks(members, rows, counts)

    def _graph(self, key: str) -> ArchitectureGraph | None:
        """The module as the key draws it; None for a hash."""
        if re.fullmatch(r"[0-9a-f]{32}", key):
            return None
        numbers = _numbers(key)
        if numbers is None:
            return self._space.graph(key)
        size = math.isqrt(len(numbers))  # n * n + n numbers
        matrix = [numbers[start : start + size] for start in range(0, size * size, size)]
        operators = [_NB101_OPERATORS[number] for number in numbers[size * size :] if number < len(_NB101_OPERATORS)]
        return self._space.graph((matrix, operators))


def _counted(parts: Iterable[PlacedCells]) -> list[int]:
    """Parameters of the networks of modules, in the order of their rows."""
    counts: dict[int, int] = {}
    for part in parts:
        counts.update(zip(part.rows.tolist(), parameters_as_drawn(part.cells).tolist(), strict=True))
    return [counts[row] for row in range(len(counts))]


def _each(keys: Sequence[str], read: Callable[[str], Named], fail: Fail) -> list[Named]:
    found = []
    for place, key in enumerate(keys):
        try:
            found.append(read(key))
        except IdentifierError as error:
            fail(place, str(error))
    return found


def _distinct(native_ids: Sequence[str]) -> tuple[Members, list[int]]:
    found: dict[str, int] = {}
    rows = [found.setdefault(native, len(found)) for native in native_ids]
    return Members(list(found)), rows


def _numbers(key: str) -> list[int] | None:
    """The numbers of a flat tuple; None for any other text."""
    if not re.fullmatch(r"[(\[][\d,\s]{3,400}[)\]]", key):
        return None
    try:
        values = ast.literal_eval(key)
    except (ValueError, SyntaxError):
        return None
    size = math.isqrt(len(values))
    if size * size + size != len(values):
        raise IdentifierError(f"a tuple of {len(values)} numbers; a matrix and its operators make n * n + n of them")
    return list(values)


KEYS: Mapping[str, Callable[[], Keys]] = {
    "nb101": NB101Keys,
    "nb201": NB201Keys,
    "darts": DARTSKeys,
    "transnas_micro": TransNASKeys,
}
"""By space."""
