"""One mutated file, read as its command reads it: stored, refused with a clear error, or a fault of the reader."""

from __future__ import annotations

import random
import resource
import shutil
import signal
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from catalog.errors import CatalogError, IngestError, UsageError
from catalog.progress import Listener
from catalog.storage import migration
from catalog.storage.store import Store
from ingest.entry import prepared
from ingest.formats.nb101_modules import Modules
from tests.ingest.formats.test_nasbench101 import FIRST
from tests.ingest.mutated_files.good_files import GOOD_FILES, GoodFile
from tests.ingest.mutated_files.mutations import mutated

PATIENCE = 10
"""Seconds that one file may take."""
MEMORY = 2**20
"""Kibibytes that one file may take beyond what the process had."""

STORED, REFUSED = "stored", "refused"


class HangError(BaseException):
    """A file took too long."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file; `fault` is what a reader did wrong, as text."""

    number: int
    format: str
    result: str
    seconds: float
    fault: str | None = None


class Trials:
    """Reads mutated files one after the other in a folder of its own; the number of a trial says all of it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._seed = seed
        self._empty = folder / "empty.duckdb"
        self._catalog = folder / "catalog.duckdb"
        migration.init(self._empty)
        Modules().places([FIRST[0]], _unknown)  # enumerates the space once, which is no file's fault
        self._store = self._fresh()

    def close(self) -> None:
        """Close the catalog."""
        self._store.close()

    def _fresh(self) -> Store:
        shutil.copy(self._empty, self._catalog)
        return Store.open(self._catalog, mode="write")

    def run(self, number: int) -> Outcome:
        """One trial."""
        good = GOOD_FILES[number % len(GOOD_FILES)]
        path = self._folder / good.file
        path.write_bytes(mutated(good, random.Random(f"{self._seed} {number}")))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        result, fault = self._judged(good, path)
        seconds = time.perf_counter() - started
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        if grown > MEMORY:
            fault = f"took {grown >> 10} MiB"
        if result == STORED or fault:
            self._store.close()
            self._store = self._fresh()
        return Outcome(number, good.name, result, seconds, fault)

    def _judged(self, good: GoodFile, path: Path) -> tuple[str, str | None]:
        previous = signal.signal(signal.SIGALRM, _hang)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        try:
            read(good, path, self._store)
        except (IngestError, UsageError) as error:
            names = [path.name, *([good.beside[0]] if good.beside else [])]
            return REFUSED, fault_of_message(str(error), names)
        except CatalogError as error:
            return REFUSED, f"a {type(error).__name__} where the file is at fault: {error}"
        except BaseException:  # noqa: BLE001 - whatever comes out of a reader is what this looks for, panics too
            return "failed", traceback.format_exc(limit=-6)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
        return STORED, None


def read(good: GoodFile, path: Path, store: Store) -> None:
    """Read a file of a format into a catalog, as its command does."""
    options = dict(good.options)
    files = [path]
    if good.as_option and good.beside:
        options[good.as_option] = path
        files = [path.parent / good.beside[0]]
        files[0].write_bytes(good.beside[1])
    for job in prepared(good.benchmark, files, options, Listener()):
        job(store)


def fault_of_message(message: str, files: Sequence[str]) -> str | None:
    """What is wrong with an error's message: it has to name one of the files, and to be safe and short."""
    if not any(name.partition(".")[0] in message for name in files):
        return f"the message does not name the file: {message}"
    if not message.replace("\n", "").replace("\t", "").isprintable():
        return f"the message holds what a terminal obeys: {message!r}"
    if len(message) > 6000:
        return f"the message has {len(message)} characters"
    return None


def _unknown(_place: int, what: str) -> NoReturn:
    raise AssertionError(what)


def _hang(_number: int, _frame: FrameType | None) -> None:
    raise HangError
