"""Lists of DARTS genotypes: tables, JSON, text with ``Genotype(...)``, NDS training logs, and the published cells."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from catalog.architecture.members import Members
from catalog.errors import IdentifierError, IngestError
from catalog.spaces import genotype
from catalog.spaces.genotype import Genotype
from ingest.formats.genotype_entries import Listed, Metric, is_nds, json_entries, table_entries
from ingest.formats.genotype_text import text_entries
from ingest.formats.published_genotypes import published_cells
from ingest.reading.batch import Batch, SourceFacts
from ingest.reading.known_tables import checked_epochs, identified, table_facts
from ingest.reading.metric_columns import MetricColumns
from ingest.reading.sources import JSON_SIZE_LIMIT, read_json

_RECORDS_A_BATCH = 5000
_KIND = "darts-genotypes"


class Genotypes:
    """Reads one list of genotypes.

    * ``.csv``, ``.parquet``: a column ``genotype`` and accuracies such as ``cifar10_test_acc`` or
      ``cifar10_best_test_acc`` (percent; ``best`` becomes the stage: that epoch was chosen on that split).
    * ``.json``: a list of genotypes, or of objects with ``genotype`` and such accuracies, or an object from names to
      genotypes; or the training logs of NDS, whose errors become accuracies: ``accuracy`` that of the
      last epoch, ``best_accuracy`` that of the best one; the network's ``init_channels`` and ``layers`` beside them.
    * any other text: every ``Genotype(...)`` in it that is a DARTS cell.

    Equal genotypes are one architecture; its trainings get the ordinals 1, 2, ... as ``repeat``.

    Parameters
    ----------
    epochs
        Length of the trainings, where the file does not say it.
    source
        Name of the user's source; by default a word made of the file's name. A list that is known by its digest, and
        a JSON file in which every entry is one of NDS's own training logs, have their own.
    """

    space = "darts"

    def __init__(
        self, *, epochs: int | None = None, size_limit: int = JSON_SIZE_LIMIT, source: str | None = None
    ) -> None:
        self.epochs = checked_epochs(epochs)
        self.size_limit = size_limit
        self.source = source
        self._document = lru_cache(maxsize=1)(read_json)  # the facts look into it before it is read

    def facts(self, path: Path) -> SourceFacts:
        stem = re.sub(r"\W+", "_", path.name.split(".")[0].lower()).strip("_")
        own_name = self.source in (None, f"nds_{stem}")
        if ".json" in path.suffixes and own_name and is_nds(self._document(path, self.size_limit)):
            citation = "Radosavovic et al., On network design spaces, ICCV 2019, arXiv 1905.13214"
            return SourceFacts(name=f"nds_{stem}", kind=_KIND, licence="MIT", citation=citation)
        return table_facts(path, _KIND, source=self.source)

    def read(self, path: Path) -> Iterator[Batch]:
        notes: list[str] = []
        repeats: Counter[Genotype] = Counter()
        part: list[Listed] = []
        for item in self._listed(path, notes):
            if len(part) == _RECORDS_A_BATCH:
                yield _batch(part, repeats, self.parse, self.members)
                part = []
            part.append(item)
        if part:
            last = _batch(part, repeats, self.parse, self.members)
            yield replace(last, notes=(*notes, *_repeated(repeats, last)))

    def parse(self, identifier: object) -> Genotype:
        """The genotype that an entry names."""
        return genotype.parse(identifier)

    def members(self, found: Sequence[Genotype]) -> Members:
        """The architectures with some distinct genotypes."""
        return members_of(found)

    def _listed(self, path: Path, notes: list[str]) -> Iterator[Listed]:
        given = identified(path, epochs=self.epochs)["epochs"]
        epochs = None if given is None else int(given)
        if {".csv", ".parquet"} & set(path.suffixes):
            return table_entries(path, epochs, self.size_limit, notes)
        if ".json" in path.suffixes:
            return json_entries(path, self._document(path, self.size_limit), epochs, notes)
        return text_entries(path, self.size_limit, notes)


class PublishedGenotypes:
    """The built-in list ``darts-published``; there is no file to read."""

    space = "darts"

    def facts(self, path: Path | None = None) -> SourceFacts:
        return SourceFacts(name="published", kind="darts-published", citation="the papers that published the cells")

    def digest(self) -> str:
        """SHA-256 of the list, which stands for a file's."""
        return hashlib.sha256(repr(published_cells()).encode()).hexdigest()

    def read(self, path: Path | None = None) -> Iterator[Batch]:
        listed = []
        for cell in published_cells():
            metrics: list[Metric] = [
                ("accuracy", value, {"kind": "reported", "dataset": dataset, "split": "test"})
                for dataset, value in cell.accuracies.items()
            ]
            metrics += [
                ("parameters", value, {"kind": "reported", "dataset": dataset})
                for dataset, value in cell.parameters.items()
            ]
            listed.append(Listed(cell.name, cell.genotype, metrics, is_training=False, name=cell.name))
        yield _batch(listed, Counter())


def members_of(found: Sequence[Genotype]) -> Members:
    """The architectures of the space ``darts`` with some distinct genotypes."""
    return Members([str(one) for one in found])


def _batch(
    listed: Sequence[Listed],
    repeats: Counter[Genotype],
    parse: Callable[[object], Genotype] = genotype.parse,
    members: Callable[[Sequence[Genotype]], Members] = members_of,
) -> Batch:
    rows: dict[Genotype, int] = {}
    aliases: dict[str, list[int]] = {}
    metrics = MetricColumns()
    for item in listed:
        try:
            found = parse(item.identifier)
        except IdentifierError as error:
            raise IngestError(f"{item.where}: {error} Nothing was stored.") from None
        row = rows.setdefault(found, len(rows))
        if item.name and row not in (named := aliases.setdefault(item.name, [])):
            named.append(row)
        repeats[found] += 1
        repeat = repeats[found] if item.is_training else None
        for name, value, columns in item.metrics:
            if not math.isfinite(value):
                raise IngestError(f"{item.where}: {name} is {value}; a number is needed. Nothing was stored.")
            metrics.add(row, name, value, repeat=repeat, **columns)
    return Batch(members(list(rows)), len(listed), metrics.table(), aliases=aliases)


def _repeated(repeats: Counter[Genotype], batch: Batch) -> list[str]:
    """Say that numbers of equal genotypes are repeats of one architecture, where the list has numbers."""
    several = sum(count > 1 for count in repeats.values())
    if not several or not len(batch.metrics):
        return []
    return [
        f"{several:,} architectures stand in the file more than once, also as other orders of a node's two inputs; "
        "each of their records is kept as a repeat, and the wide view shows the mean."
    ]
