"""Figures of searches: any-time curves, Pareto fronts and comparisons of methods, as a picture or a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.output_file import replacing

Values = NDArray[np.float64]

PICTURES = (".png", ".svg", ".pdf")
PAGE = ".html"

_DASHES = ("--", ":", "-.")


@dataclass(frozen=True)
class Line:
    """One line of a panel: points, and how far they spread to each side."""

    name: str
    x: Values
    y: Values
    spread: Values | None = None


@dataclass(frozen=True)
class Panel:
    """One set of axes.

    Parameters
    ----------
    across, up
        What the axes show.
    lines
        Drawn as steps, or as points where `points` is set.
    levels
        Horizontal lines by name, for example the best possible value.
    logarithmic
        Whether the horizontal axis is.
    lowest
        Where the vertical axis begins; below everything if None.
    """

    across: str
    up: str
    lines: Sequence[Line]
    levels: Mapping[str, float] = field(default_factory=dict)
    logarithmic: bool = False
    points: bool = False
    lowest: float | None = None


def check_path(path: Path) -> None:
    """Refuse a file that could not be written, before hours are spent on what it is to show.

    Raises
    ------
    UsageError
        Its ending is unknown, or its folder does not exist.
    """
    if path.suffix.lower() not in (*PICTURES, PAGE):
        raise UsageError(f"{path} cannot be drawn: its ending must be one of {', '.join((*PICTURES, PAGE))}.")
    if path.is_dir():
        raise UsageError(f"{path} cannot be drawn: it is a folder; name a file.")
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be drawn: there is no folder {path.parent}; make it first.")


def draw(path: Path, title: str, panels: Sequence[Panel]) -> None:
    """Write a figure; its ending chooses a picture (png, svg, pdf) or a self-contained page (html)."""
    check_path(path)
    with replacing(path) as partial:
        if path.suffix.lower() == PAGE:
            _draw_page(partial, title, panels)
        else:
            _draw_picture(partial, path.suffix[1:].lower(), title, panels)


def _draw_picture(path: Path, kind: str, title: str, panels: Sequence[Panel]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4 * len(panels), 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for line in panel.lines:
            if panel.points:
                axes.plot(line.x, line.y, "o-", label=line.name, markersize=4)
                continue
            (drawn,) = axes.plot(line.x, line.y, drawstyle="steps-post", label=line.name)
            if line.spread is not None:
                low, high = line.y - line.spread, line.y + line.spread
                axes.fill_between(line.x, low, high, step="post", alpha=0.15, color=drawn.get_color(), linewidth=0)
        for (name, level), style in zip(panel.levels.items(), _DASHES, strict=False):
            axes.axhline(level, linestyle=style, color="0.3", label=name)
        axes.set(xlabel=panel.across, ylabel=panel.up, xscale="log" if panel.logarithmic else "linear")
        axes.set_ylim(bottom=panel.lowest)
        axes.grid(alpha=0.3)
        if len(panel.lines) + len(panel.levels) > 1:
            axes.legend(fontsize="small")
    figure.suptitle(title, wrap=True, parse_math=False)
    figure.savefig(path, dpi=150, format=kind)


def _draw_page(path: Path, title: str, panels: Sequence[Panel]) -> None:
    import html

    import plotly.graph_objects as go
    from plotly.colors import qualitative
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=len(panels))
    for column, panel in enumerate(panels, 1):
        for place, line in enumerate(panel.lines):
            colour = qualitative.Plotly[place % len(qualitative.Plotly)]
            error = None if line.spread is None else {"array": line.spread, "thickness": 0.7, "width": 2}
            trace = go.Scatter(
                x=line.x,
                y=line.y,
                error_y=error,
                name=html.escape(line.name),
                mode="markers+lines" if panel.points else "lines",
                line={"shape": "linear" if panel.points else "hv", "color": colour},
                legendgroup=line.name,
                showlegend=column == 1,
            )
            figure.add_trace(trace, row=1, col=column)
        for name, level in panel.levels.items():
            figure.add_hline(level, line_dash="dash", annotation_text=html.escape(name), row=1, col=column)
        kind = "log" if panel.logarithmic else "linear"
        figure.update_xaxes(title_text=html.escape(panel.across), type=kind, row=1, col=column)
        bottom = None if panel.lowest is None else [panel.lowest, None]
        figure.update_yaxes(title_text=html.escape(panel.up), range=bottom, row=1, col=column)
    figure.update_layout(title=html.escape(title), template="plotly_white")
    figure.write_html(path, include_plotlyjs=True)
