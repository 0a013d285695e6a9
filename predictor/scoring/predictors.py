"""Scoring a stored space with a predictor: graphs out of the catalog, scores into it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.architecture.graph_tables import PlacedCells
from catalog.architecture.operators import Vocabulary
from catalog.errors import UsageError
from catalog.storage.runs import Run
from catalog.tables import views
from catalog.tables.proxies import PUBLISHED_VERSION, ProxyFacts, ensure_proxies
from catalog.tables.space_view import SpaceView
from catalog.tables.stored_graphs import read_cells, read_graphs, read_vocabulary
from predictor.encoding import stored_embeddings

if TYPE_CHECKING:
    from catalog.storage.store import Store

Values = NDArray[np.float64]
Identifiers = NDArray[np.int64]

PREDICTORS = ("tg_nas", "tg_nas_multi", "tg_nas_paper")
"""Predictors whose weights come with the package."""

_OUTCOMES = (("ok", None), ("disconnected", "no path from input to output"))


@dataclass(frozen=True)
class ScoringReport:
    """What one scoring did; `column` is the wide view's column."""

    column: str
    scored: int
    disconnected: int
    seconds: float


class Model(Protocol):
    """A loaded predictor: scores by column suffix, each (A,); NaN where it has none.

    An ensemble has none where no path leads from input to output; `tg_nas_paper` scores such cells too, as released.
    """

    card: dict[str, Any]

    def score_space(
        self, catalog: Store, space: str, ids: Identifiers, cells: list[PlacedCells], vocabulary: Vocabulary
    ) -> Mapping[str, Values]:
        """Scores of all architectures of a space."""
        ...


class _Ensemble:
    """`tg_nas`: the mean over the members, and their spread as ``_std``."""

    def __init__(self, checkpoint: str | Path) -> None:
        from predictor.tg_nas.ensemble import Scorer

        self.scorer = Scorer.load(checkpoint)
        self.card = self.scorer.card

    def score_space(
        self, catalog: Store, space: str, ids: Identifiers, cells: list[PlacedCells], vocabulary: Vocabulary
    ) -> Mapping[str, Values]:
        scores = self.scorer.score_arrays(
            space, [part.cells for part in cells], [part.rows for part in cells], vocabulary
        )
        return {"": scores.mean, "_std": scores.std}


class _Paper:
    """`tg_nas_paper`: the authors' recipe, on native graphs."""

    def __init__(self, checkpoint: str | Path) -> None:
        from predictor.tg_nas.paper import PaperScorer

        self.scorer = PaperScorer.load(checkpoint)
        self.card = self.scorer.card

    def score_space(
        self, catalog: Store, space: str, ids: Identifiers, cells: list[PlacedCells], vocabulary: Vocabulary
    ) -> Mapping[str, Values]:
        return {"": self.scorer.score(read_graphs(catalog, space, ids.tolist(), "native"))}


def score_space(catalog: Store, space: str, predictor: str, checkpoint: Path | None = None) -> ScoringReport:
    """Score every architecture of a stored space and rebuild its wide view, in one transaction.

    A checkpoint that scored the space before is replaced by itself: the same weights give the same scores.

    Parameters
    ----------
    predictor
        One of `PREDICTORS`.
    checkpoint
        Folder of other weights than the shipped ones, as ``catalog train`` wrote it.

    Raises
    ------
    UsageError
        There is no such predictor or checkpoint.
    """
    if predictor not in PREDICTORS:
        raise UsageError(f"unknown predictor {predictor!r}; with weights come {', '.join(PREDICTORS)}.")
    from predictor.tg_nas.checkpoint import digest_of

    SpaceView.of(catalog, space)
    started = time.perf_counter()
    model: Model = (_Paper if predictor == "tg_nas_paper" else _Ensemble)(checkpoint or predictor)
    ids, cells = read_cells(catalog, space, "canonical")
    stored_embeddings.recall(catalog, space)
    scores = model.score_space(catalog, space, ids, cells, read_vocabulary(catalog, space))
    seconds = time.perf_counter() - started
    digest = digest_of(model.card)
    column = predictor if digest == shipped_digest(predictor) else f"{predictor}_{digest[:8]}"
    parameters = {"space": space, "predictor": predictor, "checkpoint_digest": digest}
    with Run.start(catalog, "score", parameters) as run, catalog.transaction():
        for suffix, values in scores.items():
            facts = predictor_facts(predictor, column, suffix, model.card)
            proxy_id = ensure_proxies(catalog, [facts])[facts.name]
            _replace_scores(catalog, proxy_id, facts, ids, values, seconds / max(1, len(ids)), run.id)
            record_training_members(catalog, proxy_id, model.card)
        stored_embeddings.remember(catalog, space)
        views.rebuild(catalog, space)
        run.detail = f"{len(ids)} architectures of {space}"
    return ScoringReport(column, len(ids), int(np.isnan(scores[""]).sum()), seconds)


def predictor_facts(predictor: str, column: str, suffix: str, card: Mapping[str, Any]) -> ProxyFacts:
    """The row of the table ``proxy`` of a predictor's scores, or with the suffix ``_std`` of their spread.

    Parameters
    ----------
    column
        The predictor's column in the wide view, without the suffix.
    card
        Of the checkpoint that scores.
    """
    from predictor.tg_nas.checkpoint import digest_of
    from predictor.tg_nas.prior import DEVELOPED_WITH

    sources = ", ".join(source["name"] for source in card.get("sources", ()))
    seen = f"; its prior was chosen with {' and '.join(DEVELOPED_WITH)} in sight" if "prior" in card else ""
    what = "spread of the ensemble's members" if suffix else "predicted rank of the accuracy"
    return ProxyFacts(
        name=predictor + suffix,
        version="1",
        direction=-1 if suffix else 1,
        description=f"{what}; TG-NAS trained on {sources}{seen}",
        column=column + suffix,
        configuration=json.dumps(card.get("configuration", {}), sort_keys=True),
        checkpoint_digest=digest_of(card),
    )


def shipped_digest(predictor: str) -> str:
    """Of the checkpoint that comes with the package: a copy of it in another folder is no other one."""
    from predictor.tg_nas.checkpoint import digest_of, read_card, shipped

    return digest_of(read_card(shipped(predictor)))


def _replace_scores(
    catalog: Store,
    proxy_id: int,
    facts: ProxyFacts,
    ids: Identifiers,
    values: Values,
    seconds: float,
    run_id: int,
) -> None:
    """Store the scores in place of what the column holds, also of weights that an earlier version came with."""
    count = len(ids)
    missing = np.isnan(values)
    outcome = pa.array(missing.astype(np.int8))
    wanted = {"scored": pa.table({"architecture_id": ids})}
    catalog.execute(
        """
        DELETE FROM score WHERE architecture_id IN (SELECT architecture_id FROM scored) AND source_id IS NULL
            AND proxy_id IN (SELECT id FROM proxy WHERE id = ? OR "column" = ? AND name = ? AND version != ?)
        """,
        [proxy_id, facts.column, facts.name, PUBLISHED_VERSION],
        tables=wanted,
    )
    catalog.append(
        "score",
        pa.table(
            {
                "architecture_id": ids,
                "proxy_id": pa.array(np.full(count, proxy_id, dtype=np.int32)),
                "value": pa.array(values, mask=missing),
                "status": pa.array([status for status, _ in _OUTCOMES]).take(outcome),
                "reason": pa.array([reason for _, reason in _OUTCOMES], pa.string()).take(outcome),
                "seconds": np.full(count, seconds),
                "run_id": pa.array(np.full(count, run_id, dtype=np.int32)),
            }
        ),
    )


def record_training_members(catalog: Store, proxy_id: int, card: Mapping[str, Any]) -> None:
    """Note which stored architectures the checkpoint saw, so that reports can leave them out.

    A card that lists native ids names them; one that does not has seen its whole source space.
    """
    for source in card.get("sources", ()):
        space = str(source["name"]).split()[0]
        listed = source.get("native_ids")
        tables = None if listed is None else {"listed": pa.table({"native_id": pa.array(listed, pa.string())})}
        condition = "" if listed is None else "AND native_id IN (SELECT native_id FROM listed)"
        catalog.execute(
            f"""
            INSERT INTO training_member BY NAME
            SELECT ?::INTEGER AS proxy_id, id AS architecture_id FROM architecture
            WHERE space = ? {condition} AND id NOT IN (SELECT architecture_id FROM training_member WHERE proxy_id = ?)
            """,
            [proxy_id, space, proxy_id],
            tables=tables,
        )
