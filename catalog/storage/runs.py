"""Runs: every ingest, scoring, training and search leaves a row that says how it was started and how it ended."""

from __future__ import annotations

import datetime
import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Protocol

import duckdb

from catalog.errors import StoreError

RUNNING, DONE, FAILED, INTERRUPTED = "running", "done", "failed", "interrupted"

REMOVED = "removed"
"""Outcome of a run of which nothing is left, because it was taken out again."""


class Writable(Protocol):
    """What a run needs of the file that it is recorded in."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is running."""

    def execute(self, sql: str, parameters: Sequence[object] | None = None) -> int:
        """Run a statement; returns the number of rows that it changed."""

    def next_id(self, table: str) -> int:
        """The first number after all ids of a table."""

    def now(self) -> datetime.datetime:
        """The time to stamp a row with."""


class Run:
    """One running job; its row says ``running`` until it is finished, whatever happens to the process.

    As a context manager it finishes itself: ``done``, ``interrupted`` by Ctrl-C, or ``failed`` with the error's text.
    Its row is written in transactions of its own, so it is there even if the job's own transaction is rolled back.

    Attributes
    ----------
    id
        ``run.id``.
    detail
        What was stored; set it before the end.
    """

    def __init__(self, store: Writable, run_id: int) -> None:
        self.id = run_id
        self.detail: str | None = None
        self._store = store

    @classmethod
    def start(cls, store: Writable, kind: str, parameters: Mapping[str, object]) -> Run:
        """Write the row of a new run; not inside a transaction.

        Parameters
        ----------
        store
            A file open for writing.
        kind
            ``ingest``, ``score``, ``train``, ``search``, ``evaluate`` or ``upgrade``.
        parameters
            The arguments, as values that JSON can hold; others are stored as their text.
        """
        if store.in_transaction:
            raise StoreError(
                "a run was started inside a transaction; start it first, so that its row outlives a failure."
            )
        run_id = store.next_id("run")
        store.execute(
            "INSERT INTO run BY NAME SELECT ?::INTEGER AS id, ? AS kind, ? AS parameters, ? AS versions,"
            " ?::TIMESTAMPTZ AS started_at, ? AS outcome",
            [
                run_id,
                kind,
                json.dumps(dict(parameters), default=str, sort_keys=True),
                json.dumps(package_versions(), sort_keys=True),
                store.now(),
                RUNNING,
            ],
        )
        return cls(store, run_id)

    def finish(self, detail: str | None = None) -> None:
        """The job is done and stored."""
        self._end(DONE, detail if detail is not None else self.detail)

    def fail(self, detail: str) -> None:
        """The job failed; `detail` says why."""
        self._end(FAILED, detail)

    def interrupt(self, detail: str = "stopped by the user") -> None:
        """The user stopped the job."""
        self._end(INTERRUPTED, detail)

    def _end(self, outcome: str, detail: str | None) -> None:
        self._store.execute(
            "UPDATE run SET outcome = ?, detail = ?, ended_at = ?::TIMESTAMPTZ WHERE id = ?",
            [outcome, detail, self._store.now(), self.id],
        )

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()
            return
        try:
            if isinstance(error, KeyboardInterrupt):
                self.interrupt()
            else:
                self.fail(f"{type(error).__name__}: {error}")
        except StoreError as second:  # a full disk fails the job and this row alike: the first error says more
            error.add_note(f"the row of run {self.id} could not be finished either: {second}")

    def __repr__(self) -> str:
        return f"Run({self.id})"


def package_versions() -> dict[str, str]:
    """Versions of what changes the numbers: the catalog, Python and DuckDB."""
    try:
        own = version("nas-catalog")
    except PackageNotFoundError:  # run from a checkout that was never installed
        own = "unknown"
    return {"nas-catalog": own, "python": platform.python_version(), "duckdb": duckdb.__version__}
