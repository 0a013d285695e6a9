"""The report: which proxies work, which agree, and which add anything, as one page and as tables."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.analysis.common_pool import narrowed
from catalog.analysis.common_rows import COMMON, checked_pool
from catalog.analysis.pool import Pool, read_pool
from catalog.asking.html_parts import html_list, html_sentences
from catalog.errors import UnknownColumnError, UsageError
from catalog.message import visible
from catalog.output_file import write_text
from catalog.report import independence_figures, learning_curves, quality_figures, relation_figures
from catalog.report.across_tasks import shared_pools, targets_told, task_table
from catalog.report.figure import Choice
from catalog.report.hover_drawings import HoverDrawings
from catalog.report.page import Plotly, render
from catalog.report.paper.display_names import check_names
from catalog.report.paper.main_table import ONE_RANKING
from catalog.report.paper.reproduction import Origins, read_origins
from catalog.report.pool_analysis import PoolAnalysis, find
from catalog.report.pool_tables import named_tables, pool_tables
from catalog.report.sentences import summary
from catalog.report.table import Table, slug
from catalog.storage.runs import package_versions
from catalog.tables.space_view import SpaceView
from catalog.tables.views import proxy_directions

if TYPE_CHECKING:
    from catalog.storage.store import Store


_HOW_TO_SAVE = 'All figures and tables are on the page: save it with .save("report.html").'
_PACKAGES = ("numpy", "polars", "scikit-learn", "scipy", "plotly")


@dataclass(frozen=True, eq=False)
class Report:
    """What was found, ready to be shown.

    Parameters
    ----------
    pools
        One for each space and target.
    drawings
        Space to the architectures that figures show, as the page's script reads them.
    figures
        Name to figure, as the template asks for them.
    command
        The command that makes this report again.
    origins
        Where its columns come from, for the files of a paper.
    names
        What columns are called in a paper.
    """

    pools: tuple[PoolAnalysis, ...]
    drawings: dict[str, Any]
    figures: dict[str, Choice]
    command: str
    origins: Origins
    names: dict[str, str]

    @property
    def versions(self) -> dict[str, str]:
        """Versions of what changes the numbers."""
        return package_versions() | {name: version(name) for name in _PACKAGES}

    @property
    def tables(self) -> list[Table]:
        """All tables, as they are written to files."""
        across = [task_table(self.pools)] if len(self.pools) > 1 else []
        return [*across, *(table for found in self.pools for table in pool_tables(found))]

    def page(self, plotly: Plotly | str = "inline", *, served: bool = False) -> str:
        """The HTML page; `plotly` and `served` as in `catalog.report.page.render`."""
        spaces = list(dict.fromkeys(found.pool.space for found in self.pools))
        return render(
            "report.html",
            title=f"Report: {', '.join(spaces)}",
            plotly=plotly,
            served=served,
            spaces=spaces,
            parts=[_part(found) for found in self.pools],
            across=task_table(self.pools) if len(self.pools) > 1 else None,
            shared=shared_pools(self.pools),
            targets_told=targets_told(self.pools),
            has_seeds=any(found.seeds.height for found in self.pools),
            figures=self.figures,
            drawings=self.drawings,
            command=self.command,
            versions=self.versions,
        )

    @property
    def summary(self) -> str:
        """What was found, in sentences that the intervals support."""
        return visible(
            "\n".join(line for found in self.pools for line in (found.label, *(f"  {one}" for one in summary(found))))
        )

    def save(self, path: str | Path) -> Path:
        """Write the page into a file.

        Raises
        ------
        StoreError
            The file cannot be written.
        """
        write_text(Path(path), self.page())
        return Path(path)

    def __repr__(self) -> str:
        return f"{self.summary}\n{_HOW_TO_SAVE}"

    def _repr_html_(self) -> str:
        found = [f"<p><b>{escape(pool.label)}</b></p>\n{html_list(summary(pool))}" for pool in self.pools]
        return "\n".join([*found, html_sentences([_HOW_TO_SAVE])])


def build_report(
    catalog: Store,
    spaces: Sequence[str],
    targets: Sequence[str],
    proxies: Sequence[str] | None = None,
    where: str | None = None,
    *,
    pool: str = COMMON,
    names: Mapping[str, str] | None = None,
    command: str | None = None,
    on_pool: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Analyse every target of every space.

    Parameters
    ----------
    catalog
        The open catalog.
    spaces, targets
        A target that only some of the spaces have is reported for those.
    proxies
        Columns to judge, where a space has them; by default all proxy columns but the spreads of ensembles.
    where
        SQL condition on the wide views that chooses the architectures.
    pool
        ``common``: all proxies are compared on the architectures that they have in common, one such pool for all
        targets of a space; ``own``: each is judged on all that it has.
    names
        Column, space or heading to what it is called in the files of a paper.
    command
        The command that makes this report again, for the page; by default `catalog report`.
    on_pool
        Told how many pools are analysed, of how many.

    Raises
    ------
    UnknownSpaceError, UnknownColumnError, UsageError
        A name is unknown in all spaces, or a column holds no numbers.
    """
    is_common = checked_pool(pool) == COMMON
    check_names(names or {}, _known_names(catalog, spaces))
    read = [read_pool(catalog, *task, where) for task in _tasks(catalog, spaces, targets, proxies)]
    if empty := [one for one in read if not one.known.any()]:
        condition = f" for which {where} holds" if where else ""
        raise UsageError(
            f"{empty[0].space} · {empty[0].target} has no architecture with a value{condition}; choose another target "
            "or condition."
        )
    pools: list[PoolAnalysis] = []
    on_pool(0, len(read))
    for one in _compared(read) if is_common else read:
        pools.append(find(catalog, one))
        on_pool(len(pools), len(read))
    return _report(catalog, pools, command or _command(spaces, targets, proxies, where, pool, names or {}), names or {})


def _known_names(catalog: Store, spaces: Sequence[str]) -> list[str]:
    """What can be given another name in a paper."""
    columns = [column for space in spaces for column in SpaceView.of(catalog, space).columns]
    return [*columns, *spaces, *ONE_RANKING, "mean_rank", "noise ceiling", "random"]


def _compared(pools: Sequence[Pool]) -> list[Pool]:
    """The pools, those of each space on the architectures that they have in common."""
    of_space: dict[str, list[Pool]] = {}
    for pool in pools:
        of_space.setdefault(pool.space, []).append(pool)
    return [pool for members in of_space.values() for pool in narrowed(members)]


def _command(
    spaces: Sequence[str],
    targets: Sequence[str],
    proxies: Sequence[str] | None,
    where: str | None,
    pool: str,
    names: Mapping[str, str],
) -> str:
    """What was asked, without the places of files on this machine."""
    words = ["catalog", "report", *spaces]
    words += [word for target in targets for word in ("--target", target)]
    words += [word for proxy in proxies or () for word in ("--proxy", proxy)]
    words += ["--where", where] if where else []
    words += ["--pool", pool] if pool != COMMON else []
    words += [word for column, name in names.items() for word in ("--columns", f"{column}={name}")]
    return shlex.join(words)


def _tasks(
    catalog: Store, spaces: Sequence[str], targets: Sequence[str], proxies: Sequence[str] | None
) -> list[tuple[str, str, list[str] | None]]:
    """(space, target, proxies) of every pool; a name that no space has is an error."""
    if not spaces or not targets:
        raise UsageError("a report needs a space and a target.")
    views = {space: SpaceView.of(catalog, space) for space in dict.fromkeys(spaces)}
    first = next(iter(views.values()))
    for column in [*targets, *(proxies or ())]:
        if not any(column in view.columns for view in views.values()):
            first.checked(column)
    tasks: list[tuple[str, str, list[str] | None]] = []
    for space, view in views.items():
        names = [name for name in dict.fromkeys(proxies) if name in view.columns] if proxies else None
        if names is None and not proxy_directions(catalog, space):
            raise UsageError(f"{space} has no proxy to judge; score it first with `catalog score {space} --proxy ...`.")
        if names == []:
            raise UnknownColumnError(f"{space} has none of the proxies {', '.join(proxies or ())}; score it first.")
        tasks += [(space, target, names) for target in dict.fromkeys(targets) if target in view.columns]
    missing = [space for space in views if space not in {task[0] for task in tasks}]
    if missing:
        raise UnknownColumnError(
            f"{missing[0]} has none of the targets {', '.join(targets)}; name one of its columns with --target, or "
            "leave the space out."
        )
    return tasks


def _report(catalog: Store, pools: list[PoolAnalysis], command: str, names: Mapping[str, str]) -> Report:
    spaces = list(dict.fromkeys(found.pool.space for found in pools))
    drawn = {space: HoverDrawings(slug("cells", space)) for space in spaces}
    proxies = list(dict.fromkeys(name for found in pools for name in found.proxies))
    values, ranks = relation_figures.relation_choices(pools, proxies, drawn)
    figures = {
        "relation": values,
        "ranks": ranks,
        "forest": quality_figures.forest_choice(pools),
        "learning": learning_curves.learning_choice(pools),
        "any_time": quality_figures.any_time_choice(pools),
        "quantiles": quality_figures.quantile_choice(pools),
        "cost": quality_figures.cost_choice(pools),
        "matrix": independence_figures.matrix_choice(pools),
        "curve": independence_figures.curve_choice(pools),
        "overlap": independence_figures.overlap_choice(pools),
    }
    contents = {drawings.identifier: drawings.content(catalog, space) for space, drawings in drawn.items()}
    return Report(tuple(pools), contents, figures, command, read_origins(catalog, pools), dict(names))


def _unscored(found: PoolAnalysis) -> dict[str, int]:
    """Of each proxy the architectures without a score, less those that were left out because it was trained on them."""
    counts = dict(found.table.select("proxy", "missing").iter_rows())
    return {name: rest for name, count in counts.items() if (rest := count - found.pool.left_out[name])}


def _part(found: PoolAnalysis) -> dict[str, Any]:
    """What the template says about one pool."""
    return {
        "label": found.label,
        "pool": found.pool,
        "known": int(found.pool.known.sum()),
        "functions": len(set(found.pool.functions[found.pool.known].tolist())),
        "compared": found.compared,
        "is_common": found.pool.common is not None,
        "members": found.pool.common.members if found.pool.common is not None else (),
        "judged": int(found.pool.judged.sum()),
        "summary": summary(found),
        "left_out": {name: count for name, count in found.pool.left_out.items() if count},
        "disconnected": {name: count for name, count in found.pool.disconnected.items() if count},
        "repeats": found.repeats,
        "lines": found.lines,
        "missing": _unscored(found),
        **named_tables(found),
    }
