"""Which operators of a user's graphs lack a fact that counting or building them takes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.operators import Vocabulary
from catalog.architecture.sizes import Size
from ingest.reading.shown import shown_names


class MissingFacts:
    """Collects the operators of graphs whose fields do not suffice.

    Parameters
    ----------
    vocabulary
        What the graphs' operator names mean.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._open = {operator.name: operator for operator in vocabulary if operator.missing() is not None}
        self._seen: set[tuple[str, Size | None]] = set()
        self._found: dict[tuple[str, str], None] = {}

    def look_at(self, graph: ArchitectureGraph) -> None:
        """Note what is missing in one graph."""
        for cell in graph.cells:
            for name, size in dict.fromkeys(zip(cell.operators, cell.sizes or repeat(None), strict=False)):
                if name in self._open and (name, size) not in self._seen:
                    self._look_at(name, size)

    def notes(self) -> Iterator[str]:
        """A sentence for the summary, if anything was missing."""
        if self._found:
            named = shown_names([f"{name} ({field})" for name, field in self._found])
            yield (
                f"counts or measured proxies cannot be had where these operators occur, because a field is missing: "
                f"{named}. Descriptions are for the encoder alone."
            )

    def _look_at(self, name: str, size: Size | None) -> None:
        self._seen.add((name, size))
        if (field := self._open[name].missing(size)) is not None:
            self._found[name, field] = None
