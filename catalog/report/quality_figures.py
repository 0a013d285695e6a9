"""How well proxies rank: intervals, what the top k holds, where they stop working, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from catalog.analysis.ranking import RANDOM
from catalog.report.figure import Choice, Chooser, Figure, axis, layout, listed, packed, words
from catalog.report.number_format import readable
from catalog.report.pool_analysis import PoolAnalysis
from catalog.report.table import slug

SERIES = 8
"""Colours of lines; further lines repeat them dashed."""

_ROW_HEIGHT = 25
_FRAME_HEIGHT = 130
_SHOWN_LINES = 5  # further ones wait in the legend
DIVERGING = [[0, "negative"], [0.5, "middle"], [1, "positive"]]


def pools_chooser(pools: Sequence[PoolAnalysis]) -> Chooser:
    """The list of pools that the whole page follows."""
    return Chooser("pool", "Ranking of", tuple(found.label for found in pools), is_shown=False)


def forest_choice(pools: Sequence[PoolAnalysis]) -> Choice:
    """Tau-b of every proxy with its interval, and the reference lines."""
    height = _FRAME_HEIGHT + _ROW_HEIGHT * max((len(found.proxies) for found in pools), default=0)
    return Choice(
        "forest",
        "Intervals.",
        "Kendall's tau-b with its 95 % interval, best first. Lines are what the proxies are held against.",
        (pools_chooser(pools),),
        {(number,): _forest(found) for number, found in enumerate(pools)},
        height,
    )


def _forest(found: PoolAnalysis) -> Figure:
    table = found.table.filter(pl.col("kendall_tau").is_not_null()).reverse()
    names = [words(name) for name in table["proxy"]]
    values, low, high = (table[name].to_numpy() for name in ("kendall_tau", "kendall_tau_low", "kendall_tau_high"))
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": packed(values),
        "y": names,
        "showlegend": False,
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": packed(high - values),
            "arrayminus": packed(values - low),
            "color": "series-1",
            "thickness": 1.6,
            "width": 4,
        },
        "marker": {"color": "series-1", "size": 8},
        "hovertemplate": "%{y}: %{x:.3f}<extra></extra>",
    }
    lines = [
        _reference_line(row["name"], row["kendall_tau"], f"series-{number}", names)
        for number, row in enumerate(_lines(found), 2)
    ]
    specification = {
        "data": [dots, *lines],
        "layout": layout(
            axis("Kendall's tau-b", zeroline=True, zerolinecolor="quiet"),
            {"type": "category", "categoryorder": "array", "categoryarray": names},
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        ),
    }
    first = found.table.row(0, named=True) if found.proxies else None
    best = f"The highest tau is {readable(first['kendall_tau'], 3)}, of {first['proxy']}." if first else "No proxy."
    against = [f"{row['name']} {readable(row['kendall_tau'], 3)}" for row in _lines(found)]
    sentence = f"{best} Reference lines: {listed(against)}."
    return Figure(slug("forest", found.label), "Intervals", "", sentence + _not_beside_the_lines(found), specification)


def _not_beside_the_lines(found: PoolAnalysis) -> str:
    """A warning where dots and lines are over different architectures."""
    common = found.pool.common
    if common is None:
        over, how = "all architectures", "cover fewer"
        others = list(found.table.filter(pl.col("missing") > 0)["proxy"])
    else:
        over, how, others = f"the {len(common):,} architectures that are compared", "are over others", found.apart
    if not others:
        return ""
    return (
        f" The lines are over {over} and {listed(others)} {how}: a dot beside a line says nothing there, the verdicts "
        "of the table do."
    )


def _lines(found: PoolAnalysis) -> list[dict[str, float | str]]:
    kept = found.references.filter((pl.col("name") != RANDOM) & pl.col("kendall_tau").is_not_null())
    return kept.to_dicts()


def _reference_line(name: object, value: object, colour: str, proxies: Sequence[str]) -> dict[str, object]:
    ends = [proxies[0], proxies[-1]] if proxies else []
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [value] * len(ends),
        "y": ends,
        "name": words(name),
        "line": {"color": colour, "width": 1.5, "dash": "dash"},
        "hovertemplate": "%{fullData.name}: %{x:.3f}<extra></extra>",
    }


def any_time_choice(pools: Sequence[PoolAnalysis]) -> Choice:
    """The best of the top k by each proxy."""
    return Choice(
        "any-time",
        "Best of the top k.",
        "What somebody finds who trains the k architectures that a proxy likes best, on average over ties, "
        "as distance from the best of those it scores. Press a name to show or hide its line.",
        (pools_chooser(pools),),
        {(number,): _any_time(found) for number, found in enumerate(pools)},
        is_wide=True,
    )


def _any_time(found: PoolAnalysis) -> Figure:
    frame = found.any_time
    groups = {str(name): group for (name,), group in frame.group_by(["proxy"], maintain_order=True)}
    names = [*found.proxies, *(name for name in groups if name not in found.proxies)]
    regret = {name: _regret_at(groups[name], 10) for name in names if name in groups}
    shown = sorted((name for name in found.proxies if name in regret), key=regret.__getitem__)[:_SHOWN_LINES]
    lines = []
    for number, name in enumerate(name for name in names if name in groups):
        style: dict[str, object] = {"color": f"series-{number % SERIES + 1}", "width": 2}
        if name not in found.proxies:
            style = {"color": "quiet", "width": 2, "dash": "dash"}
        elif number >= SERIES:
            style["dash"] = "dot"
        lines.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": words(name),
                "line": style,
                "x": packed(groups[name]["k"]),
                "y": packed(groups[name]["regret"]),
                "visible": True if name in shown or name not in found.proxies else "legendonly",
                "hovertemplate": "%{fullData.name}: %{y:.3f} after %{x:.0f}<extra></extra>",
            }
        )
    best = shown[0] if shown else None
    sentence = f"Ten tries by {best} come within {readable(regret[best], 2)} of the best." if best else "No proxy."
    vertical = axis(f"regret in {found.pool.target}", rangemode="tozero")
    specification = {"data": lines, "layout": layout(axis("architectures trained", type="log"), vertical)}
    return Figure(slug("any-time", found.label), "Best of the top k", "", sentence, specification)


def _regret_at(group: pl.DataFrame, count: int) -> float:
    """The regret after `count` tries, or after the nearest number of tries that the curve has."""
    nearest = group.sort((pl.col("k") - count).abs(), maintain_order=True)
    value = nearest["regret"][0]
    return float("inf") if value is None else float(value)


def quantile_choice(pools: Sequence[PoolAnalysis]) -> Choice:
    """Tau inside slices of equal size of the target."""
    height = _FRAME_HEIGHT + _ROW_HEIGHT * max((len(found.proxies) for found in pools), default=0)
    return Choice(
        "quantiles",
        "Where a proxy stops working.",
        "Kendall's tau-b inside each tenth of the pool by the target, the worst architectures to the left. Slices are "
        "narrow, so every tau is lower than over the whole pool: compare them with each other alone.",
        (pools_chooser(pools),),
        {(number,): _quantiles(found) for number, found in enumerate(pools)},
        height,
        is_wide=True,
    )


def _quantiles(found: PoolAnalysis) -> Figure:
    frame = found.quantiles
    proxies = [name for name in reversed(found.proxies) if name in set(frame["proxy"])]
    parts = sorted(set(frame["part"]))
    wide = {name: group for (name,), group in frame.group_by(["proxy"])}
    rows = [dict(zip(wide[name]["part"], wide[name]["kendall_tau"], strict=True)) for name in proxies]
    values = [[_rounded(row.get(part)) for part in parts] for row in rows]
    first = frame.unique("part").sort("part")
    ticks = [
        f"{100 * low:.0f}–{100 * high:.0f} %" for low, high in zip(first["from_share"], first["to_share"], strict=True)
    ]
    reach = max((abs(value) for row in values for value in row if value is not None), default=1.0)
    heatmap = {
        "type": "heatmap",
        "z": values,
        "x": ticks,
        "y": [words(name) for name in proxies],
        "zmin": -reach,
        "zmax": reach,
        "colorscale": DIVERGING,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"thickness": 12, "outlinewidth": 0, "title": {"text": "tau-b", "side": "right"}},
        "hovertemplate": "%{y}, %{x}: %{z:.2f}<extra></extra>",
        "texttemplate": "%{z:.2f}",
        "textfont": {"size": 10, "color": "ink"},
    }
    horizontal = axis(f"slice of the pool by {found.pool.target}", type="category")
    specification = {"data": [heatmap], "layout": layout(horizontal, {"type": "category"})}
    return Figure(slug("quantiles", found.label), "By slice", "", _quantile_sentence(found), specification)


def _quantile_sentence(found: PoolAnalysis) -> str:
    """Which proxies still rank inside the best slice, by their intervals."""
    if found.quantiles.is_empty():
        return "The pool is too small for slices."
    top = found.quantiles.filter(pl.col("part") == pl.col("part").max())
    still = [name for name in found.proxies if name in set(top.filter(pl.col("kendall_tau_low") > 0)["proxy"])]
    against = [name for name in found.proxies if name in set(top.filter(pl.col("kendall_tau_high") < 0)["proxy"])]
    sentence = f"Inside the best slice, intervals above zero: {listed(still)}"
    return f"{sentence}; below zero, ranking it the wrong way round: {listed(against)}."


def cost_choice(pools: Sequence[PoolAnalysis]) -> Choice:
    """Seconds an architecture against tau-b."""
    figures: dict[tuple[int, ...], Figure] = {
        (number,): figure for number, found in enumerate(pools) if (figure := _cost(found)) is not None
    }
    caption = "Seconds an architecture, as measured when the scores were made, against Kendall's tau-b."
    return Choice("cost", "Cost against quality.", caption, (pools_chooser(pools),), figures)


def _cost(found: PoolAnalysis) -> Figure | None:
    timed = found.table.filter((pl.col("seconds") > 0) & pl.col("kendall_tau").is_not_null())
    if timed.is_empty():
        return None
    tau = timed["kendall_tau"].to_numpy()
    dots = {
        "type": "scatter",
        "mode": "markers+text",
        "x": packed(timed["seconds"]),
        "y": packed(tau),
        "text": [words(name) for name in timed["proxy"]],
        "textposition": "top center",
        "showlegend": False,
        "cliponaxis": False,
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": packed(timed["kendall_tau_high"].to_numpy() - tau),
            "arrayminus": packed(tau - timed["kendall_tau_low"].to_numpy()),
            "color": "series-1",
            "thickness": 1.2,
        },
        "marker": {"color": "series-1", "size": 9},
        "hovertemplate": "%{text}: %{x:.3g} s, tau %{y:.3f}<extra></extra>",
    }
    left_out = [name for name in found.proxies if name not in set(timed["proxy"])]
    sentence = f"Measured: {listed(list(timed['proxy']))}."
    sentence += f" Without measured seconds: {listed(left_out)}." if left_out else ""
    specification = {
        "data": [dots],
        "layout": layout(axis("seconds an architecture", type="log"), axis("Kendall's tau-b", rangemode="tozero")),
    }
    return Figure(slug("cost", found.label), "Cost against quality", "", sentence, specification)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
