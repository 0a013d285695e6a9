"""The figures of a paper: the same bytes for the same report, as PDF and SVG, on white paper."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from catalog.analysis.ranking import RANDOM
from catalog.report.paper.main_table import display
from catalog.report.pool_analysis import TRUTH, PoolAnalysis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Names = Mapping[str, str]
Draw = Callable[["Axes", PoolAnalysis, Names], None]
Shape = tuple[Draw, float, float]
"""What draws a panel, and its width and height in inches."""

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
"""Okabe and Ito's, which colour-blind people tell apart."""

_ACROSS = 2
_WIDTH = 3.4  # inches of a panel, a column of most papers
_ROW = 0.17
_CELL = 0.24
_LETTER = 0.055
_LONGEST = 28  # letters of a label; the table has the whole name
_CURVES = 5
_NUMBERED = 14
_STYLE: Any = {
    "font.size": 7,
    "axes.titlesize": 8,
    "svg.hashsalt": "nas-catalog",
    "pdf.fonttype": 42,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
}


def paper_figures(pools: Sequence[PoolAnalysis], names: Names) -> dict[str, bytes]:
    """File name to content: ``intervals``, ``search`` and ``agreement``, each as ``.pdf`` and ``.svg``.

    With several rankings each figure has a panel for each.
    """
    proxies = max((len(found.proxies) for found in pools), default=1)
    letters = max((len(_text(display(name, names))) for found in pools for name in found.proxies), default=1)
    room = _LETTER * letters
    side = _CELL * (proxies + 1) + room
    shapes: dict[str, Shape] = {
        "intervals": (_intervals, max(_WIDTH, 2 + room), 1.4 + _ROW * proxies),
        "search": (_search, max(_WIDTH, 2 * room + 1), 2.6),
        "agreement": (_agreement, max(_WIDTH, side + 1.2), side + 0.8),
    }
    return dict(_files(pools, names, shapes))


def _files(
    pools: Sequence[PoolAnalysis],
    names: Names,
    shapes: Mapping[str, Shape],
) -> Iterator[tuple[str, bytes]]:
    import matplotlib as mpl

    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # of a stranger's names: drawn as a box
        for name, (draw, width, height) in shapes.items():
            figure = _drawn(pools, names, draw, width, height)
            yield f"{name}.pdf", _saved(figure, "pdf", {"CreationDate": None})
            yield f"{name}.svg", _saved(figure, "svg", {"Date": None})


def _drawn(
    pools: Sequence[PoolAnalysis],
    names: Names,
    draw: Draw,
    width: float,
    height: float,
) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    across = min(_ACROSS, len(pools))
    down = math.ceil(len(pools) / across)
    figure = Figure(figsize=(width * across, height * down), layout="constrained")
    FigureCanvasAgg(figure)
    for place, found in enumerate(pools, 1):
        axes = figure.add_subplot(down, across, place)
        axes.set_title("\n".join(map(_text, display(found.label, names).split(" · "))) if len(pools) > 1 else "")
        draw(axes, found, names)
    return figure


def _saved(figure: Figure, kind: str, metadata: Mapping[str, None]) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()


def _text(text: str) -> str:
    """A name that matplotlib draws as it stands, where a dollar would begin a formula; of a long one the beginning."""
    shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return "".join(sign if sign.isprintable() else " " for sign in shown).replace("$", r"\$")


def _intervals(axes: Axes, found: PoolAnalysis, names: Names) -> None:
    """Tau-b of every proxy with its interval, the best on top, and the reference lines."""
    table = found.table.filter(pl.col("kendall_tau").is_not_null()).reverse()
    places = np.arange(table.height)
    tau, low, high = (table[name].to_numpy() for name in ("kendall_tau", "kendall_tau_low", "kendall_tau_high"))
    axes.hlines(places, low, high, color=_COLOURS[0], linewidth=1.2)
    axes.plot(tau, places, "o", color=_COLOURS[0], markersize=3.2)
    axes.set_yticks(places, [_text(display(name, names)) for name in table["proxy"]])
    lines = found.references.filter((pl.col("name") != RANDOM) & pl.col("kendall_tau").is_not_null())
    for number, (name, value) in enumerate(lines.select("name", "kendall_tau").iter_rows(), 1):
        colour = _COLOURS[number % len(_COLOURS)]
        axes.axvline(value, color=colour, linewidth=0.9, linestyle="--", label=_text(display(name, names)))
    axes.axvline(0, color="#888888", linewidth=0.5)
    axes.set_xlabel("Kendall's tau-b, 95 % intervals")
    _legend(axes)


def _search(axes: Axes, found: PoolAnalysis, names: Names) -> None:
    """The best of the top k by the proxies that find most with ten tries, and by a random order."""
    groups = {str(name): rows for (name,), rows in found.any_time.group_by(["proxy"], maintain_order=True)}
    regret = dict(found.table.select("proxy", "regret_10").iter_rows())
    known = [name for name in found.proxies if name in groups and regret.get(name) is not None]
    shown = sorted(known, key=lambda name: float(regret[name]))[:_CURVES]
    for number, name in enumerate(shown):
        label = _text(display(name, names))
        axes.plot(groups[name]["k"], groups[name]["regret"], color=_COLOURS[number], linewidth=1.1, label=label)
    for name in (name for name in groups if name not in found.proxies):
        axes.plot(
            groups[name]["k"], groups[name]["regret"], color="#888888", linewidth=1, linestyle="--", label=_text(name)
        )
    axes.set_xscale("log")
    axes.set_xlabel("architectures trained")
    axes.set_ylabel(_text(f"regret in {display(found.pool.target, names)}"))
    _legend(axes)


def _agreement(axes: Axes, found: PoolAnalysis, names: Names) -> None:
    """Spearman's rho of all pairs, those that say the same beside one another."""
    order = list(found.clustering.order)
    rows = {str(row["proxy"]): row for row in found.matrix.to_dicts()}
    values = np.array([[_number(rows[first][second]) for second in order] for first in order]).reshape(
        len(order), len(order)
    )
    image = axes.imshow(values, cmap="RdBu", vmin=-1, vmax=1)
    labels = [_text(display(found.pool.target if name == TRUTH else name, names)) for name in order]
    axes.set_xticks(range(len(order)), labels, rotation=90)
    axes.set_yticks(range(len(order)), labels)
    axes.spines[:].set_visible(False)
    if len(order) <= _NUMBERED:
        for (down, across), value in np.ndenumerate(values):
            if np.isfinite(value):
                colour = "white" if abs(value) > 0.6 else "black"
                axes.text(across, down, f"{value:.2f}", ha="center", va="center", fontsize=5, color=colour)
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.7, pad=0.02)
    bar.set_label("Spearman's rho")
    bar.outline.set_visible(False)


def _number(value: object) -> float:
    return math.nan if value is None else float(value)  # type: ignore[arg-type]


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.28), ncols=2, frameon=False, fontsize=6)
