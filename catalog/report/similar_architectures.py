"""Stored architectures that are near one architecture: by edits of its graph, and by a predictor's view of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from catalog.errors import UsageError
from catalog.tables.stored_graphs import read_cells
from catalog.tables.stored_spaces import space_of

if TYPE_CHECKING:
    from catalog.architecture.graph import ArchitectureGraph
    from catalog.spaces.base import SearchSpace
    from catalog.storage.store import Store
    from predictor.scoring.architecture_vectors import Embedding

_MOST_PAIRS = 2_000  # architectures two edits away; in a larger neighbourhood hardly any is stored
_TWINS = 460  # at the most of one function and with one vector, as in NAS-Bench-201
_MOST_COMPARED = 100_000  # stored architectures that are compared place by place


@dataclass(frozen=True)
class Neighbour:
    """A stored architecture and how far it is."""

    architecture_id: int
    native_id: str
    native_index: int | None
    distance: float


@dataclass(frozen=True)
class Neighbourhood:
    """The nearest architectures, nearest first, and how the distance was measured.

    Parameters
    ----------
    measure
        The distance, in a sentence.
    members
        The neighbours; none where nothing near is stored.
    """

    measure: str
    members: tuple[Neighbour, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the distances count something."""
        return all(member.distance == int(member.distance) for member in self.members)


def nearest_by_edits(
    catalog: Store, space: str, graph: ArchitectureGraph, architecture_id: int, most: int = 10
) -> Neighbourhood:
    """The stored architectures that are the fewest edits away.

    Where the space defines what one edit is, all architectures one edit away are generated, those two edits away if
    too few of them are stored, and looked up. Otherwise, or where none of them is stored, the native graphs of equal
    size are compared place by place, which bounds the number of edits from above.

    Parameters
    ----------
    graph
        The architecture in native form.
    architecture_id
        Its ``architecture.id``, which is left out.
    most
        How many neighbours to give.
    """
    defined = space_of(catalog, space)
    try:
        generated = _generated(defined, graph, catalog, most)
    except UsageError:  # the space is a list of architectures without a rule that varies them
        generated = {}
    found = [
        Neighbour(row["id"], row["native_id"], row["native_index"], float(generated[row["native_id"]]))
        for row in _stored(catalog, space, generated)
        if row["id"] != architecture_id
    ]
    if not found:
        return _nearest_by_place(catalog, space, architecture_id, most)
    found.sort(key=lambda neighbour: (neighbour.distance, neighbour.architecture_id))
    reach = int(max(generated.values()))
    near = sum(neighbour.distance == 1 for neighbour in found)
    sentence = f"edits as the space defines them: {near:,} stored architectures are one edit away"
    if reach > 1:
        sentence += f", {len(found) - near:,} two edits"
    return Neighbourhood(sentence, tuple(found[:most]))


def _generated(defined: SearchSpace, graph: ArchitectureGraph, catalog: Store, most: int) -> Mapping[str, int]:
    """Native ids of what one edit makes, and two where one is not enough, with the number of edits."""
    once = defined.neighbours(graph)
    distances = {defined.native_id(neighbour): 1 for neighbour in once}
    if len(_stored(catalog, defined.name, distances)) >= most or len(once) ** 2 > _MOST_PAIRS:
        return distances
    for neighbour in once:
        for further in defined.neighbours(neighbour):
            distances.setdefault(defined.native_id(further), 2)
    return distances


def _stored(catalog: Store, space: str, native_ids: Iterable[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = catalog.arrow(
        "SELECT id, native_id, native_index FROM architecture SEMI JOIN wanted USING (native_id) WHERE space = ?",
        [space],
        tables={"wanted": pa.table({"native_id": pa.array(list(native_ids), pa.string())})},
    ).to_pylist()
    return rows


def _nearest_by_place(catalog: Store, space: str, architecture_id: int, most: int) -> Neighbourhood:
    count = int(catalog.arrow("SELECT count(*) FROM architecture WHERE space = ?", [space]).column(0)[0].as_py())
    if count > _MOST_COMPARED:
        return Neighbourhood("none of the architectures one edit away is stored, and the others are too many", ())
    ids, placed = read_cells(catalog, space, "native")
    own = int(np.searchsorted(ids, architecture_id))
    distances = np.zeros(len(ids))
    compared = np.zeros(len(ids), dtype=np.int64)
    cells = 0
    for part in placed:
        for row in np.flatnonzero(part.rows == own):
            cells += 1
            distances[part.rows] += differences(part.cells, int(row))
            compared[part.rows] += 1
    usable = np.flatnonzero((compared == cells) & (np.arange(len(ids)) != own))
    nearest = usable[np.lexsort((usable, distances[usable]))][:most]
    return Neighbourhood(
        "differing operators and edges, place by place, among the stored native graphs of equal size: "
        "so many edits at the most",
        tuple(_members(catalog, ids[nearest], distances[nearest])),
    )


def differences(cells: CellArrays, row: int) -> NDArray[np.int64]:
    """(B,) how many operators, by their sizes too, and edges of each cell differ from those of cell `row`, by place."""
    _, labels = cells.labels()
    operators = (labels != labels[row]).sum(axis=1)
    edges = (cells.adjacency != cells.adjacency[row]).sum(axis=(1, 2))
    return np.asarray(operators + edges, dtype=np.int64)


def nearest_by_embedding(catalog: Store, embedding: Embedding, architecture_id: int, most: int = 10) -> Neighbourhood:
    """The stored architectures whose vectors point most nearly where this one's does.

    The distance is one minus the cosine between vectors from the mean of the space. Architectures that compute the
    same function have one vector; one of them stands for all, and those of the architecture itself are left out.
    """
    ids, vectors = embedding
    centred = vectors - vectors.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1)
    own = int(np.searchsorted(ids, architecture_id))
    with np.errstate(divide="ignore", invalid="ignore"):
        distances = 1.0 - centred @ centred[own] / (lengths * lengths[own])
    distances = np.where(np.isfinite(distances), np.maximum(distances, 0.0), np.inf)
    candidates = np.lexsort((ids, distances))[: _TWINS * most]
    functions = _functions(catalog, [architecture_id, *ids[candidates]])
    first: dict[str, int] = {functions[architecture_id]: -1}  # digest to the row of its nearest architecture
    for row in candidates[np.isfinite(distances[candidates])].tolist():
        first.setdefault(functions[int(ids[row])], row)
    rows = [row for row in first.values() if row >= 0][:most]
    return Neighbourhood(
        "one minus the cosine of the vectors that TG-NAS's first network makes of the graphs, from the space's mean; "
        "one architecture stands for all that compute the same function",
        tuple(_members(catalog, ids[rows], distances[rows])),
    )


def _functions(catalog: Store, ids: Sequence[int]) -> dict[int, str]:
    """The canonical digest of architectures."""
    rows = catalog.arrow(
        "SELECT id, canonical_digest FROM architecture SEMI JOIN wanted USING (id)",
        tables={"wanted": pa.table({"id": pa.array([int(number) for number in ids], pa.int64())})},
    )
    return dict(zip(rows["id"].to_pylist(), rows["canonical_digest"].to_pylist(), strict=True))


def _members(catalog: Store, ids: NDArray[np.int64], distances: NDArray[np.floating[Any]]) -> Iterator[Neighbour]:
    rows = catalog.arrow(
        "SELECT id, native_id, native_index FROM architecture SEMI JOIN wanted USING (id)",
        tables={"wanted": pa.table({"id": pa.array(ids, pa.int64())})},
    ).to_pylist()
    names = {row["id"]: (row["native_id"], row["native_index"]) for row in rows}
    for number, distance in zip(ids.tolist(), distances.tolist(), strict=True):
        yield Neighbour(number, *names[number], distance)
