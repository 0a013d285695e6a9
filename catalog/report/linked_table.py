"""Tables whose cells lead somewhere: to the page of the architecture that they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from markupsafe import Markup

from catalog.report.table import Column, Row, Table


@dataclass(frozen=True, eq=False)
class LinkedTable:
    """A table of a page with addresses behind the cells of some columns.

    Parameters
    ----------
    table
        What is shown.
    addresses
        Column name to one address a row; None where a cell leads nowhere.
    """

    table: Table
    addresses: Mapping[str, Sequence[str | None]] = field(default_factory=dict)

    @property
    def identifier(self) -> str:
        """Of the table on its page."""
        return self.table.identifier

    @property
    def title(self) -> str:
        """The caption."""
        return self.table.title

    @property
    def note(self) -> str:
        """A sentence after the title."""
        return self.table.note

    @property
    def columns(self) -> tuple[Column, ...]:
        """The shown columns."""
        return self.table.columns

    @property
    def rows(self) -> list[Row]:
        """What is shown, with the links."""
        places = [(place, self.addresses[c.name]) for place, c in enumerate(self.columns) if c.name in self.addresses]
        return [
            _linked(row, [(place, column[number]) for place, column in places])
            for number, row in enumerate(self.table.rows)
        ]


def _linked(row: Row, links: Sequence[tuple[int, str | None]]) -> Row:
    cells = list(row.cells)
    for place, address in links:
        if address is not None:
            text = Markup('<a href="{}">{}</a>').format(address, cells[place].text)
            cells[place] = replace(cells[place], text=text)
    return replace(row, cells=tuple(cells))
