"""What results with rows have in common: a frame, an aligned table when printed, a table in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.asking.html_parts import html_table
from catalog.asking.text_table import as_text

if TYPE_CHECKING:
    import polars


class FrameResult:
    """A result whose rows are the polars frame ``frame``.

    ``result["column"]`` and ``len(result)`` read it, and libraries that take Arrow data take the result as it is:
    ``polars.DataFrame(result)``, ``pyarrow.table(result)``. For all else there is ``result.frame``.
    """

    if TYPE_CHECKING:

        @property
        def frame(self) -> polars.DataFrame:
            """The rows."""
    else:

        def __getattr__(self, name: str) -> object:
            hint = "" if name.startswith("_") else f"; its rows are a polars frame: try .frame.{name}"
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{hint}")

    def __len__(self) -> int:
        return self.frame.height

    def __getitem__(self, column: str) -> polars.Series:
        return self.frame[column]

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.frame.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return as_text(self.frame)

    def _repr_html_(self) -> str:
        return html_table(self.frame)
