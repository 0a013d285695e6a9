"""The one way in: names of proxies of any kind, architectures of a space, and how to measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from catalog.errors import UnknownProxyError, UsageError
from catalog.nearest import did_you_mean
from catalog.progress import Listener
from catalog.spaces.nats_sss import NATSSize
from catalog.storage.runs import Run
from catalog.tables.space_view import SpaceView
from catalog.user_code import is_target
from predictor.door.registry import Kind, is_predictor, predictor_named, predictors
from predictor.scoring.configuration import Column, columns_for
from predictor.scoring.job import BATCH_SECONDS, JobOptions, ignore_progress, measure_missing
from predictor.scoring.outcome import ColumnReport, report
from predictor.scoring.pooled import components_of, predictors_in, store_pooled
from predictor.scoring.predictors import score_space, shipped_digest
from predictor.scoring.selection import Selection, select
from predictor.zero_cost import SUITE_ZERO, MeasureConfig, proxies_named, registered
from predictor.zero_cost.engine import LocalEngine, available_cores
from predictor.zero_cost.measuring import batches_for
from predictor.zero_cost.work import Engine

if TYPE_CHECKING:
    from catalog.storage.store import Store

ALL = "all"
"""The name that stands for the 13 proxies of NAS-Bench-Suite-Zero."""

COMPANIONS = {"synflow": ("logsynflow",)}
"""Proxies that are stored whenever another one is: they share its pass, and cost nothing more."""


@dataclass(frozen=True)
class ScoreOptions:
    """How to score; predictors look at `checkpoint` alone and score the whole space.

    Parameters
    ----------
    config
        How zero-cost proxies are measured; its seed is not looked at.
    seeds
        Seeds 0 to `seeds` - 1 are measured; the wide view shows their mean.
    where, sample, sample_seed
        Which architectures: see `predictor.scoring.selection.select`.
    retry_failed
        Whether scores with the status ``failed`` are measured again.
    engine
        Where; by default on every core of this machine.
    checkpoint
        Folder of a predictor's weights, other than the shipped ones.
    column
        The column of a predictor's scores; by default its name.
    progress
        Gets the measurements done and their number.
    listener
        Hears what predictors do not see of the space.
    batch_seconds
        Time between two stored batches.
    """

    config: MeasureConfig = field(default_factory=MeasureConfig)
    seeds: int = 1
    where: str | None = None
    sample: int | None = None
    sample_seed: int = 0
    retry_failed: bool = False
    engine: Engine | None = None
    checkpoint: Path | None = None
    column: str | None = None
    progress: Callable[[int, int], None] = ignore_progress
    listener: Listener | None = None
    batch_seconds: float = BATCH_SECONDS


@dataclass(frozen=True)
class _Wanted:
    """Names sorted by kind, each once; components of the pooled ones are among the others."""

    predictors: tuple[str, ...]
    measured: tuple[str, ...]
    pooled: tuple[Kind, ...]


def offered() -> dict[str, Sequence[str]]:
    """The names that `score` knows, by kind."""
    kinds = predictors()
    return {
        "predictors": [name for name, kind in kinds.items() if not kind.depends_on_pool],
        "zero-cost": list(registered()),
        "of a pool": [name for name, kind in kinds.items() if kind.depends_on_pool],
    }


def score(
    catalog: Store, space: str, proxies: Sequence[str], options: ScoreOptions | None = None
) -> list[ColumnReport]:
    """Score architectures of a stored space with proxies of any kind, and put the columns into its wide view.

    Zero-cost proxies are a job that can be stopped in any way and called again: it measures the scores that are
    missing. Everything that can be wrong with the arguments is noticed before anything is measured.

    Parameters
    ----------
    proxies
        Names that `offered` lists, or ``all`` for NAS-Bench-Suite-Zero's 13.

    Raises
    ------
    UnknownProxyError
        A name is unknown.
    UsageError
        Another argument is wrong.
    """
    options = options or ScoreOptions()
    wanted = _sorted_by_kind(proxies)
    if any(predictor_named(name).needs.layers for name in wanted.predictors):
        options = replace(options, config=replace(options.config, layerwise=True))
    if options.checkpoint is not None and not wanted.predictors:
        raise UsageError(f"a checkpoint is a predictor's; give it with one of {', '.join(offered()['predictors'])}.")
    if options.column is not None and (len(proxies) != 1 or not wanted.predictors):
        raise UsageError(f"--as {options.column} names the column of one predictor; give it with that one alone.")
    SpaceView.of(catalog, space)
    selection = None
    if wanted.measured or wanted.pooled:
        selection = select(catalog, space, options.where, options.sample, options.sample_seed)
        _check(space, options)
    measured = [] if selection is None else _score_measured(catalog, selection, wanted, options)
    return [*(_score_whole(catalog, space, name, options) for name in wanted.predictors), *measured]


def _score_whole(catalog: Store, space: str, name: str, options: ScoreOptions) -> ColumnReport:
    """A predictor that needs no pool scores the whole space."""
    done = score_space(catalog, space, name, options.checkpoint, column=options.column, listener=options.listener)
    ok = done.scored - done.disconnected - done.failed
    measured = 0 if done.was_known else done.scored
    return ColumnReport(done.column, ok, done.failed, done.disconnected, measured, reason=done.reason)


def _score_measured(catalog: Store, selection: Selection, wanted: _Wanted, options: ScoreOptions) -> list[ColumnReport]:
    """Zero-cost proxies and those that are computed from them, as one run."""
    for name in _missing_predictors(catalog, selection, wanted.pooled):
        score_space(catalog, selection.space, name, listener=options.listener)
    engine = options.engine or LocalEngine(available_cores())
    job = JobOptions(
        options.config, engine, options.seeds, options.retry_failed, options.progress, options.batch_seconds
    )
    with Run.start(catalog, "score", _parameters(selection, wanted, options, engine)) as run:
        with catalog.transaction():
            columns = columns_for(catalog, selection.space, proxies_named(wanted.measured), options.config)
        measure_missing(catalog, selection, columns, job, run.id)
        pooled = store_pooled(catalog, selection, wanted.pooled, columns, options.config, run.id)
        reports = report(catalog, selection, [_key(column) for column in columns], run.id)
        run.detail = " ".join(str(one) for one in reports)
        of_pools = report(catalog, selection, pooled, run.id)
    return [*reports, *(replace(one, is_pooled=True) for one in of_pools)]


def _sorted_by_kind(names: Sequence[str]) -> _Wanted:
    known = offered()
    whole: list[str] = []
    measured: list[str] = []
    pooled: list[Kind] = []
    for name in names:
        if is_predictor(name):
            kind = predictor_named(name)
            if kind.depends_on_pool:
                pooled.append(kind)
            else:
                whole.append(name)
                measured += [column for column in kind.needs.columns if column in known["zero-cost"]]
                measured += kind.needs.layers
        elif name == ALL:
            measured += SUITE_ZERO
        elif name in known["zero-cost"] or is_target(name):
            measured.append(name)
        else:
            listed = "; ".join(f"{kind}: {', '.join(of_kind)}" for kind, of_kind in known.items())
            hint = did_you_mean(name, [one for of_kind in known.values() for one in of_kind])
            raise UnknownProxyError(f"unknown proxy {name!r}. {hint}{listed}; {ALL}: the 13 of NAS-Bench-Suite-Zero.")
    measured += [name for proxy in pooled for name in components_of(proxy) if name in known["zero-cost"]]
    measured += [other for name in measured for other in COMPANIONS.get(name, ())]
    return _Wanted(tuple(dict.fromkeys(whole)), tuple(dict.fromkeys(measured)), tuple(dict.fromkeys(pooled)))


def _check(space: str, options: ScoreOptions) -> None:
    """Refuse what would fail for every architecture alike."""
    if options.seeds < 1 or (options.sample is not None and options.sample < 1):
        raise UsageError(f"{options.seeds} seeds of {options.sample} architectures: both numbers must be at least 1.")
    if space == NATSSize.name:
        raise UsageError(
            f"the architectures of {space} differ in the channels of their stages, and none of our networks has those; "
            "zero-cost proxies measure nb101, nb201, darts and spaces of your own."
        )
    try:
        torch.empty(1, device=options.config.device).add_(1)
    except (RuntimeError, AssertionError) as error:  # PyTorch asserts that it was built for the device
        reason = str(error).partition("\n")[0]
        raise UsageError(f"PyTorch cannot compute on {options.config.device!r} here: {reason}") from error
    batches_for(options.config, space)


def _missing_predictors(catalog: Store, selection: Selection, pooled: Sequence[Kind]) -> list[str]:
    """Predictors that a pool needs and whose shipped weights have not scored all of it."""
    needed = dict.fromkeys(name for proxy in pooled for name in predictors_in(proxy))
    complete = catalog.query(
        """
        SELECT "column", checkpoint_digest FROM score
        JOIN proxy ON proxy.id = proxy_id SEMI JOIN chosen ON chosen.id = architecture_id
        WHERE source_id IS NULL GROUP BY ALL HAVING count(*) = (SELECT count(*) FROM chosen)
        """,
        tables={"chosen": selection.table},
    ).rows()
    return [name for name in needed if (name, shipped_digest(name)) not in complete]


def _parameters(selection: Selection, wanted: _Wanted, options: ScoreOptions, engine: Engine) -> dict[str, object]:
    """How the run was started, as its row in the table ``run`` tells."""
    return {
        "space": selection.space,
        "proxies": [*wanted.measured, *(proxy.name for proxy in wanted.pooled)],
        "where": selection.where,
        "sample": selection.sample,
        "sample_seed": selection.seed,
        "input": options.config.input,
        "seeds": options.seeds,
        "configuration": options.config.recorded(selection.space),
        "layerwise": options.config.layerwise,
        "device": options.config.device,
        "engine": repr(engine),
        "torch": torch.__version__,
    }


def _key(column: Column) -> tuple[str, int, str | None]:
    return column.name, column.proxy_id, column.input
