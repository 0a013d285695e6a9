"""NAS-Bench-Suite-Zero's published proxies: ``zc_*.json`` in both layouts, NASLib's lists of one run, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from catalog.tables.suite_zero_facts import ACCURACIES, BENCHMARKS, KNOWN_FILES
from catalog.tables.transnas_facts import DIRECTIONS
from ingest.formats.suite_zero_layouts import sections
from ingest.formats.suite_zero_networks import KEYS
from ingest.formats.suite_zero_section import SectionReader
from ingest.reading.batch import Batch, SourceFacts
from ingest.reading.directions import Directions
from ingest.reading.job import content_digest
from ingest.reading.known_tables import own_source, source_is_known
from ingest.reading.sources import JSON_SIZE_LIMIT


class SuiteZero:
    """Reads one file of one benchmark.

    JSON files have a dictionary of architectures a data set, possibly below the benchmark's name, or are a list of one
    data set that the file's name says; a proxy is a number, or its ``score`` and ``time`` in seconds. Tables have a
    column ``net`` and one a proxy, and their name says the data set. Scores keep the file's data set as ``input``;
    ``params`` and ``flops``, published in millions, become counts; the suite's ``synflow`` is a logarithm and is stored
    as ``logsynflow``. -1e8 and what is not finite mark failures.

    ``val_accuracy`` becomes the metric that it is (`ACCURACIES`): of NAS-Bench-201 a test accuracy, of NAS-Bench-101
    the validation accuracy of one training, of NAS-Bench-301 the surrogate's prediction, of TransNAS-Bench-101 each
    task's own metric on its validation images.

    A file is the suite's if it has the benchmark's name as a key, or a count of parameters that could be compared, or a
    known digest. Any other is its user's source, and its ``val_accuracy`` an accuracy of which nobody says the split.

    Every ``params`` has to be the count of the network that its key describes, where that network is known.

    Parameters
    ----------
    space
        ``nb101``, ``nb201``, ``darts`` (NAS-Bench-301) or ``transnas_micro``.
    source
        The user's name for the source of a file of his own.
    """

    def __init__(self, space: str, *, source: str | None = None, size_limit: int = JSON_SIZE_LIMIT) -> None:
        self.space = space
        self.source = source
        self.size_limit = size_limit
        self.directions = Directions(metrics=dict(DIRECTIONS))
        self._readers = lru_cache(maxsize=1)(self._checked)  # the facts look into the file before it is read

    def facts(self, path: Path) -> SourceFacts:
        if not self._is_official(path):
            return SourceFacts(name=own_source(path, self.source), kind="suite-zero")
        if self.source is not None:
            raise source_is_known(path)
        return SourceFacts(
            name=f"suite_zero_{BENCHMARKS[self.space]}" + _marked(path),
            kind="suite-zero",
            licence="Apache-2.0",
            citation="Krishnakumar et al., NAS-Bench-Suite-Zero, NeurIPS 2022, arXiv 2210.03230",
        )

    def read(self, path: Path) -> Iterator[Batch]:
        accuracies = ACCURACIES[self.space] if self._is_official(path) else {}
        for dataset, reader in self._readers(path).items():
            yield from reader.batches(accuracies.get(dataset))

    def _is_official(self, path: Path) -> bool:
        if content_digest(path) in KNOWN_FILES:
            return True
        is_table = ".csv" in path.suffixes  # which anybody can write
        return not is_table and any(reader.is_the_suites for reader in self._readers(path).values())

    def _checked(self, path: Path) -> dict[str, SectionReader]:
        """By data set."""
        keys, measured = KEYS[self.space](), ACCURACIES[self.space]
        return {
            section.dataset: SectionReader(section, keys, measured[section.dataset].name)
            for section in sections(path, self.space, self.size_limit)
        }


def _marked(path: Path) -> str:
    """What tells a file from others of the same benchmark: what its name has after an ``@``."""
    found = re.search(r"@(\w{1,16})", path.name)
    return f"_{found[1]}" if found else ""
