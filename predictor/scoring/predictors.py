"""Scoring a stored space with a predictor: graphs out of the catalog, scores into it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import UsageError
from catalog.extras import require
from catalog.progress import Listener
from catalog.storage.runs import Run
from catalog.tables import views
from catalog.tables.column_names import proxy_column_name
from catalog.tables.proxies import PUBLISHED_VERSION, ProxyFacts, ensure_proxies
from catalog.tables.space_view import SpaceView
from catalog.user_code import digest_of, is_target, reported
from predictor.door import Given, Predictor, Scores
from predictor.door.checkpoint import read_card
from predictor.door.guard import ready, scored
from predictor.door.predictor import SPREAD
from predictor.door.registry import names, predictor_named
from predictor.encoding import stored_embeddings
from predictor.scoring.reading import Identifiers, Values, read_given

if TYPE_CHECKING:
    from catalog.storage.store import Store

_NO_PATH = "no path from input to output"


@dataclass(frozen=True)
class ScoringReport:
    """What one scoring did.

    Parameters
    ----------
    column
        The wide view's.
    scored
        Architectures of the space.
    disconnected
        Those of them that have no score because no path leads from input to output.
    failed
        Those that have none for another reason.
    reason
        The commonest of these reasons.
    was_known
        Whether every score was stored already, so that nothing was computed.
    """

    column: str
    scored: int
    disconnected: int
    failed: int
    reason: str | None
    seconds: float
    was_known: bool = False


def score_space(
    catalog: Store,
    space: str,
    predictor: str,
    checkpoint: Path | None = None,
    *,
    column: str | None = None,
    listener: Listener | None = None,
) -> ScoringReport:
    """Score every architecture of a stored space and rebuild its wide view, in one transaction.

    A predictor of graphs alone that scored the whole space before, with the same weights and in the same version, has
    nothing to do: stored graphs never change, and an upgrade that derives them otherwise drops their scores. Other
    predictors read columns, which may have changed, and replace their scores.

    Parameters
    ----------
    predictor
        Its name, or ``module:Class``.
    checkpoint
        Folder of other weights than the shipped ones, as ``catalog train`` wrote it.
    column
        The column to write; by default the predictor's name, with eight digits of the weights' digest where they are
        not those that came with it.
    listener
        Hears what the predictor does not see of the space.

    Raises
    ------
    UnknownProxyError
        There is no such predictor.
    UsageError
        There is no such checkpoint, the predictor has to be trained first, or the column is taken.
    """
    kind = predictor_named(predictor)
    if kind.needs.extra is not None:
        require(kind.needs.extra)
    model = ready(kind, checkpoint)
    own = column or column_of(model)
    started = time.perf_counter()
    if kind.needs.reads_graphs_alone and not is_target(predictor):  # a user's code may rest on other files
        known = _known_scores(catalog, space, model, own)
        if known is not None:
            return known
    ids, given = read_given(catalog, space, kind.needs)
    if kind.needs.reads_operators:
        stored_embeddings.recall(catalog, space)
    with reported(predictor):
        remarks = list(model.remarks(given))
    for remark in remarks:
        (listener or Listener()).note(f"{model.name}: {remark}")
    scores = scored(model, given)
    seconds = time.perf_counter() - started
    _require_free(catalog, space, own, kind)
    digest = model.digest(model.card)
    parameters = {"space": space, "predictor": predictor, "checkpoint_digest": digest, "code": code_digest(predictor)}
    with Run.start(catalog, "score", parameters) as run, catalog.transaction():
        for suffix, values in (("", scores.mean), (SPREAD, scores.spread)):
            if values is None:
                continue
            facts = predictor_facts(model, own, suffix, predictor)
            proxy_id = ensure_proxies(catalog, [facts])[facts.name]
            _require_one_column(catalog, proxy_id, facts)
            rows = _rows(proxy_id, ids, given, values, scores.reasons, seconds / max(1, len(ids)), run.id)
            _replace_scores(catalog, proxy_id, facts, ids, rows)
            record_training_members(catalog, proxy_id, model.card)
        if kind.needs.graphs:
            stored_embeddings.remember(catalog, space)
        views.rebuild(catalog, space)
        run.detail = f"{len(ids)} architectures of {space}"
    return _report(own, given, scores, seconds)


def _known_scores(catalog: Store, space: str, model: Predictor, column: str) -> ScoringReport | None:
    """What is stored, if that is all that this predictor would store, nothing of it failed and nobody changed it."""
    ((stored,),) = catalog.rows("SELECT count(*) FROM architecture WHERE space = ?", [space])
    disconnected = 0
    changed = {part.values[0] for part in catalog.broken_parts()["score"]}
    for suffix in ("", SPREAD) if model.has_spread else ("",):
        facts = predictor_facts(model, column, suffix)
        rows = catalog.rows(
            """
            SELECT proxy_id, count(*), count(*) FILTER (status = 'disconnected') FROM score
            JOIN architecture ON architecture.id = architecture_id JOIN proxy ON proxy.id = proxy_id
            WHERE space = ? AND source_id IS NULL AND status IN ('ok', 'disconnected') AND proxy."column" = ?
                AND (name, version, configuration) = (?, ?, ?) AND checkpoint_digest IS NOT DISTINCT FROM ?
            GROUP BY proxy_id
            """,
            [space, facts.column, *facts.key],
        )
        if [count for _, count, _ in rows] != [stored] or rows[0][0] in changed:
            return None
        disconnected = int(rows[0][2])
    return ScoringReport(column, int(stored), disconnected, 0, None, 0.0, was_known=True)


def column_of(model: Predictor) -> str:
    """The column of a predictor with the weights that it has."""
    digest = model.digest(model.card)
    if digest is None or digest == shipped_digest(model.name):
        return model.name
    return f"{model.name}_{digest[:8]}"


def predictor_facts(model: Predictor, column: str, suffix: str = "", target: str | None = None) -> ProxyFacts:
    """The row of the table ``proxy`` of a predictor's scores, or with the suffix ``_std`` of their spread.

    Parameters
    ----------
    column
        The predictor's column in the wide view, without the suffix.
    target
        How it was named, where that is a class in a user's file, whose digest is then part of what is recorded.
    """
    configuration = dict(model.card.get("configuration", {}))
    if (code := code_digest(target)) is not None:
        configuration["code_sha256"] = code
    return ProxyFacts(
        name=model.name + suffix,
        version=model.version,
        direction=-1 if suffix else model.direction,
        description=model.description(suffix),
        column=column + suffix,
        configuration=json.dumps(configuration, sort_keys=True),
        checkpoint_digest=model.digest(model.card),
    )


def code_digest(target: str | None) -> str | None:
    """sha256 of the file in the current folder that a name such as ``module:Class`` means; None for other names."""
    return None if target is None or not is_target(target) else digest_of(target, Path.cwd())


def shipped_digest(predictor: str) -> str | None:
    """Of the weights that come with a predictor's package: a copy of them in another folder is no other checkpoint."""
    if predictor not in names():
        return None
    kind = predictor_named(predictor)
    folder = kind.shipped()
    return None if folder is None else kind.digest(read_card(folder))


def _require_free(catalog: Store, space: str, column: str, kind: type[Predictor]) -> None:
    """A score must not stand where a metric, a fixed column or another proxy's score stands."""
    stored_as = proxy_column_name({"column": column, "published_as": None, "input": None})
    if stored_as != column:
        raise UsageError(f"{column!r} is no plain name for a column; write it as {stored_as!r}.")
    present = set(SpaceView.of(catalog, space).columns)
    for suffix in ("", SPREAD) if kind.has_spread else ("",):
        held = {name for (name,) in catalog.rows('SELECT name FROM proxy WHERE "column" = ?', [column + suffix])}
        if column + suffix in present and held != {kind.name + suffix}:
            raise UsageError(
                f"{space} has a column {column + suffix!r} that is not {kind.name}'s; choose another with --as."
            )


def _require_one_column(catalog: Store, proxy_id: int, facts: ProxyFacts) -> None:
    """The same weights are one proxy, and that has one column."""
    ((column,),) = catalog.rows('SELECT "column" FROM proxy WHERE id = ?', [proxy_id])
    if column != facts.column:
        raise UsageError(f"these scores of {facts.name} are stored as {column} already; leave --as out, or name that.")


def _report(column: str, given: Given, scores: Scores, seconds: float) -> ScoringReport:
    lacking = np.isnan(scores.mean)
    reasons = Counter(reason for reason in scores.reasons or () if reason is not None)
    return ScoringReport(
        column,
        len(given),
        int((lacking & ~given.connected).sum()),
        int((lacking & given.connected).sum()),
        min(reasons, key=lambda reason: (-reasons[reason], reason)) if reasons else None,
        seconds,
    )


def _rows(
    proxy_id: int,
    ids: Identifiers,
    given: Given,
    values: Values,
    reasons: Sequence[str | None] | None,
    seconds: float,
    run_id: int,
) -> pa.Table:
    """Rows of the table ``score``."""
    count = len(ids)
    missing = np.isnan(values)
    status = np.where(missing, np.where(given.connected, "failed", "disconnected"), "ok")
    told = pa.array(list(reasons or [None] * count), pa.string())
    return pa.table(
        {
            "architecture_id": ids,
            "proxy_id": pa.array(np.full(count, proxy_id, dtype=np.int32)),
            "value": pa.array(values, mask=missing),
            "status": status,
            "reason": pc.if_else(pa.array(missing & ~given.connected), _NO_PATH, told),
            "seconds": np.full(count, seconds),
            "run_id": pa.array(np.full(count, run_id, dtype=np.int32)),
        }
    )


def _replace_scores(catalog: Store, proxy_id: int, facts: ProxyFacts, ids: Identifiers, rows: pa.Table) -> None:
    """Store the scores in place of what the column holds, also of weights that an earlier version came with."""
    wanted = {"scored": pa.table({"architecture_id": ids})}
    catalog.execute(
        """
        DELETE FROM score WHERE architecture_id IN (SELECT architecture_id FROM scored) AND source_id IS NULL
            AND proxy_id IN (SELECT id FROM proxy WHERE id = ? OR "column" = ? AND name = ? AND version != ?)
        """,
        [proxy_id, facts.column, facts.name, PUBLISHED_VERSION],
        tables=wanted,
    )
    catalog.append("score", rows)


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
