"""The user's own space: one architecture a line, as JSON with graphs, metrics and proxies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog.architecture.computation.sized import (
    NetworkFacts,
    SizedNetworks,
    check_applications,
    sized_networks,
)
from catalog.architecture.graph import ArchitectureGraph, CellGraph, check_copies, halves_resolution
from catalog.architecture.members import Members
from catalog.architecture.operators import Operator, Vocabulary
from catalog.architecture.sizes import NetworkInput, classes_of
from catalog.errors import GraphError, IngestError
from catalog.spaces.own import OwnSpace
from catalog.tables.name_gate import fault_of_name
from catalog.tables.official_sources import is_reserved
from ingest.formats.graph_numbers import Numbers, Record, fault, listed
from ingest.formats.missing_facts import MissingFacts
from ingest.formats.operator_file import ALLOWED, template
from ingest.formats.sized_nodes import numbered_as_given, operator_names, parsed_nodes
from ingest.reading.batch import Batch, SourceFacts
from ingest.reading.directions import Directions
from ingest.reading.known_tables import own_source
from ingest.reading.percents import Percents
from ingest.reading.pickled_values import described
from ingest.reading.shown import shown_names
from ingest.reading.sources import DEFAULT_SIZE_LIMIT, UnusableJSONError, lines, open_stream, parse_json

_GRAPHS_A_BATCH = 10_000
_LONGEST_LINE = 2**24
_MOST_NODES = 512
_MOST_CELLS = 64
_MOST_COPIES = 1000
_MOST_NAMES = 1000
_MOST_NUMBERS = {"metrics": 100_000, "proxies": 1_000}
"""Of one architecture: metrics may be the points of training curves, proxies are columns each."""

_MOST_REPEATS = 10_000

_FIELDS = ("id", "cells", "ops", "edges", "input", "head", "metrics", "proxies")
_CELL_FIELDS = ("name", "ops", "edges", "reduction", "repeats")


class GraphsJSONL:
    """Reads one file into one space.

    A line is an object with ``id``; ``cells``, a list of objects with ``name``, ``ops`` and ``edges``; ``metrics`` and
    ``proxies``. A cell halves the resolution if its name begins with ``reduce``; ``reduction`` may say so again.
    ``ops`` and ``edges`` at the top level stand for a single cell named ``cell``.
    ``ops`` are operator names, or objects with ``op`` and what is known of the node's size
    (`catalog.architecture.sizes.Size`); ``edges`` are pairs of node numbers, optionally with a third number, the
    multiplicity; nodes may stand in any order. A cell may have ``repeats``. With ``input``, and ``head`` where there is
    a classifier, the cells are a whole network, each fed by the one before it. A metric has ``name``
    and ``value`` and optionally ``dataset``, ``split``, ``epochs``, ``stage``, ``device``, ``seed``, ``repeat`` and
    ``kind`` (trained by default); a proxy is a number, or null where it failed, or an object with that ``value`` and
    its ``direction``. Cells have at most 512 nodes.

    Whether ``higher`` or ``lower`` values are better is the ``direction`` of a metric or proxy; one line of the file is
    enough to say it, and names that the catalog knows need none.

    Parameters
    ----------
    space
        Name of the user's space.
    operators
        Operators besides the built-in ones, as `ingest.formats.operator_file.read_operators` reads them.
    directions
        Directions of metrics and proxies by name, where the user says them.
    """

    def __init__(
        self,
        space: str,
        operators: Sequence[Operator] = (),
        *,
        directions: Mapping[str, int] | None = None,
        size_limit: int = DEFAULT_SIZE_LIMIT,
    ) -> None:
        self.space = space
        self.own_space = OwnSpace(space, operators)
        self.directions = Directions(directions or {})
        self.size_limit = size_limit

    def facts(self, path: Path) -> SourceFacts:
        stem = path.name.split(".")[0]
        usable = stem and not is_reserved(stem) and fault_of_name(stem) is None
        return SourceFacts(name=stem if usable else own_source(path), kind="graphs-jsonl")

    def read(self, path: Path) -> Iterator[Batch]:
        first_line: dict[str, int] = {}
        percents = Percents(path.name)
        sized = sized_networks(self.own_space.vocabulary)
        missing = MissingFacts(self.own_space.vocabulary)
        rows = _BatchRows(self.own_space, self.directions, percents, sized, missing)
        with open_stream(path, self.size_limit) as stream:
            parsed = _records(path.name, lines(stream, _LONGEST_LINE))
            for where, number, record in parsed:
                if len(rows) == _GRAPHS_A_BATCH:
                    yield rows.batch()
                    rows = _BatchRows(self.own_space, self.directions, percents, sized, missing)
                unknown = _unknown_operators(record, self.own_space.vocabulary)
                if unknown:
                    raise _missing_descriptions(where, unknown, parsed, self.own_space.vocabulary)
                native_id = rows.add(where, record)
                if native_id in first_line:
                    raise IngestError(
                        f"{where}: the id {native_id!r:.120} stands in line {first_line[native_id]} already; each may "
                        "occur once. Nothing was stored."
                    )
                first_line[native_id] = number
        percents.refuse_fractions()
        if len(rows):
            yield rows.batch((*percents.notes(), *missing.notes()))


def _records(name: str, numbered: Iterator[tuple[int, bytes]]) -> Iterator[tuple[str, int, Record]]:
    """(place for messages, line number, object) of each line that is not blank."""
    for number, line in numbered:
        if not line.strip():
            continue
        where = f"{name} line {number}"
        try:
            record = parse_json(line)
        except UnicodeDecodeError as error:
            raise fault(where, f"byte {error.start} is no UTF-8 text") from None
        except json.JSONDecodeError as error:
            raise fault(where, f"no JSON: {error.msg} at column {error.colno}") from None
        except UnusableJSONError as error:
            raise fault(where, str(error)) from None
        except (RecursionError, ValueError) as error:  # ValueError: a number of thousands of digits
            raise fault(where, f"no usable JSON: {error}") from None
        if not isinstance(record, dict):
            raise fault(where, f"it is {described(record)}; an object with the fields {', '.join(_FIELDS)} is needed")
        yield where, number, record


def _unknown_operators(record: Record, vocabulary: Vocabulary) -> list[str]:
    """Operator names of a record that nobody described, as far as the record is well formed."""
    cells = record.get("cells")
    parts = [record, *(cells if isinstance(cells, list) else [])]
    nodes = [part.get("ops") for part in parts if isinstance(part, dict)]
    return [name for listed in nodes for name in operator_names(listed) if name not in vocabulary]


def _missing_descriptions(
    where: str, found: Sequence[str], rest: Iterator[tuple[str, int, Record]], vocabulary: Vocabulary
) -> IngestError:
    """The error that lists every operator of the file that lacks a description, with a template to fill in."""
    names = dict.fromkeys(found)
    for _, _, record in rest:
        names.update(dict.fromkeys(_unknown_operators(record, vocabulary)))
        if len(names) > _MOST_NAMES:
            break
    listed = list(names)[:_MOST_NAMES]
    return IngestError(
        f"{where}: unknown operators, in this line and after it: {shown_names(listed)}. Nothing was stored. Fill in "
        f"their facts in a file and give it with --operators; {ALLOWED}:\n{template(listed)}"
    )


class _BatchRows:
    """The records of one batch under construction."""

    def __init__(
        self,
        space: OwnSpace,
        directions: Directions,
        percents: Percents,
        sized: SizedNetworks,
        missing: MissingFacts,
    ) -> None:
        self._space = space
        self._missing = missing
        self._numbers = Numbers(directions, percents)
        self._native_ids: list[str] = []
        self._graphs: list[ArchitectureGraph] = []
        self._sized = sized
        self._networks: list[NetworkFacts | None] = []

    def __len__(self) -> int:
        return len(self._graphs)

    def batch(self, notes: tuple[str, ...] = ()) -> Batch:
        """What was collected."""
        members = Members(self._native_ids, graphs=self._graphs, networks=self._networks)
        metrics, scores = self._numbers.tables()
        return Batch(members, len(self._graphs), metrics, scores, notes=notes)

    def add(self, where: str, record: Record) -> str:
        """Check one record and take it in; returns its id."""
        unknown = [name for name in record if name not in _FIELDS]
        if unknown:
            raise fault(where, f"unknown field {described(unknown[0])}; known are {', '.join(_FIELDS)}")
        native_id = record.get("id")
        if not isinstance(native_id, str) or not native_id or len(native_id) > 1000:
            raise fault(where, f"id is {described(native_id)}; a text of 1 to 1000 characters is needed")
        cells = _cells(f"{where}, id {described(native_id)}", record, self._space.vocabulary)
        try:
            check_applications(cells)
            check_copies(cells, self._space.vocabulary)
            graph = ArchitectureGraph(self._space.name, cells, self._space.vocabulary, *_ends(record))
            network = None if graph.input is None else self._sized.facts(graph)
        except GraphError as error:
            told = numbered_as_given(error, record, self._space.vocabulary)
            raise fault(where, f"the graph of {described(native_id)} cannot be kept: {told} Leave it out") from None
        for field, most in _MOST_NUMBERS.items():
            given = record.get(field)
            if isinstance(given, list | dict) and len(given) > most:
                raise fault(where, f"{described(native_id)} has {len(given):,} {field}; {most:,} is the most")
        self._numbers.add(where, len(self._graphs), record)
        self._native_ids.append(native_id)
        self._graphs.append(graph)
        self._networks.append(network)
        self._missing.look_at(graph)
        return native_id


def _ends(record: Record) -> tuple[NetworkInput | None, int | None]:
    """What a whole network takes, and how many classes it tells apart."""
    taken = None if record.get("input") is None else NetworkInput.of(record["input"])
    if record.get("head") is None:
        return taken, None
    if taken is None:
        raise GraphError("it has a head and no input; a whole network needs both, the cells of a space neither.")
    return taken, classes_of(record["head"])


def _cells(where: str, record: Record, vocabulary: Vocabulary) -> tuple[CellGraph, ...]:
    if "cells" not in record:
        single = {"name": "cell", "ops": record.get("ops"), "edges": record.get("edges")}
        return (_cell(where, single, vocabulary),)
    if "ops" in record or "edges" in record:
        raise fault(where, "it has cells, and ops or edges beside them; give one or the other")
    cells = listed(where, record, "cells")
    if not 1 <= len(cells) <= _MOST_CELLS:
        raise fault(where, f"it has {len(cells)} cells; 1 to {_MOST_CELLS} are possible")
    built = tuple(_cell(where, cell, vocabulary) for cell in cells)
    if len({cell.name for cell in built}) != len(built):
        raise fault(where, "two of its cells have the same name")
    return built


def _cell(where: str, cell: Any, vocabulary: Vocabulary) -> CellGraph:
    if not isinstance(cell, dict) or not set(cell) <= set(_CELL_FIELDS):
        raise fault(where, f"a cell is {described(cell)}; an object with {', '.join(_CELL_FIELDS)} is needed")
    name = cell.get("name", "cell")
    if not isinstance(name, str) or not 1 <= len(name) <= 200:
        raise fault(where, f"a cell has the name {described(name)}; a text of 1 to 200 characters is needed")
    reduction = halves_resolution(name)
    if cell.get("reduction", reduction) is not reduction:
        raise fault(
            where,
            f"cell {described(name)} has reduction {described(cell['reduction'])}; a cell halves the resolution if and "
            "only if its name begins with 'reduce': rename it",
        )
    try:
        operators, sizes = parsed_nodes(cell.get("ops"))
    except GraphError as error:
        raise fault(where, f"ops of cell {described(name)} {str(error).rstrip('.')}") from None
    repeats = cell.get("repeats", 1)
    if type(repeats) is not int or not 1 <= repeats <= _MOST_REPEATS:
        raise fault(
            where, f"cell {described(name)} has repeats {described(repeats)}; 1 to {_MOST_REPEATS} are possible"
        )
    if len(operators) > _MOST_NODES:
        raise fault(where, f"cell {described(name)} has {len(operators)} nodes; {_MOST_NODES} are possible")
    edges = cell.get("edges")
    if not isinstance(edges, list) or not all(map(_is_edge, edges)):
        wrong = next((edge for edge in edges if not _is_edge(edge)), None) if isinstance(edges, list) else edges
        raise fault(
            where,
            f"edges of cell {described(name)} has {described(wrong)}; pairs of node numbers, or triples with a "
            "multiplicity of 1 to 1000, are needed",
        )
    try:
        built = CellGraph.build(
            name, operators, edges, reduction=reduction, vocabulary=vocabulary, sizes=sizes, repeats=repeats
        )
    except GraphError as error:
        raise fault(where, str(error).rstrip(".")) from None
    if any(copies > _MOST_COPIES for _, _, copies in built.edges):
        raise fault(where, f"cell {described(name)} has more than {_MOST_COPIES} parallel edges between two nodes")
    return built


def _is_edge(edge: Any) -> bool:
    if type(edge) is not list or not 2 <= len(edge) <= 3:
        return False
    if type(edge[0]) is not int or type(edge[1]) is not int:
        return False
    return len(edge) == 2 or (type(edge[2]) is int and 1 <= edge[2] <= _MOST_COPIES)
