"""Which proxies say the same: their correlation matrix and tree, information beside its null, and shared tops."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.report.figure import Choice, Figure, Specification, axis, layout, listed, packed, words
from catalog.report.pool_analysis import TRUTH, PoolAnalysis
from catalog.report.quality_figures import DIVERGING, pools_chooser
from catalog.report.table import slug

SEQUENTIAL = [[0, "middle"], [1, "positive"]]

_CELL = 30
_FRAME = 170
_TREE = 90
_NUMBERS_UP_TO = 20  # columns of a matrix whose cells have room for a number
_CLOSE = 0.9  # proxies of which more than this share of the ranking is common say the same


def matrix_choice(pools: Sequence[PoolAnalysis]) -> Choice:
    """Spearman's rho between proxies, ordered by their tree."""
    return Choice(
        "matrix",
        "Which proxies rank alike.",
        "Spearman's rho between proxies (and the target), ordered so that proxies that say the same stand together; "
        "the tree above joins them at the height 1 − |rho|.",
        (pools_chooser(pools),),
        {(number,): _matrix(found) for number, found in enumerate(pools)},
        _FRAME + _TREE + _CELL * _widest(pools),
        is_wide=True,
    )


def _widest(pools: Sequence[PoolAnalysis]) -> int:
    return max((found.matrix.height for found in pools), default=1)


def _matrix(found: PoolAnalysis) -> Figure:
    order = list(found.clustering.order)
    rows = {str(row["proxy"]): row for row in found.matrix.to_dicts()}
    values = [[_rounded(rows[first][second]) for second in order] for first in reversed(order)]
    share = _TREE / (_FRAME + _TREE + _CELL * len(order))
    names = [words(name) for name in order]
    places = list(range(len(order)))
    heatmap = {
        "type": "heatmap",
        "z": values,
        "x": places,
        "y": places,
        "zmin": -1,
        "zmax": 1,
        "colorscale": DIVERGING,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"thickness": 12, "outlinewidth": 0, "title": {"text": "rho", "side": "right"}},
        "text": [[f"{first} and {second}" for second in names] for first in reversed(names)],
        "hovertemplate": "%{text}: %{z:.3f}<extra></extra>",
        **(
            {"texttemplate": "%{z:.2f}", "textfont": {"size": 9, "color": "ink"}}
            if len(order) <= _NUMBERS_UP_TO
            else {}
        ),
    }
    x: list[float | None] = []
    y: list[float | None] = []
    for across, height in found.clustering.branches:
        x += [*across, None]
        y += [*height, None]
    tree = {
        "type": "scatter",
        "mode": "lines",
        "x": packed_line(x),
        "y": packed_line(y),
        "yaxis": "y2",
        "line": {"color": "quiet", "width": 1.5},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    ends = [-0.5, len(order) - 0.5]
    specification = {
        "data": [heatmap, tree],
        "layout": layout(
            {"tickvals": places, "ticktext": names, "range": ends, "showgrid": False, "tickangle": -60},
            {"tickvals": places, "ticktext": names[::-1], "range": ends, "showgrid": False, "domain": [0, 1 - share]},
            yaxis2={"domain": [1 - share + 0.01, 1], "showgrid": False, "rangemode": "tozero", "showticklabels": False}
            | {"zeroline": False},
        ),
    }
    return Figure(slug("matrix", found.label), "Which proxies rank alike", "", _alike(found), specification)


def packed_line(values: Sequence[float | None]) -> dict[str, str]:
    """The points of a line; None lifts the pen."""
    return packed([float("nan") if value is None else value for value in values])


def _alike(found: PoolAnalysis) -> str:
    rows = {str(row["proxy"]): row for row in found.matrix.to_dicts()}
    names = [name for name in found.clustering.order if name != TRUTH]
    pairs = [
        (abs(rho), f"{first} and {second} ({rho:.2f})")
        for place, first in enumerate(names)
        for second in names[place + 1 :]
        if (rho := rows[first][second]) is not None and abs(rho) > _CLOSE
    ]
    close = [text for _, text in sorted(pairs, reverse=True)]
    return f"Pairs with |rho| above {_CLOSE}: {listed(close)}."


def curve_choice(pools: Sequence[PoolAnalysis]) -> Choice:
    """Information about the target that proxies hold together, beside the same curve for shuffled targets."""
    return Choice(
        "information-curve",
        "Information, beside chance.",
        "Bits about the target's rank that the best 1, 2, 3, ... proxies hold together, on rank bins, less what the "
        "estimator finds by chance. The same search on shuffled targets is drawn beside it. The curve keeps what its "
        "first steps told: whether a later one adds anything stands below it.",
        (pools_chooser(pools),),
        {(number,): _curve(found) for number, found in enumerate(pools) if found.curve.height},
    )


def _curve(found: PoolAnalysis) -> Figure:
    frame = found.curve
    steps = list(frame["step"])
    names = [f"{step}. {words(name)}" for step, name in zip(steps, frame["proxy"], strict=True)]
    band = {
        "type": "scatter",
        "mode": "lines",
        "x": names,
        "y": packed(frame["null_high"]),
        "line": {"color": "quiet", "width": 1, "dash": "dot"},
        "name": "shuffled target, 95 %",
        "hovertemplate": "by chance up to %{y:.3f} bits<extra></extra>",
    }
    null = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": names,
        "y": packed(frame["null_information"]),
        "line": {"color": "quiet", "width": 2},
        "name": "shuffled target, mean",
        "hovertemplate": "by chance %{y:.3f} bits<extra></extra>",
    }
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": names,
        "y": packed(frame["information"]),
        "line": {"color": "series-1", "width": 2.5},
        "marker": {"size": 8},
        "name": "the target",
        "hovertemplate": "%{x}: %{y:.3f} bits<extra></extra>",
    }
    telling = frame["gain"] > frame["gain_high"]
    count = frame.height if telling.all() else int(telling.arg_min() or 0)
    sentence = (
        f"Telling more than chance would beyond those before: {listed(list(frame['proxy'][:count]))}, in this order."
    )
    rest = list(frame["proxy"][count:])
    sentence += f" From {rest[0]} on nothing surely comes in addition." if rest else ""
    specification = {
        "data": [line, null, band],
        "layout": layout({"type": "category"}, axis("bits about the target", rangemode="tozero")),
    }
    return Figure(slug("information-curve", found.label), "Information", "", sentence, specification)


def overlap_choice(pools: Sequence[PoolAnalysis]) -> Choice:
    """Shared architectures in the tops of proxies and target."""
    return Choice(
        "overlap",
        "Shared tops.",
        "Share of the best tenth by one column that is also in the best tenth by the other; unrelated columns share "
        "10 %.",
        (pools_chooser(pools),),
        {(number,): _overlap(found) for number, found in enumerate(pools)},
        _FRAME + _CELL * _widest(pools),
        is_wide=True,
    )


def _overlap(found: PoolAnalysis) -> Figure:
    order = [TRUTH, *found.proxies]
    rows = {str(row["proxy"]): row for row in found.overlap.to_dicts()}
    values = [[_rounded(rows[first][second]) for second in order] for first in reversed(order)]
    with_truth = {name: rows[TRUTH][name] for name in found.proxies if rows[TRUTH][name] is not None}
    best = max(with_truth, key=lambda name: float(with_truth[name]), default=None)
    sentence = f"{best} shares most with the target: {100 * with_truth[best]:.0f} %." if best else "No shared rows."
    return Figure(slug("overlap", found.label), "Shared tops", "", sentence, _square(order, values))


def _square(order: Sequence[str], values: Sequence[Sequence[float | None]]) -> Specification:
    names = [words(name) for name in order]
    heatmap = {
        "type": "heatmap",
        "z": values,
        "x": names,
        "y": names[::-1],
        "zmin": 0,
        "zmax": 1,
        "colorscale": SEQUENTIAL,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"thickness": 12, "outlinewidth": 0, "tickformat": ".0%"},
        "hovertemplate": "%{y} and %{x}: %{z:.1%}<extra></extra>",
        **(
            {"texttemplate": "%{z:.0%}", "textfont": {"size": 9, "color": "ink"}}
            if len(order) <= _NUMBERS_UP_TO
            else {}
        ),
    }
    labels = {"type": "category", "showgrid": False}
    return {"data": [heatmap], "layout": layout({**labels, "tickangle": -60}, labels)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
