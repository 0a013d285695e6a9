"""The session of a command: it shows what jobs tell, and gives rows as plain values."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Unpack

from catalog.cli.options import OutputFormat
from catalog.cli.output import chosen_format
from catalog.cli.progress import Terminal
from catalog.errors import StoreError
from catalog.session.catalog import Catalog
from catalog.session.handle import Mode

if TYPE_CHECKING:
    from catalog.storage.query_limits import QueryLimits
    from catalog.storage.question import Question


class CommandCatalog(Catalog):
    """A `Catalog` whose small answers cost no import of an array library, which would take longer than the question.

    Rows are a `catalog.storage.answer.Answer`, or an Arrow table where the output is parquet.
    """

    as_table = False

    def _limited(self, sql: str, *, is_judged: bool = False, **limits: Unpack[QueryLimits]) -> Any:
        from catalog.storage.user_query import arrow_rows, plain_rows

        read: Any = arrow_rows if self.as_table else plain_rows
        limits["wait"] = self._wait
        with self._let_others_read() as path:
            return read(path, sql, is_judged=is_judged, **limits)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, traceback)
        if isinstance(error, Exception):
            from catalog.cli.damage import require_intact

            require_intact(self.path, error)

    def _keep_vectors(self) -> None:
        """Store them from a reading command too, where nobody else uses the file: the next command has them at once."""
        from catalog.storage.store import Store
        from predictor.encoding.embedding import has_made
        from predictor.encoding.stored_embeddings import remember_made

        if has_made():
            with self._let_others_read() as path, suppress(StoreError), Store.open(path, mode="write") as store:
                remember_made(store)

    def _frame(self, question: Question) -> Any:
        return question.arrow() if self.as_table else question.answer()


def opened(
    db: Path, wait: float | None = None, *, mode: Mode = "read", output_format: OutputFormat | None = None
) -> CommandCatalog:
    """The catalog that a command works on."""
    session = CommandCatalog(db, mode, wait=wait, listener=Terminal())
    session.as_table = chosen_format(output_format) is OutputFormat.PARQUET
    return session
