"""NDS's training logs of the families NASNet, AmoebaNet, PNAS and ENAS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from catalog.architecture.members import Members
from catalog.errors import IngestError
from catalog.spaces import nds
from catalog.spaces.genotype import Genotype
from ingest.formats.genotype_entries import Listed
from ingest.formats.genotypes import Genotypes
from ingest.formats.missing_facts import MissingFacts
from ingest.reading.batch import Batch
from ingest.reading.sources import JSON_SIZE_LIMIT

_FAMILY = re.compile(rf"(darts|{'|'.join(nds.FAMILIES)})(?![a-z])", re.IGNORECASE)


def family_in(name: str) -> str | None:
    """The family that the name of a file begins with, such as ``NASNet_in.json``; None where it has none."""
    found = _FAMILY.match(name)
    return None if found is None else found[1].lower()


def has_five_nodes(found: Any) -> bool:
    """Whether the first log of a document is of a cell with as many nodes as the families here have."""
    if isinstance(found, dict):
        found = [*_listed(found.get("top")), *_listed(found.get("mid"))]
    first = found[0] if isinstance(found, list) and found else None
    for field in ("net", "genotype", "normal"):
        first = first.get(field) if isinstance(first, dict) else None
    return isinstance(first, list) and len(first) == 2 * nds.NODES


def _listed(found: Any) -> Sequence[Any]:
    return found if isinstance(found, list) else ()


class NDSCells(Genotypes):
    """Reads one file of a family: the trainings as `ingest.formats.genotypes.Genotypes` reads those of DARTS's cells.

    A family is a space of its own, which its files make: ``nds_nasnet``, ``nds_amoeba``, ``nds_pnas``, ``nds_enas``.
    The native id of an architecture is its genotype.

    Parameters
    ----------
    family
        A key of `catalog.spaces.nds.FAMILIES`.
    """

    def __init__(self, family: str, *, size_limit: int = JSON_SIZE_LIMIT, source: str | None = None) -> None:
        super().__init__(size_limit=size_limit, source=source)
        self.family = family
        self.own_space = nds.space_of(family)
        self.space = self.own_space.name
        self._missing = MissingFacts(self.own_space.vocabulary)

    def parse(self, identifier: object) -> Genotype:
        return nds.parse(identifier, self.family)

    def members(self, found: Sequence[Genotype]) -> Members:
        graphs = [nds.graph_of(one, self.own_space) for one in found]
        for graph in graphs:
            self._missing.look_at(graph)
        return Members([str(one) for one in found], graphs=graphs)

    def _listed(self, path: Path, notes: list[str]) -> Iterator[Listed]:
        if ".json" not in path.suffixes:
            raise IngestError(f"{path.name}: the logs of NDS are JSON, and this name has no .json; nothing was stored.")
        return super()._listed(path, notes)

    def read(self, path: Path) -> Iterator[Batch]:
        last: Batch | None = None
        for batch in super().read(path):
            if last is not None:
                yield last
            last = batch
        if last is not None:  # by now all operators were seen
            yield replace(last, notes=(*last.notes, *self._missing.notes()))
