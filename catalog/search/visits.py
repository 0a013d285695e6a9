"""Storing what a search visits while it goes on, and reading it back to resume."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.search.entering import enter
from catalog.search.methods.history import Visit
from catalog.search.scores import Objectives
from catalog.tables import views
from catalog.tables.proxies import ensure_proxies

if TYPE_CHECKING:
    from catalog.storage.store import Store
    from predictor.scoring.candidates import Recorded

Earlier = dict[str, tuple[tuple[float, ...], float]]

_REASONS = {"failed": "no value", "disconnected": "no path from input to output"}

_PATIENCE = 2.0  # seconds between two writings at the least
_SHARE = 9.0  # searching between two writings lasts so many times as long as the last writing, ...
_LONGEST = 15.0  # ... but not longer than so many seconds


class VisitStore:
    """Writes visits in batches: new architectures, their scores, and the rows of ``search_visit``.

    A batch is written after 2 to 15 seconds of searching, usually nine times as long as the last writing took, so
    that storing never costs more than about a tenth. Each batch is one transaction that leaves the wide view up to
    date: a search that is killed loses what it visited since the last one, and nothing is half there.

    Parameters
    ----------
    catalog
        Open for writing.
    objectives
        The scores, and where their values come from.
    run_id
        The run that visits belong to.
    """

    def __init__(self, catalog: Store, objectives: Objectives, run_id: int) -> None:
        self.catalog = catalog
        self.objectives = objectives
        self.run_id = run_id
        self.entered = 0
        self._waiting: list[Visit] = []
        self._due = time.perf_counter() + _PATIENCE

    def __call__(self, visits: Sequence[Visit]) -> None:
        """Take newly scored visits, and write them if it is time to."""
        self._waiting += visits
        if time.perf_counter() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Write everything that waits."""
        if not self._waiting:
            return
        started = time.perf_counter()
        # A Ctrl-C in the middle of a writing leaves open whether it was completed.
        written = self.catalog.arrow(
            "SELECT coalesce(max(evaluation), 0) FROM search_visit WHERE run_id = ?", [self.run_id]
        )
        visits = [visit for visit in self._waiting if visit.evaluation > written.column(0)[0].as_py()]
        waiting = len(self._waiting)
        with self.catalog.transaction():
            ids, new = self._enter(visits)
            changed = self._store_scores(visits, ids) or new > 0
            self._store_visits(visits, ids)
            if changed:
                views.rebuild(self.catalog, self.objectives.source.space.name)
        del self._waiting[:waiting]
        self.entered += new
        ended = time.perf_counter()
        self._due = ended + min(max(_PATIENCE, _SHARE * (ended - started)), _LONGEST)

    def _enter(self, visits: Sequence[Visit]) -> tuple[NDArray[np.int64], int]:
        """The ``architecture.id`` of each visit, and how many architectures are new."""
        source = self.objectives.source
        candidates = [visit.candidate for visit in visits]
        return enter(self.catalog, source.space, source.stored, candidates, source.row_of(candidates), self.run_id)

    def _store_scores(self, visits: Sequence[Visit], ids: NDArray[np.int64]) -> bool:
        """Rows of ``score`` for what was computed on the fly; whether there were any."""
        source = self.objectives.source
        stored = False
        for name, computed in source.fresh.items():
            how = source.scorer_of(name).recorded.get(name)
            if how is None:  # structural: entering an architecture has stored it
                continue
            places = [place for place, visit in enumerate(visits) if visit.candidate.key in computed]
            if not places:
                continue
            found = [computed[visits[place].candidate.key] for place in places]
            values = np.array([one.value for one in found])
            missing = np.isnan(values)
            pathless = self._without_a_path(ids[places][missing])
            lacking = ["disconnected" if one in pathless else "failed" for one in ids[places].tolist()]
            proxy_id = ensure_proxies(self.catalog, [how.facts])[how.facts.name]
            self.catalog.append(
                "score",
                pa.table(
                    {
                        "architecture_id": ids[places],
                        "proxy_id": pa.array(np.full(len(places), proxy_id, dtype=np.int32)),
                        "input": pa.array([how.input] * len(places), pa.string()),
                        "seed": pa.array([how.seed] * len(places), pa.int32()),
                        "value": pa.array(values, mask=missing),
                        "status": np.where(missing, lacking, "ok"),
                        "reason": pa.array(
                            [one.reason or _REASONS[status] for one, status in zip(found, lacking, strict=True)],
                            mask=~missing,
                        ),
                        "seconds": [one.seconds for one in found],
                        "run_id": pa.array(np.full(len(places), self.run_id, dtype=np.int32)),
                    }
                ),
            )
            self._store_training_members(how, proxy_id)
            stored = True
        return stored

    def _without_a_path(self, ids: NDArray[np.int64]) -> frozenset[int]:
        """Those of some stored architectures that compute nothing: no proxy has a value for them."""
        if not len(ids):
            return frozenset()
        found = self.catalog.arrow(
            "SELECT id FROM architecture WHERE NOT is_connected AND id IN (SELECT id FROM lacking)",
            tables={"lacking": pa.table({"id": ids})},
        )
        return frozenset(found["id"].to_pylist())

    def _store_training_members(self, how: Recorded, proxy_id: int) -> None:
        """Which of the space's architectures the predictor was trained on, so that a report can leave them out."""
        sources = {str(source["name"]).split()[0] for source in how.card.get("sources", ())}
        if self.objectives.source.space.name in sources:
            from predictor.scoring.predictors import record_training_members

            record_training_members(self.catalog, proxy_id, how.card)

    def _store_visits(self, visits: Sequence[Visit], ids: NDArray[np.int64]) -> None:
        values = self.objectives.shown([visit.candidate for visit in visits])
        self.catalog.append(
            "search_visit",
            pa.table(
                {
                    "run_id": pa.array(np.full(len(visits), self.run_id, dtype=np.int32)),
                    "evaluation": pa.array([visit.evaluation for visit in visits], pa.int32()),
                    "architecture_id": ids,
                    "values": pa.array(
                        [[None if np.isnan(value) else value for value in row] for row in values.tolist()],
                        pa.list_(pa.float64()),
                    ),
                    "is_feasible": [visit.is_feasible for visit in visits],
                    "seconds": [visit.seconds for visit in visits],
                }
            ),
        )

    def __repr__(self) -> str:
        return f"VisitStore(run {self.run_id}, {len(self._waiting)} visits waiting)"


def read_visits(catalog: Store, run_id: int, signs: Sequence[int], tells_twins_apart: bool) -> Earlier:
    """What a run has visited: a candidate's key to its scores, higher is better, and its seconds.

    Raises
    ------
    UsageError
        The visits have another number of scores.
    """
    key = "native_id" if tells_twins_apart else "canonical_digest"
    rows = catalog.arrow(
        f"""
        SELECT {key}, "values", seconds FROM search_visit
        JOIN architecture ON architecture.id = architecture_id WHERE run_id = ? ORDER BY evaluation
        """,
        [run_id],
    )
    earlier: Earlier = {}
    for key, values, seconds in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        if len(values) != len(signs):
            raise UsageError(f"run {run_id} visited by {len(values)} scores, not by {len(signs)}; start a new search.")
        scores = tuple(np.nan if value is None else sign * value for value, sign in zip(values, signs, strict=True))
        earlier[key] = (scores, seconds)
    return earlier
