"""What every batch of every reader has to pass before it is stored: names that can be shown, values that can be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.architecture.operators import Operator
from catalog.errors import IngestError
from catalog.tables.name_gate import fault_of_name, fault_of_text
from catalog.tables.plausible import SECONDS, Range, plausible
from ingest.reading.batch import Batch, SourceFacts
from ingest.reading.pickled_values import described

_METRIC_NAMES = ("name", "kind", "dataset", "split", "stage", "device")
_ABOUT = ("dataset", "split", "stage", "device")


class BatchGate:
    """Checks the batches of one file.

    Parameters
    ----------
    file
        What messages call the file.
    """

    def __init__(self, file: str) -> None:
        self._file = file
        self._passed: set[str] = set()  # names of metrics, proxies, data sets, ... come back in every batch

    def check_source(self, facts: SourceFacts, operators: Iterable[Operator]) -> None:
        """Check what comes once a file: the source's name and version, and a user's own operators.

        Raises
        ------
        IngestError
            A text is none that the catalog can hold.
        """
        self._check_names("the source", [facts.name, facts.version or "none"])
        for operator in operators:
            self._check_names("the operator", [operator.name, operator.kind])
            for sentence in (operator.short, operator.medium, operator.long):
                if fault := fault_of_text(sentence):
                    raise self._refused(f"the description of the operator {described(operator.name)}", fault)

    def check(self, batch: Batch) -> None:
        """Check one batch.

        Raises
        ------
        IngestError
            A name is none that the catalog can hold, or a value is none that its measure can have; the message names
            the architecture.
        """
        self._check_ids(batch.members.native_ids)
        graphs = batch.members.graphs or ()
        self._check_names("the cell", {cell.name for graph in graphs for cell in graph.cells})
        for column in _METRIC_NAMES:
            self._check_names(f"the {column} of a metric", _distinct(batch.metrics[column]))
        self._check_names("the name", batch.aliases)
        self._check_names("the proxy", _distinct(batch.scores["proxy"]))
        self._check_names("the data of a score", _distinct(batch.scores["input"]))
        self._check_values(batch, batch.metrics, "name")
        self._check_values(batch, batch.scores, "proxy")
        self._check_seconds(batch)

    def _check_ids(self, ids: Sequence[str]) -> None:
        for text in ids:
            is_plain = text.isascii() and text.isprintable() and text[:1] != " " and text[-1:] != " "
            if not is_plain and (fault := fault_of_name(text)):
                raise self._refused(f"the id {described(text)}", fault)

    def _check_names(self, what: str, names: Iterable[str]) -> None:
        for name in names:
            if name in self._passed:
                continue
            if fault := fault_of_name(name):
                raise self._refused(f"{what} {described(name)}", fault)
            self._passed.add(name)

    def _refused(self, what: str, fault: str) -> IngestError:
        return IngestError(f"{self._file}: {what} cannot be kept: {fault}. Nothing was stored.")

    def _check_values(self, batch: Batch, rows: pa.Table, column: str) -> None:
        names = rows[column].combine_chunks().dictionary_encode()
        ranges = [plausible(name) for name in names.dictionary.to_pylist()]
        if not any(ranges):
            return
        limits = np.array([(found.low, found.high) if found else (-np.inf, np.inf) for found in ranges])
        places = names.indices.to_numpy(zero_copy_only=False)
        values = rows["value"].to_numpy()  # NULL becomes NaN, which is outside of nothing
        wrong = np.flatnonzero((values < limits[places, 0]) | (values > limits[places, 1]))
        for row in wrong[:1].tolist():
            raise self._impossible(batch, rows.slice(row, 1), column, float(values[row]), ranges[places[row]])

    def _check_seconds(self, batch: Batch) -> None:
        seconds = batch.scores["seconds"].to_numpy()
        wrong = np.flatnonzero((seconds < SECONDS.low) | (seconds > SECONDS.high))
        for row in wrong[:1].tolist():
            raise self._impossible(batch, batch.scores.slice(row, 1), "proxy", float(seconds[row]), SECONDS)

    def _impossible(self, batch: Batch, row: pa.Table, column: str, value: float, allowed: Range | None) -> IngestError:
        (facts,) = row.to_pylist()
        about = ", ".join(str(facts[name]) for name in _ABOUT if facts.get(name))
        if facts.get("epochs") is not None:
            about += f"{', ' if about else ''}{facts['epochs']} epochs"
        return IngestError(
            f"{self._file}: the architecture {described(batch.members.native_ids[facts['row']])} has "
            f"{described(facts[column])}{f' ({about})' if about else ''} {value:g}; a value {allowed} is needed. "
            "Nothing was stored."
        )


def _distinct(column: pa.ChunkedArray) -> list[str]:
    return [name for name in pc.unique(column).to_pylist() if name is not None]
