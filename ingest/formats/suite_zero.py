"""NAS-Bench-Suite-Zero's published proxies: ``zc_*.json`` in both layouts, NASLib's lists of one run, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from catalog.tables.suite_zero_facts import ACCURACIES, BENCHMARKS, KNOWN_TABLES
from ingest.formats.suite_zero_layouts import sections
from ingest.formats.suite_zero_networks import KEYS
from ingest.formats.suite_zero_section import SectionReader
from ingest.reading.batch import Batch, SourceFacts
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
    the validation accuracy of one training, of NAS-Bench-301 the surrogate's prediction.

    Every ``params`` has to be the count of the network that its key describes, where that network is known.

    Parameters
    ----------
    space
        ``nb101``, ``nb201`` or ``darts`` (NAS-Bench-301).
    source
        The user's name for the source of a table of his own.
    """

    def __init__(self, space: str, *, source: str | None = None, size_limit: int = JSON_SIZE_LIMIT) -> None:
        self.space = space
        self.source = source
        self.size_limit = size_limit

    def facts(self, path: Path) -> SourceFacts:
        benchmark = BENCHMARKS[self.space]
        if ".csv" in path.suffixes and content_digest(path) not in KNOWN_TABLES:
            return SourceFacts(name=own_source(path, self.source), kind="suite-zero")  # anybody can write such a table
        if self.source is not None:
            raise source_is_known(path)
        return SourceFacts(
            name=f"suite_zero_{benchmark}" + _marked(path),
            kind="suite-zero",
            licence="Apache-2.0",
            citation="Krishnakumar et al., NAS-Bench-Suite-Zero, NeurIPS 2022, arXiv 2210.03230",
        )

    def read(self, path: Path) -> Iterator[Batch]:
        keys = KEYS[self.space]()
        for section in sections(path, self.space, self.size_limit):
            accuracy = ACCURACIES[self.space][section.dataset]
            yield from SectionReader(section, keys, accuracy).batches()


def _marked(path: Path) -> str:
    """What tells a file from others of the same benchmark: what its name has after an ``@``."""
    found = re.search(r"@(\w{1,16})", path.name)
    return f"_{found[1]}" if found else ""
