"""The class that a Python user holds."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from catalog.progress import Listener
from catalog.session.asking import Asking
from catalog.session.explaining import Explaining
from catalog.session.filling import Filling
from catalog.session.handle import Mode
from catalog.session.judging import Judging
from catalog.session.mending import Mending
from catalog.session.own_tables import OwnTables
from catalog.session.searching import Searching


class Catalog(Asking, Explaining, Judging, Filling, Mending, OwnTables, Searching):
    """A catalog file; every command of the command line is a method with the same name and words.

    >>> import catalog
    >>> with catalog.open("catalog.duckdb") as c:
    ...     c.top("nb201", by="live_params", k=5)

    Any number of processes can read a file, or one can write it. Verbs that store something need ``mode="write"``; all
    others work in both modes. Threads may share a catalog: their verbs run one after the other. What goes wrong is
    raised as one of `catalog.errors`.
    """

    @classmethod
    def open(
        cls, path: str | Path, mode: Mode = "read", *, wait: float | None = None, listener: Listener | None = None
    ) -> Self:
        """Open the catalog file at `path`.

        Parameters
        ----------
        path
            The file. For writing it may be missing: the first verb that fills a catalog makes it.
        mode
            ``"read"``, beside other readers, or ``"write"``, alone.
        wait
            Seconds to keep trying while another process holds the file.
        listener
            Hears notes and progress of long verbs; by default nobody.

        Raises
        ------
        MissingDatabaseError
            There is no such file to read.
        LockedError
            Another process holds the file.
        SchemaVersionError
            The file was written by an older or newer version of the catalog.
        StoreError
            The file is no catalog, is damaged, or cannot be read or written.
        """
        opened = cls(path, mode, wait=wait, listener=listener)
        if mode == "read" or opened.path.exists():
            with opened._reading():
                pass
        return opened
