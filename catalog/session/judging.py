"""Verbs that judge: correlations, motifs, reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.session.handle import Handle, several

if TYPE_CHECKING:
    import polars

    from catalog.analysis.space_correlation import Correlations
    from catalog.report.report import Report


class Judging(Handle):
    """Which proxies work; nothing here changes the file."""

    def correlate(
        self,
        space: str,
        target: str,
        proxies: str | Sequence[str] | None = None,
        where: str | None = None,
        *,
        pool: str = "common",
        intervals: bool = False,
    ) -> Correlations:
        """How well the proxies rank a target; see `catalog.analysis.space_correlation.correlate_space`.

        Parameters
        ----------
        space
            A stored space.
        target
            The column to be ranked.
        proxies
            One column or several to judge; by default all proxy columns.
        where
            SQL condition on the wide view.
        pool
            ``common``: all proxies are compared on the architectures that they have in common; ``own``: each is judged
            on all that it has.
        intervals
            Whether the rows have the ends of 95 % intervals. In a notebook the result draws them in any case.
        """
        from catalog.analysis.space_correlation import correlate_space

        with self._reading() as store:
            return correlate_space(store, space, target, several(proxies), where, pool=pool, with_intervals=intervals)

    def motifs(self, space: str, by: str, *, share: float = 0.01, k: int = 20) -> polars.DataFrame:
        """The `k` small patterns most over-represented among the best by a column; see `catalog.analysis.motifs`.

        Parameters
        ----------
        space
            A stored space.
        by
            The column of its wide view that says what is good.
        share
            Share of the architectures that counts as the best.
        k
            How many patterns.
        """
        from catalog.analysis.motifs import motifs

        with self._reading() as store:
            return motifs(store, space, by, share=share).head(k)

    def report(
        self,
        spaces: str | Sequence[str],
        targets: str | Sequence[str],
        proxies: str | Sequence[str] | None = None,
        where: str | None = None,
        *,
        pool: str = "common",
        out: str | Path | None = None,
        tables: str | Path | None = None,
        columns: Mapping[str, str] | Sequence[str] | None = None,
    ) -> Report:
        """One self-contained page: how well proxies rank, which agree, and which add anything.

        Parameters
        ----------
        spaces, targets, proxies
            One name or several; proxies are columns to judge, by default all proxy columns.
        where
            SQL condition on the wide views.
        pool
            As in `correlate`; in one space one common pool serves all targets.
        out, tables
            A file for the page, and a folder for what a paper takes: a table as LaTeX and CSV, figures as PDF and SVG,
            BibTeX, and how it is made again; checked before the work begins.
        columns
            What columns are called in these files, ``{"nwot": "NASWOT"}`` or texts ``nwot=NASWOT``.

        Raises
        ------
        UnknownSpaceError, UnknownColumnError, UsageError
            A name is unknown, a column holds no numbers, or a file has no place.
        StoreError
            A file cannot be written.
        """
        from catalog.report.paper.display_names import parsed_names
        from catalog.report.places import Places
        from catalog.report.report import build_report

        places, names = Places.checked(out, tables), parsed_names(columns)
        with self._reading() as store, self._listener.watch("rankings analysed") as advance:
            asked = several(spaces), several(targets), several(proxies), where
            built = build_report(store, *asked, pool=pool, names=names, on_pool=advance)
        for sentence in places.write(built):
            self._listener.note(sentence)
        return built
