"""TG-NAS beside zero-cost proxies on every space, fused with them, and what they say alike.

    python -m benchmarks.tg_nas_beside_proxies table|fusion --folder DIR
    python -m benchmarks.tg_nas_beside_proxies alike --folder DIR [--picture docs/images/tg_nas_proxies.svg]

The folder gets one catalog with the truth of all spaces, the scores that come with the package (`catalog ingest
proxies-by-space`: at most 95 architectures a space) and those that benchmarks published; nothing is measured but TG-NAS
itself. An architecture that a proxy has no value for ranks last where it has no path, and is left out elsewhere.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import kendalltau, rankdata

import catalog
from benchmarks.protocol.spaces import data_folder
from benchmarks.proxies_by_space import HEADLINE
from catalog.analysis.independence import Ranks
from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables.direction import is_cost
from ingest.formats.proxies_by_space import TABLE
from predictor.door.registry import predictor_named
from predictor.pooled.ranks import led, votes
from predictor.scoring.candidates import CandidateScorer

Values = NDArray[np.float64]

FILES: Mapping[str, tuple[str, ...]] = {
    "nasbench-macro": ("spaces/nasbench_macro.csv.gz",),
    "naap440": ("spaces/naap440.jsonl.gz",),
    "accel-nasbench": ("spaces/accel_nasbench.csv.gz",),
    "ofa": ("spaces/ofa_mobilenetv3.csv.gz",),
    "autoformer": ("spaces/autoformer.jsonl.gz",),
    "flexibert": ("spaces/flexibert.jsonl.gz",),
    "decoder-lm": ("spaces/decoder_lm.csv.gz",),
    "face-landmark": ("spaces/face_landmark.csv.gz",),
    "transnas-micro": ("spaces/tnb101_micro.csv.gz",),
    "nasbench201": (
        "nb201/nb201_v1.1_200ep.csv.gz",
        "nb201/published_proxies_cifar10.csv.gz",
        "nb201/published_proxies_imagenet16.csv.gz",
    ),
    "nasbench301": ("nb301/zc_*.json",),
}
"""Commands of `catalog ingest` with their files in the folder of public tables."""

PROXIES = ("snip", "fisher", "synflow", "zen", "grad_norm", "nwot")
COUNTED = ("params", "flops", "root_macs")
MEMBERS = predictor_named("tg_nas_zc").needs.columns[1:]
"""What `tg_nas_zc` fuses with its leader."""
OURS = ("tg_nas", "tg_nas_universal")
EVERY = ("epe_nas", "fisher", "flops", "grad_norm", "grasp", "jacov", "l2_norm", "nwot", "params", "plain")
SUITE_ZERO = (*EVERY, "snip", "synflow", "zen")
"""The thirteen of NAS-Bench-Suite-Zero."""

PACKAGED = "_published_photos"
"""Ending of the columns of the package's own scores."""

SAMPLE, SEED = 1_000, 0


@dataclass(frozen=True)
class Target:
    """A space, what it is judged by, and whose values of proxies stand beside it.

    Parameters
    ----------
    ending
        Of the proxies' columns.
    """

    space: str
    truth: str
    ending: str


def targets() -> list[Target]:
    """Every space with the package's own scores, then those with published ones."""
    own = [Target(space, truth, PACKAGED) for space, truth in HEADLINE.items()]
    names = ("cifar10", "cifar100", "imagenet16_120")
    published = [
        Target("nb201", f"{name}_test_accuracy", "_published" + (f"_{name}" if name.startswith("imagenet") else ""))
        for name in names
    ]
    return [*own, *published, Target("darts", "cifar10_valid_accuracy_surrogate", "_published")]


def truth_of(folder: Path) -> Path:
    """The catalog of all public tables; it is made if it is not there."""
    path = folder / "truth.duckdb"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    making = path.with_suffix(".part.duckdb")
    making.unlink(missing_ok=True)
    with catalog.open(making, mode="write") as opened:
        for command, patterns in FILES.items():
            opened.ingest(command, *(file for one in patterns for file in sorted(data_folder().glob(one))))
        opened.ingest("proxies-by-space")
    making.rename(path)
    return path


@dataclass(frozen=True)
class Pool:
    """The architectures of a target that any proxy was measured on.

    Parameters
    ----------
    truth
        (A,) higher is better.
    scores
        By name: (A,) values, NaN where there is none, minus infinity without a path.
    """

    target: Target
    truth: Values
    scores: Mapping[str, Values]

    def tau(self, name: str) -> tuple[float, int]:
        """Kendall's tau-b over the architectures that have a value, and how many they are."""
        values = self.scores.get(name, np.full(len(self.truth), np.nan))
        known = ~np.isnan(values)
        return (float(kendalltau(values[known], self.truth[known])[0]) if known.any() else np.nan), int(known.sum())


def pool_of(path: Path, target: Target, ours: Sequence[str], proxies: Sequence[str] = PROXIES) -> Pool:
    """Read a target's columns, and score its architectures by TG-NAS."""
    space = space_named(target.space)
    with Store.open(path) as store:
        turned = -1.0 if is_cost(store, target.space, target.truth) else 1.0
    with catalog.open(path) as opened:
        there = set(opened.query(f'SELECT * FROM "{target.space}" LIMIT 0').columns)
        columns = {name: _column(name, target, there) for name in proxies}
        columns = {name: column for name, column in columns.items() if column is not None}
        wanted = [*columns.values(), *(name for name in COUNTED if name in there), target.truth]
        chosen = " OR ".join(f'"{column}" IS NOT NULL' for column in columns.values())
        if target.ending == PACKAGED:
            chosen = f'"{space.native_id_name}" IN ({", ".join(map(_quoted, _packaged(target.space)))})'
        listed = ", ".join(f'"{name}"' for name in dict.fromkeys(wanted))
        frame = opened.query(
            f'SELECT "{space.native_id_name}" AS id, {listed} FROM "{target.space}" '
            f'WHERE ({chosen}) AND "{target.truth}" IS NOT NULL ORDER BY id'
        )
    native = [space.graph(name) for name in frame["id"]]
    canonical = [graph.canonical for graph in native]
    dead = np.array([not graph.is_connected for graph in canonical])
    scores = {name: _numbers(frame[column]) for name, column in columns.items()}
    scores |= {name: _numbers(frame[name]) for name in COUNTED if name in frame.columns}
    scores |= {name: CandidateScorer(space, [name]).score(native, canonical)[name] for name in ours}
    ranked = {name: np.where(dead, -np.inf, values) for name, values in scores.items()}
    return Pool(target, _numbers(frame[target.truth]) * turned, ranked)


def _column(name: str, target: Target, there: Collection[str]) -> str | None:
    """The column of a proxy; benchmarks publish the logarithm of synflow, which ranks as synflow does."""
    return next((column for column in (name + target.ending, "log" + name + target.ending) if column in there), None)


def _packaged(space: str) -> list[str]:
    """The architectures that the package's scores are of, those without a path among them."""
    return sorted(set(pl.read_parquet(TABLE).filter(pl.col("space") == space)["architecture"]))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _numbers(column: pl.Series) -> Values:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def table(folder: Path, ours: Sequence[str]) -> Iterator[str]:
    """Kendall's tau-b of every proxy on every target."""
    path, names = truth_of(folder), (*PROXIES, *COUNTED, *ours)
    yield "| space, truth | n | " + " | ".join(f"`{name}`" for name in names) + " |"
    yield "|---|---|" + "---|" * len(names)
    for target in targets():
        pool = pool_of(path, target, ours)
        cells = []
        for name in names:
            tau, count = pool.tau(name)
            cells.append("-" if np.isnan(tau) else f"{tau:.2f}" + (f" of {count}" if count < len(pool.truth) else ""))
        title = f"{target.space}, {target.truth}" + (", published" if target.ending != PACKAGED else "")
        yield f"| {title} | {len(pool.truth):,} | " + " | ".join(cells) + " |"


def fusion(folder: Path, ours: Sequence[str]) -> Iterator[str]:
    """Each leader, and the fusion of `tg_nas_zc` that it leads; both read no label of any space."""
    path, leaders = truth_of(folder), ("root_macs", *ours)
    names = [title for leader in leaders for title in (f"`{leader}`", "fused")]
    yield "| space, truth | n | " + " | ".join(names) + " | votes, led by the last |"
    yield "|---|---|" + "---|" * (len(names) + 1)
    found = []
    for target in targets():
        if target.ending != PACKAGED:
            continue
        pool = _measured(pool_of(path, target, ours, MEMBERS))
        members = [np.nan_to_num(pool.scores[name], nan=-np.inf) for name in MEMBERS]
        taus = []
        for leader in leaders:
            fused = led(pool.scores[leader], *members)
            taus += [pool.tau(leader)[0], float(kendalltau(fused, pool.truth)[0])]
        told = ", ".join(f"{vote:.2f}" for vote in votes(pool.scores[leaders[-1]], *members))
        found.append(taus)
        yield _row(f"{target.space}, {target.truth}", f"{len(pool.truth)}", taus, told)
    yield _row("mean", "", np.mean(found, axis=0), "")


def _measured(pool: Pool) -> Pool:
    """The architectures of which any member was measured, or has nothing to measure."""
    kept = ~np.all([np.isnan(pool.scores[name]) for name in MEMBERS], axis=0)
    return Pool(pool.target, pool.truth[kept], {name: values[kept] for name, values in pool.scores.items()})


def _row(title: str, count: str, taus: Sequence[float] | Values, more: str) -> str:
    return f"| {title} | {count} | " + " | ".join(f"{tau:.3f}" for tau in taus) + f" | {more} |"


def alike(folder: Path, ours: Sequence[str], picture: Path | None) -> Iterator[str]:
    """What is said alike on random cells of NAS-Bench-201, and what remains of it beyond parameters."""
    target = Target("nb201", "cifar10_test_accuracy", "_published")
    pool = pool_of(truth_of(folder), target, ours, SUITE_ZERO)
    draw = np.random.default_rng(SEED)
    rows = np.sort(draw.permutation(len(pool.truth))[:SAMPLE])
    columns = {name: values[rows] for name, values in pool.scores.items()}
    usable = np.all([np.isfinite(values) for values in columns.values()], axis=0)
    columns = {name: values[usable] for name, values in columns.items()}
    columns["accuracy"] = pool.truth[rows][usable]
    columns["random"] = draw.standard_normal(int(usable.sum()))
    columns["accuracy, half noise"] = rankdata(columns["accuracy"]) + rankdata(draw.standard_normal(int(usable.sum())))
    ranks = Ranks.of(columns)
    names = list(columns)
    matrix = np.array([[ranks.rho(one, other) for other in names] for one in names])
    others = [place for place, name in enumerate(names) if name in {*SUITE_ZERO, *ours}]
    yield f"{int(usable.sum()):,} cells, Spearman's rho\n"
    yield "| | mean of absolute rho with the other proxies | rho with accuracy | the same given params |"
    yield "|---|---|---|---|"
    everything = np.ones(int(usable.sum()), dtype=bool)
    for place, name in enumerate(names):
        if name == "accuracy":
            continue
        mean = np.abs(np.delete(matrix[place, others], others.index(place) if place in others else [])).mean()
        agreement, beyond = matrix[place, names.index("accuracy")], _given(ranks, name, everything)
        yield f"| {name} | {mean:.2f} | {agreement:.2f} | {'' if np.isnan(beyond) else f'{beyond:.2f}'} |"
    if picture is not None:
        draw_map(names, matrix, picture)


def _given(ranks: Ranks, name: str, rows: NDArray[np.bool_]) -> float:
    """Partial rank correlation with accuracy, parameters given; NaN for parameters themselves."""
    one, truth = (ranks.residuals(which, "params", rows) for which in (name, "accuracy"))
    spread = np.sqrt((one**2).sum() * (truth**2).sum())
    return float((one * truth).sum() / spread) if name not in ("params", "flops") and spread else np.nan


def draw_map(names: Sequence[str], matrix: Values, path: Path) -> None:
    """The heat map, ordered by the clusters of the proxies."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "catalog", "svg.fonttype": "none", "font.size": 8})
    from matplotlib import pyplot
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    distance = np.round(1 - np.abs(matrix), 9)
    np.fill_diagonal(distance, 0)
    order = leaves_list(linkage(squareform(distance, checks=False), "average"))
    shown, labels = matrix[np.ix_(order, order)], [names[place] for place in order]
    figure, axes = pyplot.subplots(figsize=(8, 7), layout="constrained")
    image = axes.imshow(shown, vmin=-1, vmax=1, cmap="RdBu_r")
    axes.set_xticks(range(len(labels)), labels, rotation=60, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    for row in range(len(labels)):
        for column in range(len(labels)):
            value = shown[row, column]
            colour = "white" if abs(value) > 0.6 else "black"
            axes.text(
                column, row, f"{value:.1f}".replace("0.", "."), ha="center", va="center", fontsize=6, color=colour
            )
    figure.colorbar(image, ax=axes, shrink=0.7, label="Spearman's rho")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("table", "fusion", "alike"))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--ours", nargs="+", default=list(OURS))
    arguments = parser.parse_args()
    if arguments.what == "alike":
        lines = alike(arguments.folder, arguments.ours, arguments.picture)
    else:
        lines = {"table": table, "fusion": fusion}[arguments.what](arguments.folder, arguments.ours)
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
