"""Architectures side by side: one row a column of the wide view, one column an architecture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from catalog.architecture.drawing import draw_svg
from catalog.asking.frame_result import FrameResult
from catalog.asking.html_parts import html_table
from catalog.asking.lookup import lookup
from catalog.asking.text_table import as_text, text_cell
from catalog.errors import UsageError
from catalog.storage.answer import Answer
from catalog.tables.stored_graphs import read_graphs

if TYPE_CHECKING:
    import polars

    from catalog.architecture.graph import ArchitectureGraph
    from catalog.storage.store import Store


@dataclass(frozen=True, repr=False)
class SideBySide(FrameResult):
    """The wide rows of some architectures, turned; columns that all of them lack are left out.

    In a notebook their graphs are drawn next to each other above the rows.

    Parameters
    ----------
    labels
        What the architectures were called in the question.
    names
        The columns of the wide view.
    values
        (names, labels) the stored values.
    graphs
        The native graph of each.
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    values: tuple[tuple[object, ...], ...]
    graphs: tuple[ArchitectureGraph, ...]

    def answer(self, *, rounded: bool = False) -> Answer:
        """The rows as texts: every value as it is stored, or rounded for the eye."""
        written = text_cell if rounded else _exact
        rows = [(name, *map(written, values)) for name, values in zip(self.names, self.values, strict=True)]
        return Answer(("column", *self.labels), (False,) * (1 + len(self.labels)), rows)

    @property
    def frame(self) -> polars.DataFrame:
        """One row a column of the wide view, one column an architecture; every value as it is stored, as text."""
        import polars

        answer = self.answer()
        return polars.DataFrame(answer.rows, schema=dict.fromkeys(answer.columns, polars.String), orient="row")

    def __repr__(self) -> str:
        return as_text(self.answer(rounded=True))

    def _repr_html_(self) -> str:
        drawings = "\n".join(
            f'<figure style="margin: 0"><figcaption>{escape(label)}</figcaption>\n{draw_svg(graph)}</figure>'
            for label, graph in zip(self.labels, self.graphs, strict=True)
        )
        row = f'<div style="display: flex; flex-wrap: wrap; gap: 2em">\n{drawings}\n</div>'
        return f"{row}\n{html_table(self.answer(rounded=True))}"


def side_by_side(store: Store, space: str, ids: Sequence[object]) -> SideBySide:
    """Architectures of one space, given by any native ids, beside each other.

    Raises
    ------
    UsageError
        There are fewer than two, or one is named twice.
    IdentifierError, UnknownSpaceError
        As `catalog.asking.lookup.lookup`.
    """
    labels = tuple(map(str, ids))
    if repeated := sorted({name for name in labels if labels.count(name) > 1}):
        raise UsageError(f"compare names {', '.join(repeated)} more than once; name each architecture once.")
    if len(labels) < 2:
        raise UsageError("compare needs two architectures or more; for one use `catalog show`.")
    rows = lookup(store, ids, space=space).to_dicts()
    names = tuple(name for name in rows[0] if any(row[name] is not None for row in rows))
    values = tuple(tuple(row[name] for row in rows) for name in names)
    graphs = read_graphs(store, space, [row["architecture_id"] for row in rows], "native")
    return SideBySide(labels, names, values, tuple(graphs))


def _exact(value: object) -> str | None:
    return None if value is None else str(value)
