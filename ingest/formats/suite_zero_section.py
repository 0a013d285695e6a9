"""One data set of a file of NAS-Bench-Suite-Zero: its scores and accuracies, checked, as batches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from catalog.errors import IngestError
from catalog.tables.plausible import SECONDS
from catalog.tables.suite_zero_facts import DESCRIPTIVE, PROXIES, Accuracy, unsaid
from catalog.tables.transnas_facts import IN_PERCENT, RANGES
from ingest.formats.suite_zero_layouts import Section
from ingest.formats.suite_zero_networks import Keys, Networks
from ingest.reading.batch import Batch
from ingest.reading.metric_columns import MetricColumns, ScoreColumns
from ingest.reading.percents import ALLOWED, Percents
from ingest.reading.pickled_values import described
from ingest.reading.shown import shown_names

_OUR_NAMES = {"synflow": "logsynflow"}  # the suite publishes the logarithm
_MILLIONS = ("params", "flops")
_FAILED = -1e8
_ARCHITECTURES_A_BATCH = 5000


@dataclass(frozen=True)
class _Score:
    """What a key has for one proxy: a value, or the reason why there is none; and the seconds that it took."""

    value: float | None
    reason: str | None
    seconds: float | None

    @property
    def outcome(self) -> tuple[float | None, str | None]:
        return self.value, self.reason


class SectionReader:
    """Reads one section.

    Where several keys name one architecture, accuracies that differ stand as repeats 1, 2, ... (equal ones are one
    training, quoted again), and scores that differ stand as seeds 1, 2, ..., the ordinal of their key among the
    architecture's keys.

    Parameters
    ----------
    measured
        The metric that ``val_accuracy`` is.
    """

    def __init__(self, section: Section, keys: Keys, measured: str = "accuracy") -> None:
        self._section = section
        self._measured = measured
        self._percents = Percents(section.file)
        self._scores: list[dict[str, _Score]] = []
        self._accuracies: list[float | None] = []
        for place, (_, fields) in enumerate(section.architectures):
            self._read(place, fields)
        self._percents.refuse_fractions()
        networks = keys.read([key for key, _ in section.architectures], section.dataset, self.fail)
        self._checked = self._check_parameters(networks)
        self._members = networks.members
        self._keys: list[list[int]] = [[] for _ in range(len(networks.members))]
        for place, row in enumerate(networks.rows):
            self._keys[row].append(place)
        if not keys.repeats:
            self._refuse_repeats()
        self._contradictions = 0

    @property
    def is_the_suites(self) -> bool:
        """Whether the contents prove it: the benchmark's key, or a count of parameters that was compared."""
        return self._section.is_keyed or self._checked > 0

    def fail(self, place: int, what: str) -> NoReturn:
        """Raise the error for something wrong in one architecture."""
        raise IngestError(f"{self._where(place)}: {what}; nothing was stored.")

    def _where(self, place: int) -> str:
        key = described(self._section.architectures[place][0])
        return f"{self._section.file}: {self._section.dataset}, architecture {key}"

    def batches(self, accuracy: Accuracy | None) -> Iterator[Batch]:
        """The section's scores and accuracies; the notes come with the last batch.

        Parameters
        ----------
        accuracy
            What ``val_accuracy`` is; None where the file is a user's, who does not say it.
        """
        count = len(self._members)
        self._contradictions = 0
        for start in range(0, count, _ARCHITECTURES_A_BATCH):
            rows = range(start, min(start + _ARCHITECTURES_A_BATCH, count))
            scores, metrics = ScoreColumns(), MetricColumns()
            for row in rows:
                self._add_scores(scores, row - start, self._keys[row])
                self._add_accuracies(metrics, row - start, self._keys[row], accuracy or self._unsaid)
            yield Batch(
                self._members.taken(np.array(rows)),
                sum(len(self._keys[row]) for row in rows),
                metrics.table(),
                scores.table(),
                notes=tuple(self._notes(is_own=accuracy is None)) if rows.stop == count else (),
            )

    @property
    def _unsaid(self) -> Accuracy:
        return unsaid(self._section.dataset, self._measured)

    def _read(self, place: int, fields: Mapping[str, Any]) -> None:
        scores: dict[str, _Score] = {}
        accuracy = None
        for field, value in fields.items():
            if field in PROXIES:
                scores[field] = self._score(place, field, value)
            elif field == "val_accuracy":
                accuracy = self._accuracy(place, value)
            elif field not in DESCRIPTIVE:
                known = ", ".join((*PROXIES, "val_accuracy", *DESCRIPTIVE))
                self.fail(place, f"it has the field {described(field)}; known are {known}")
        key = self._section.architectures[place][0]
        if fields.get("arch", key) != key:
            self.fail(place, f"its field arch is {described(fields['arch'])}; it has to be the key")
        self._scores.append(scores)
        self._accuracies.append(accuracy)

    def _accuracy(self, place: int, value: Any) -> float:
        """What ``val_accuracy`` says, in the range of the metric that it is."""
        found = self._number(place, "val_accuracy", value)
        if self._measured in IN_PERCENT:
            if not 0 <= found <= 100:
                self.fail(place, f"val_accuracy is {found}; {ALLOWED}")
            self._percents.see("val_accuracy", found, self._where(place))
            return found
        allowed = RANGES[self._measured]
        if not (math.isfinite(found) and allowed.low <= found <= allowed.high):
            self.fail(place, f"val_accuracy is {found}; of this task it is the {self._measured}, a number {allowed}")
        return found

    def _score(self, place: int, field: str, value: Any) -> _Score:
        seconds = None
        if isinstance(value, dict):
            if unknown := sorted(set(value) - {"score", "time"}):
                self.fail(place, f"{field} has the field {described(unknown[0])}; known are score and time")
            seconds = self._number(place, f"{field} time", value["time"]) if value.get("time") is not None else None
            if seconds is not None and not SECONDS.low <= seconds <= SECONDS.high:
                self.fail(place, f"{field} took {seconds} seconds; a time {SECONDS} is needed")
            value = value.get("score")
        number = self._number(place, field, value)
        if number == _FAILED or not math.isfinite(number):
            return _Score(None, f"the source has {number:g}", seconds)
        if field not in _MILLIONS:
            return _Score(number, None, seconds)
        if number < 0:
            self.fail(place, f"{field} is {number} million; a count of 0 or more is needed")
        return _Score(float(round(number * 1e6)), None, seconds)

    def _number(self, place: int, field: str, value: Any) -> float:
        if isinstance(value, float):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
            return float(value)
        return self.fail(place, f"{field} is {described(value)}; a number is needed")

    def _check_parameters(self, networks: Networks) -> int:
        """How many published parameters are those of the key's own network; they all are, or the file is another's."""
        checked = 0
        for place, expected in enumerate(networks.parameters):
            published = self._scores[place].get("params")
            if published is None or published.value is None or expected is None:
                continue
            if published.value != expected:
                self.fail(
                    place,
                    f"params is {published.value / 1e6:g} million ({published.value:,.0f}), but the network of this "
                    f"architecture has {expected:,} parameters on {self._section.dataset}. The file is of another "
                    "benchmark or damaged",
                )
            checked += 1
        return checked

    def _refuse_repeats(self) -> None:
        for places in self._keys:
            if len(places) > 1:
                first = described(self._section.architectures[places[0]][0])
                self.fail(places[1], f"the key {first} names the same architecture; each may occur once")

    def _add_scores(self, columns: ScoreColumns, row: int, places: list[int]) -> None:
        contradicts = False
        for field in dict.fromkeys(field for place in places for field in self._scores[place]):
            found = {place: self._scores[place][field] for place in places if field in self._scores[place]}
            differ = len({score.outcome for score in found.values()}) > 1
            contradicts |= differ
            shown = list(found.items()) if differ else [(places[0], next(iter(found.values())))]
            for place, score in shown:
                columns.add(
                    row,
                    _OUR_NAMES.get(field, field),
                    score.value,
                    data=self._section.dataset,
                    seed=places.index(place) + 1 if differ else None,
                    reason=score.reason,
                    seconds=score.seconds,
                )
        self._contradictions += contradicts

    def _add_accuracies(self, columns: MetricColumns, row: int, places: list[int], accuracy: Accuracy) -> None:
        values = dict.fromkeys(value for place in places if (value := self._accuracies[place]) is not None)
        is_counted = accuracy.is_single_run or len(values) > 1
        for repeat, value in enumerate(values, start=1):
            columns.add(
                row,
                accuracy.name,
                value,
                kind=accuracy.kind,
                dataset=accuracy.dataset,
                split=accuracy.split,
                epochs=accuracy.epochs,
                stage=accuracy.stage,
                repeat=repeat if is_counted else None,
            )

    def _notes(self, *, is_own: bool) -> Iterator[str]:
        dataset, keys, members = self._section.dataset, len(self._section.architectures), len(self._members)
        if self._checked < keys:
            reason = (
                "the file says none"
                if not any("params" in scores for scores in self._scores)
                else ("the networks that they count are not known or have no count")
            )
            yield f"{dataset}: parameters not checked for {keys - self._checked:,} of {keys:,} architectures, {reason}."
        if members < keys:
            yield (
                f"{dataset}: {keys - members:,} keys are isomorphic to another key of the file ({keys:,} keys, "
                f"{members:,} architectures). Accuracies that differ stand as repeats 1, 2, ...; for "
                f"{self._contradictions:,} architectures the scores of the keys contradict each other and stand as "
                "seeds 1, 2, ... in the file's order. The wide view shows means."
            )
        if is_own and any(value is not None for value in self._accuracies):
            yield (
                f"{dataset}: nothing proves that this is a file of NAS-Bench-Suite-Zero, so nobody says of which "
                f"images and which training val_accuracy is: it is stored as {self._measured} without split and epochs."
            )
        if self._section.beside:
            yield f"left out, because they are beside the benchmark's key: {shown_names(self._section.beside)}."
        yield from self._percents.notes()
