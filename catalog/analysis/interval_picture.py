"""Coefficients with their intervals as a picture: a row each, a dot between the ends of a line."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_ROW = 22.0
_PLOT = 380.0
_CHARACTER = 7.2  # of the font below
_LONGEST_NAME = 40
_AXIS_HEIGHT = 24.0
_MARGIN = 10.0
_VALUE_WIDTH = 170.0
_MOST_TICKS = 8
_LINE = "#7c8799"  # readable on a white and on a black page
_DOT = "#4f9de8"
_FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, monospace"


@dataclass(frozen=True)
class Row:
    """A named coefficient and the ends of its interval; None where there is none."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def text(self) -> str:
        """The numbers, rounded for the eye."""
        if self.value is None:
            return "not defined"
        ends = "" if self.low is None or self.high is None else f" [{self.low:.3f}, {self.high:.3f}]"
        return f"{self.value:.3f}{ends}"


def draw_intervals(rows: Sequence[Row], title: str) -> str:
    """An SVG picture of coefficients between -1 and 1, in the order of `rows`; it takes the page's text colour."""
    shown = [row.name if len(row.name) <= _LONGEST_NAME else row.name[: _LONGEST_NAME - 1] + "…" for row in rows]
    left = _MARGIN + _CHARACTER * max(map(len, shown), default=0) + 12
    bottom = _MARGIN + _ROW * len(rows)
    width, height = left + _PLOT + 12 + _VALUE_WIDTH, bottom + _AXIS_HEIGHT
    ends = [end for row in rows for end in (row.value, row.low, row.high) if end is not None]
    ticks = _ticks(min(0.0, *ends), max(0.0, *ends)) if ends else _ticks(0.0, 1.0)
    first, last = ticks[0], ticks[-1]

    def across(value: float) -> float:
        return left + _PLOT * (value - first) / (last - first)

    parts = []
    for tick in ticks:
        x, stroke = across(tick), 1.4 if tick == 0 else 0.5
        parts.append(
            f'<path d="M{x:.1f},{_MARGIN:g} V{bottom:.1f}" stroke="{_LINE}" stroke-width="{stroke:g}" '
            f'opacity="{1 if tick == 0 else 0.5:g}"/>'
            f'<text x="{x:.1f}" y="{bottom + 16:.1f}" text-anchor="middle">{_tick_text(tick)}</text>'
        )
    for place, (row, name) in enumerate(zip(rows, shown, strict=True)):
        parts.append(_row_elements(row, name, _MARGIN + _ROW * (place + 0.5), left, across))
    label = escape(f"{title}: " + "; ".join(f"{row.name} {row.text}" for row in rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.1f} {height:.1f}" font-family="{escape(_FONT)}" font-size="12" '
        f'fill="currentColor">\n' + "\n".join(parts) + "\n</svg>"
    )


def _row_elements(row: Row, name: str, y: float, left: float, across: Callable[[float], float]) -> str:
    parts = [
        f"<g><title>{escape(f'{row.name}: {row.text}')}</title>"
        f'<text x="{left - 12:.1f}" y="{y + 4:.1f}" text-anchor="end">{escape(name)}</text>'
        f'<text x="{left + _PLOT + 12:.1f}" y="{y + 4:.1f}">{row.text}</text>'
    ]
    if row.low is not None and row.high is not None:
        low, high = across(row.low), across(row.high)
        parts.append(
            f'<path d="M{low:.1f},{y:.1f} H{high:.1f} M{low:.1f},{y - 4:.1f} v8 M{high:.1f},{y - 4:.1f} v8" '
            f'stroke="{_DOT}" stroke-width="1.6" fill="none"/>'
        )
    if row.value is not None:
        parts.append(f'<circle cx="{across(row.value):.1f}" cy="{y:.1f}" r="4" fill="{_DOT}"/>')
    return "".join(parts) + "</g>"


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers that span `low` to `high`."""
    for step in (0.05, 0.1, 0.2, 0.5):
        first, last = math.floor(low / step), math.ceil(high / step)
        if last - first < _MOST_TICKS:
            break
    return [round(number * step, 2) for number in range(first, max(last, first + 1) + 1)]


def _tick_text(tick: float) -> str:
    return f"{tick:g}".replace("-", "−")
