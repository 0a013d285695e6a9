"""How much better a predictor ranks with more labels: its columns that were trained at several sizes, as curves."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from catalog.analysis.noise_ceiling import CEILING
from catalog.report.figure import Choice, Figure, axis, layout, listed, packed, words
from catalog.report.number_format import readable
from catalog.report.pool_analysis import PoolAnalysis
from catalog.report.quality_figures import SERIES, pools_chooser
from catalog.report.table import slug


def learning_choice(pools: Sequence[PoolAnalysis]) -> Choice:
    """Tau-b against labels, for pools in which a predictor was trained at two sizes or more."""
    figures: dict[tuple[int, ...], Figure] = {
        (number,): figure for number, found in enumerate(pools) if (figure := _curves(found)) is not None
    }
    caption = (
        "Kendall's tau-b with its 95 % interval against the architectures that the predictor was trained on, one point "
        "a column; the line goes through the mean of those of one size. On a common pool all are judged on the same "
        "architectures, without those that any of them was trained on. Dashed is how well two trainings of the same "
        "architectures agree: labels with noise let nobody rank much better."
    )
    return Choice("learning", "Learning curves.", caption, (pools_chooser(pools),), figures)


def learning_curves(found: PoolAnalysis) -> pl.DataFrame:
    """The points of all curves: ``predictor``, ``labels``, ``proxy``, tau-b and its interval.

    A predictor with a single size has no curve.
    """
    judged = found.table.select("proxy", "kendall_tau", "kendall_tau_low", "kendall_tau_high")
    points = found.training_sizes.join(judged, on="proxy").filter(pl.col("kendall_tau").is_not_null())
    several = pl.col("labels").n_unique().over("predictor") > 1
    return points.filter(several).sort("predictor", "labels", "proxy")


def _curves(found: PoolAnalysis) -> Figure | None:
    points = learning_curves(found)
    if points.is_empty():
        return None
    data = []
    sentences = []
    for number, ((name,), own) in enumerate(points.group_by(["predictor"], maintain_order=True)):
        colour = f"series-{number % SERIES + 1}"
        means = own.group_by("labels", maintain_order=True).agg(pl.col("kendall_tau").mean())
        data += [_line(str(name), means, colour), _dots(own, colour)]
        ends = [
            f"{readable(row['kendall_tau'], 3)} with {row['labels']:,} labels"
            for row in (means.row(0, named=True), means.row(-1, named=True))
        ]
        sentences.append(f"{name} has tau {' and '.join(ends)}.")
    ceiling = found.references.filter((pl.col("name") == CEILING) & pl.col("kendall_tau").is_not_null())
    if not ceiling.is_empty():
        data.append(_ceiling(points, float(ceiling["kendall_tau"][0])))
        sentences.append(f"The noise ceiling is {readable(ceiling['kendall_tau'][0], 3)}.")
    if apart := [name for name in points["proxy"] if name in found.apart]:
        sentences.append(f"Judged on other architectures than the rest: {listed(apart)}.")
    specification = {
        "data": data,
        "layout": layout(axis("labels trained on", type="log"), axis("Kendall's tau-b")),
    }
    return Figure(slug("learning", found.label), "Learning curves", "", " ".join(sentences), specification)


def _line(name: str, means: pl.DataFrame, colour: str) -> dict[str, object]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": words(name),
        "x": packed(means["labels"]),
        "y": packed(means["kendall_tau"]),
        "line": {"color": colour, "width": 2},
        "hoverinfo": "skip",
    }


def _dots(own: pl.DataFrame, colour: str) -> dict[str, object]:
    tau, low, high = (own[name].to_numpy() for name in ("kendall_tau", "kendall_tau_low", "kendall_tau_high"))
    return {
        "type": "scatter",
        "mode": "markers",
        "x": packed(own["labels"]),
        "y": packed(tau),
        "text": [words(name) for name in own["proxy"]],
        "showlegend": False,
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": packed(high - tau),
            "arrayminus": packed(tau - low),
            "color": colour,
            "thickness": 1.2,
        },
        "marker": {"color": colour, "size": 8},
        "hovertemplate": "%{text}: tau %{y:.3f} with %{x:,} labels<extra></extra>",
    }


def _ceiling(points: pl.DataFrame, tau: float) -> dict[str, object]:
    labels = points["labels"].to_numpy()
    return {
        "type": "scatter",
        "mode": "lines",
        "name": CEILING,
        "x": packed([labels.min(), labels.max()]),
        "y": packed([tau, tau]),
        "line": {"color": "quiet", "width": 2, "dash": "dash"},
        "hovertemplate": f"{CEILING}: %{{y:.3f}}<extra></extra>",
    }
