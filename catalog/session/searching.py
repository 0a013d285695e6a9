"""Verbs that search a space."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.session.handle import Handle
from catalog.session.seeds import checked_seed

if TYPE_CHECKING:
    from catalog.search.comparing import MethodComparison
    from catalog.search.result import SearchResult

Bounds = Mapping[str, float] | Sequence[str]
"""Bounds by the formula that they hold for, or as the command line writes them: ``"params=1e6"``."""


class Searching(Handle):
    """``search`` stores what it visits, so the catalog must be open for writing, unless the search is dry."""

    def search(
        self,
        space: str,
        by: str | Sequence[str] = (),
        *,
        method: str | None = None,
        budget: int | None = None,
        seconds: float | None = None,
        where: str | None = None,
        max: Bounds = (),  # noqa: A002 - the command's word
        min: Bounds = (),  # noqa: A002
        seed: int | None = None,
        top: int = 10,
        truth: str | None = None,
        plot: str | Path | None = None,
        resume: int | None = None,
        labels: str | None = None,
        label_command: str | None = None,
        label_name: str | None = None,
        label_timeout: float | None = None,
        lower_is_better: bool = False,
        workers: int = 1,
        predictor: str | None = None,
        options: Mapping[str, object] | Sequence[str] = (),
        acquisition: str | None = None,
        batch: int | None = None,
        dry: bool = False,
    ) -> SearchResult:
        """Search a space for the best architectures by a score, within constraints.

        Parameters
        ----------
        by
            A proxy, a column, or a formula of them; of two or three the Pareto front is sought.
        method, budget, seconds, where, seed, truth, plot
            As the options of ``catalog search``.
        labels, label_command, label_timeout, lower_is_better, workers
            As the options of ``catalog search``.
        predictor, acquisition, batch
            As the options of ``catalog search``.
        options
            The predictor's own options, for example ``{"blind": True}``; ``--set`` of ``catalog search``.
        label_name
            What the command's values are called; ``--as`` of ``catalog search``.
        max, min
            Bounds, for example ``{"params": 1e6}``.
        top
            How many candidates to give.
        resume
            The run to go on with.
        dry
            Store nothing; this works on a catalog that is open for reading too, beside other readers.

        Raises
        ------
        UsageError
            Something named does not exist or does not fit together.
        """
        from catalog.search.request import Request
        from catalog.search.result import search_space
        from catalog.spaces import SPACES

        formulas = (by,) if isinstance(by, str) else tuple(by)
        if resume is None and not formulas and labels is None and label_command is None:
            raise UsageError(
                "a search needs a score; give --by a proxy, a column, or a formula of them, or say with --labels or "
                "--label-command where labels come from."
            )
        given = Request(
            space,
            formulas,
            method,
            budget,
            seconds,
            where,
            _bounds(max),
            _bounds(min),
            checked_seed(seed or 0),
            labels=labels,
            label_command=label_command,
            label_name=label_name,
            label_timeout=label_timeout,
            lower_is_better=lower_is_better,
            predictor=predictor,
            settings=_settings(options),
            acquisition=acquisition,
            batch=batch,
        )
        with self._reading() if dry else self._writing(create=resume is None and space in SPACES) as store:
            return search_space(
                store,
                given,
                seed=seed,
                resume=resume,
                top=top,
                truth=truth,
                plot=None if plot is None else Path(plot),
                workers=workers,
                dry=dry,
                listener=self._listener,
            )

    def search_bench(
        self,
        space: str,
        by: str | None = None,
        *,
        truth: str | None = None,
        budget: int = 1000,
        seeds: int = 10,
        methods: Sequence[str] = (),
        plot: str | Path | None = None,
    ) -> MethodComparison:
        """Compare search methods on a space whose architectures are all stored with their accuracy; stores nothing.

        Parameters
        ----------
        by
            What the methods see; by default a validation accuracy.
        truth
            The column that is reported; by default a test accuracy.
        budget, seeds
            Evaluations of each search, and searches a method.
        methods
            Which; by default all but exhaustive.
        plot
            A file to draw into.

        Raises
        ------
        UsageError
            The catalog does not hold all of the space and its truth, or a name is unknown.
        """
        from catalog.search.comparing import compare_methods

        with self._reading() as store:
            return compare_methods(
                store,
                space,
                by,
                truth,
                budget=budget,
                seeds=seeds,
                methods=methods,
                plot=None if plot is None else Path(plot),
                listener=self._listener,
            )


def _settings(given: Mapping[str, object] | Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, Mapping):
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
        return tuple(f"{name}={text}" for name, text in texts.items())
    return tuple(given)


def _bounds(given: Bounds) -> tuple[str, ...]:
    if isinstance(given, Mapping):
        return tuple(f"{name}={value!r}" for name, value in given.items())
    return tuple(given)
