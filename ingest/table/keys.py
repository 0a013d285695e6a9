"""Which architectures the cells of a table name: native ids in any notation, indices, hashes, digests, aliases."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from catalog.architecture.graph import ArchitectureGraph
from catalog.errors import CatalogError, GraphError, IdentifierError, IngestError
from catalog.spaces.base import SearchSpace
from catalog.spaces.own import OwnSpace
from catalog.tables.aliases import aliases_of
from catalog.tables.registration import known_ids
from ingest.reading.pickled_values import described

if TYPE_CHECKING:
    from catalog.storage.store import Store

_LARGEST = 2**63 - 1
_DIGEST = 32  # hexadecimal digits
_SHOWN = 5


@dataclass(frozen=True)
class Named:
    """The architecture that a cell names.

    Parameters
    ----------
    native_id
        None where the cell names none that is known.
    is_held
        Whether the catalog holds it.
    graph
        Of one that it does not hold.
    fault
        Why there is none, or between which ones the cell does not decide.
    is_ambiguous
        Whether the cell fits several.
    """

    native_id: str | None = None
    is_held: bool = False
    graph: ArchitectureGraph | None = None
    fault: str = ""
    is_ambiguous: bool = False


class Keys:
    """Finds the architectures of one space.

    Parameters
    ----------
    store
        The catalog; None for one that is not there yet.
    space
        Whose architectures.
    """

    def __init__(self, store: Store | None, space: SearchSpace) -> None:
        self._store = store
        self._space = space
        self._aliases: Mapping[str, Sequence[str]] = {} if store is None else aliases_of(store, space.name)
        self._found: dict[Any, Named] = {}

    def named(self, cells: Sequence[Any]) -> list[Named]:
        """The architecture of each cell; equal cells are looked up once."""
        keys = [_hashable(cell) for cell in cells]
        new = {key: cell for key, cell in zip(keys, cells, strict=True) if key not in self._found}
        self._look_up(list(new), list(new.values()))
        return [self._found[key] for key in keys]

    def _look_up(self, keys: Sequence[Any], cells: Sequence[Any]) -> None:
        candidates: list[dict[str, Any]] = []  # native id to the cell, or to nothing where the catalog has it
        faults: list[str] = []
        located = [self._located(cell) for cell in cells]
        by_index = self._ids("native_index", [found for found, _ in located if isinstance(found, int)])
        by_digest = self._ids("canonical_digest", [cell for cell in cells if _is_digest(cell)])
        for cell, (found, fault) in zip(cells, located, strict=True):
            fits: dict[str, Any] = {}
            if isinstance(found, int):
                fits |= dict.fromkeys(by_index.get(found, ()))
                fault = fault or f"the catalog does not hold the architecture with the index {found}"
            elif found is not None:
                fits[found] = cell
            if isinstance(cell, str):
                fits |= dict.fromkeys(self._aliases.get(cell, ()))
                if not fits or _is_unheld_hash(found, cell):
                    fits |= dict.fromkeys(by_digest.get(cell, ()))
            candidates.append(fits)
            faults.append(fault)
        held = self._held(name for fits in candidates for name in fits)
        for key, fits, fault in zip(keys, candidates, faults, strict=True):
            self._found[key] = self._decided(fits, held, fault)

    def _located(self, cell: Any) -> tuple[str | int | None, str]:
        """What the space makes of a cell, and why it makes nothing of it."""
        if cell is None:
            return None, "nothing stands there"
        if isinstance(cell, float):
            if not cell.is_integer():
                return None, f"{cell!r} names no architecture"
            cell = int(cell)
        if isinstance(cell, bool) or (isinstance(cell, int) and abs(cell) > _LARGEST):
            return None, f"{described(cell)} names no architecture"
        if isinstance(cell, int) and isinstance(self._space, OwnSpace):
            cell = str(cell)  # ids of a space of one's own are texts, also those that are made of digits
        try:
            return self._space.locate(tuple(cell) if isinstance(cell, list) else cell), ""
        except IdentifierError as error:
            return None, str(error)

    def _decided(self, fits: Mapping[str, Any], held: frozenset[str], fault: str) -> Named:
        known = {name: cell for name, cell in fits.items() if name in held}
        if len(known or fits) > 1:
            names = list(known or fits)
            more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
            listed = ", ".join(described(name) for name in names[:_SHOWN])
            return Named(fault=f"it fits {len(names):,} architectures: {listed}{more}", is_ambiguous=True)
        for name in known:
            return Named(name, is_held=True)
        for name, cell in fits.items():
            try:
                return Named(name, graph=self._graph(cell))
            except (IdentifierError, GraphError) as error:
                return Named(fault=f"the catalog does not hold it, and {error}")
        return Named(fault=fault)

    def _graph(self, cell: Any) -> ArchitectureGraph:
        graph = self._space.graph(tuple(cell) if isinstance(cell, list) else cell)
        first_form = getattr(self._space, "first_form", None)  # of isomorphic modules the one that the benchmark has
        return graph if first_form is None else first_form(graph)

    def _held(self, names: Iterable[str]) -> frozenset[str]:
        wanted = list(dict.fromkeys(names))
        if self._store is None:
            return frozenset()
        found = known_ids(self._store, self._space.name, wanted)
        return frozenset(name for name, number in zip(wanted, found.to_pylist(), strict=True) if number is not None)

    def _ids(self, column: str, values: Sequence[Any]) -> dict[Any, list[str]]:
        """The native ids of the stored architectures with some values of a column."""
        if self._store is None or not values:
            return {}
        rows = self._store.arrow(
            f"SELECT {column} AS value, native_id FROM architecture SEMI JOIN wanted ON wanted.value = {column} "
            "WHERE space = ? ORDER BY id",
            [self._space.name],
            tables={"wanted": pa.table({"value": values})},
        )
        found: dict[Any, list[str]] = {}
        for value, name in zip(rows["value"].to_pylist(), rows["native_id"].to_pylist(), strict=True):
            found.setdefault(value, []).append(name)
        return found


def _hashable(cell: Any) -> Any:
    return json.dumps(cell, default=str) if isinstance(cell, list | dict) else (type(cell), cell)


def _is_digest(cell: Any) -> bool:
    return isinstance(cell, str) and len(cell) == _DIGEST and set(cell) <= set("0123456789abcdef")


def _is_unheld_hash(found: str | int | None, cell: str) -> bool:
    return found == cell and _is_digest(cell)


KEY_WORDS = frozenset(
    (
        "id key index idx arch arch_id arch_str arch_index arch_hash architecture cell net network genotype hash "
        "module_hash module model model_id native_id native_index name alias spec modelspec model_spec tuple digest "
        "canonical_digest nb101_hash nb201_index"
    ).split()
)
"""What tables call the column that names their architectures."""

_SAMPLE = 200


def key_column(columns: Mapping[str, Sequence[Any]], space: SearchSpace, keys: Keys, where: str) -> str:
    """The column whose cells name architectures of a space.

    A column of numbers is one only if it is called like one, because every count could be an index. Of several that
    name the same architectures the first is taken.

    Raises
    ------
    IngestError
        There is none, or there are several that name different ones.
    """
    found = [name for name, cells in columns.items() if _names_architectures(name, cells, space, keys)]
    if not found:
        first = {name: described(cells[0]) for name, cells in list(columns.items())[:12]}
        raise IngestError(
            f"{where}: no column names architectures of {space.name}; there are "
            f"{', '.join(f'{name} ({value})' for name, value in first.items())}. Name it with --key COLUMN; a cell may "
            f"have any notation that `catalog lookup {space.name}` takes. Nothing was stored."
        )
    if len(found) > 1 and not _are_equal([columns[name] for name in found], keys):
        told = ", ".join(f"{name} (first: {described(columns[name][0])})" for name in found)
        raise IngestError(
            f"{where}: several columns name architectures of {space.name}, and not the same ones: {told}. Say which it "
            "is: --key COLUMN. Nothing was stored."
        )
    return found[0]


def _names_architectures(name: str, cells: Sequence[Any], space: SearchSpace, keys: Keys) -> bool:
    sample = [cell for cell in cells if cell is not None][:_SAMPLE]
    is_called_so = name.lower() in KEY_WORDS or name == space.native_id_name
    if not sample or not (is_called_so or all(_is_telling(cell) for cell in sample)):
        return False
    try:
        return 2 * sum(found.native_id is not None or found.is_ambiguous for found in keys.named(sample)) >= len(sample)
    except CatalogError:
        return False


def _is_telling(cell: Any) -> bool:
    """Whether a cell could not be a number of anything."""
    if isinstance(cell, str):
        try:
            float(cell)
        except ValueError:
            return True
        return False
    return isinstance(cell, list | dict)


def _are_equal(columns: Sequence[Sequence[Any]], keys: Keys) -> bool:
    named = np.array([[found.native_id or "" for found in keys.named(cells)] for cells in columns], dtype=object)
    return bool((named == named[0]).all())
