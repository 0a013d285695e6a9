"""A catalog file as a session holds it: opened when it is needed, for one verb at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, Unpack, overload

from catalog.errors import UsageError
from catalog.progress import Listener

if TYPE_CHECKING:
    import polars

    from catalog.storage.query_limits import QueryLimits
    from catalog.storage.question import Question
    from catalog.storage.store import Store

Mode = Literal["read", "write"]


@overload
def several(names: str | Sequence[str]) -> list[str]: ...


@overload
def several(names: None) -> None: ...


def several(names: str | Sequence[str] | None) -> list[str] | None:
    """One name or several, as a list; None stays None."""
    if names is None:
        return None
    return [names] if isinstance(names, str) else list(names)


class Handle:
    """The file of a session. Nothing is opened before it is needed.

    Any number of threads may use one handle: their verbs run one after the other.

    Parameters
    ----------
    path
        The catalog file.
    mode
        ``"read"``, beside other readers, or ``"write"``, alone.
    wait
        Seconds to keep trying while another process holds the file.
    listener
        Hears what long verbs tell; by default nobody.
    """

    def __init__(
        self, path: str | Path, mode: Mode = "read", *, wait: float | None = None, listener: Listener | None = None
    ) -> None:
        if mode not in ("read", "write"):
            raise UsageError(f"unknown mode {mode!r}; a catalog is opened for 'read' or for 'write'.")
        self.path = Path(path)
        self.mode: Mode = mode
        self._wait = wait
        self._listener = listener or Listener()
        self._held: Store | None = None
        self._is_closed = False
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close the file; what was stored is in it. The handle cannot be used any more."""
        with self._lock:
            self._let_go()
            self._is_closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _reading(self) -> Iterator[Store]:
        """The open store, for one verb."""
        with self._lock:
            yield self._opened(create=False)

    @contextmanager
    def _writing(self, *, create: bool = False) -> Iterator[Store]:
        """The store open for writing, for one verb; with `create` a missing file is made."""
        if self.mode != "write":
            raise UsageError(
                f"{self.path} is open for reading, and this stores something; "
                f'open it with catalog.open({str(self.path)!r}, mode="write").'
            )
        with self._lock:
            yield self._opened(create=create)

    @contextmanager
    def _let_others_read(self) -> Iterator[Path]:
        """The file's path while this handle lets go of it; it is opened again by the next verb that needs it."""
        with self._lock:
            self._require_open()
            self._let_go()
            yield self.path

    def _opened(self, *, create: bool) -> Store:
        from catalog.storage.store import Store

        self._require_open()
        if self._held is None:
            self._held = Store.open(self.path, mode=self.mode, create=create, wait=self._wait)
        return self._held

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    @property
    def _file_to_read(self) -> Path | None:
        """The file, if other processes can read it while this handle is open."""
        return self.path if self.mode == "read" else None

    def _require_open(self) -> None:
        if self._is_closed:
            raise UsageError(f"{self!r} is closed; open it again with catalog.open({str(self.path)!r}).")

    def _keep_vectors(self) -> None:
        """Store the sentence embeddings that had to be made, where the catalog is open for writing."""
        if self.mode == "write":
            from predictor.encoding.stored_embeddings import remember_made

            with self._writing() as store:
                remember_made(store)

    def _frame(self, question: Question) -> polars.DataFrame:
        """The rows of a question in the form in which this handle gives rows."""
        return question.frame()

    def _limited(self, sql: str, *, is_judged: bool = False, **limits: Unpack[QueryLimits]) -> polars.DataFrame:
        """The rows of a statement that a user wrote, in the form in which this handle gives rows."""
        from catalog.storage.frames import as_frame
        from catalog.storage.user_query import arrow_rows

        limits["wait"] = self._wait
        with self._let_others_read() as path:
            return as_frame(arrow_rows(path, sql, is_judged=is_judged, **limits))

    def __repr__(self) -> str:
        return f"Catalog({str(self.path)!r}, mode={self.mode!r})"
