"""ParZC on NAS-Bench-201, variant by variant: layers are measured first, then mixers are trained and judged.

    python -m benchmarks.parzc layers --folder DIR [--functions 2000] [--seconds S]
    python -m benchmarks.parzc run --folder DIR [--functions 2000] [--seconds S]
    python -m benchmarks.parzc table --folder DIR

Layers are measured in networks of the benchmark's size, one of each function, in an order that a seed draws; fifty
functions a file go into ``DIR/layers``. ``run`` writes each row to ``DIR/parzc.csv`` as soon as it is there. What is
there is not made again, so that both go on after any stop. Labels and truth are read from ``$CATALOG_DATA``. The draws
are those of `benchmarks.protocol`, on the pool of the architectures whose function is measured; those without a path
are left out of it. The mixer is narrower than the paper's (`REDUCED`), except in the rows named ``as coded``.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.parzc_layers import SPACE, measure_layers, read_layers
from benchmarks.protocol.draws import draw, labels_of
from benchmarks.protocol.pools import Pool, Target
from benchmarks.protocol.quality import judge
from predictor.door import Given, Layers
from predictor.parzc.predictors import STATISTICS

Values = NDArray[np.float64]
BYPASSED = ("grad_norm", "snip", "synflow")
TARGETS = {"cifar10": "cifar10", "cifar100": "cifar100", "imagenet16_120": "imagenet16"}
SIZES = (78, 156, 469)
SEEDS = range(3)
REDUCED = {"channels": 64, "epochs": 100, "learning_rate": 1e-3}
CODED = {"channels": 512, "epochs": 100, "learning_rate": 1e-4}
LOSSES = ("diff_kendall", "diff_kendall_original", "mse", "pairwise", "warp")


# Cases


@dataclass(frozen=True)
class Row:
    """One ranking, judged; `best` is the truth of the architecture that ranks first."""

    functions: int
    target: str
    labels: int
    seed: int
    variant: str
    loss: str
    scale: str
    channels: int
    epochs: int
    tested: int = 0
    tau: float = np.nan
    rho: float = np.nan
    top_tau: float = np.nan
    best: float = np.nan
    seconds: float = np.nan

    @property
    def key(self) -> tuple[object, ...]:
        known = (self.functions, self.target, self.labels, self.seed, self.variant, self.loss, self.scale)
        return (*map(str, known), str(self.channels), str(self.epochs))


def cases(count: int) -> Iterator[Row]:
    """All rows, what matters most first."""

    def case(variant: str, labels: int, seed: int, target: str = "cifar10", **changes: object) -> Row:
        usual = {"loss": "diff_kendall", "scale": "z", "channels": REDUCED["channels"], "epochs": REDUCED["epochs"]}
        return Row(count, target, labels, seed, variant, **(usual | changes))  # type: ignore[arg-type]

    free = {"loss": "", "scale": "", "channels": 0, "epochs": 0}
    for seed in SEEDS:
        yield case("dagger", 78, seed, **free)
        for labels in SIZES:
            yield case("forest: sums", labels, seed, **free)
            yield case("forest: sums, synflow", labels, seed, **free)
            yield case("forest: layers", labels, seed, **free)
            yield case("forest: presence", labels, seed, **free)
    for seed in SEEDS:
        for labels in SIZES[:2]:
            yield case("statistics", labels, seed)
            yield case("hybrid", labels, seed)
        for loss in LOSSES:
            for scale in ("z", "normal"):
                yield case("statistics", 78, seed, loss=loss, scale=scale)
        yield case("no mixer", 78, seed)
        yield case("no Bayes", 78, seed)
        yield case("hybrid, encoder alone", 78, seed)
        yield case("statistics, synflow", 78, seed)
    yield case("as coded", 78, SEEDS[0], channels=CODED["channels"], epochs=CODED["epochs"])
    for seed in SEEDS:
        yield case("statistics", 469, seed)
        yield case("hybrid", 469, seed)
    for seed in SEEDS:
        for target in ("cifar100", "imagenet16_120"):
            for variant in ("statistics", "hybrid"):
                yield case(variant, 156, seed, target)
    for seed in SEEDS[1:]:
        yield case("as coded", 78, seed, channels=CODED["channels"], epochs=CODED["epochs"])


class Bench:
    """What all rows share: the pool, the layers, and what is made of them."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.measured, self.layers = read_layers(folder, count)
        graphs = list(SPACE.enumerate())
        place = {graphs[index].digest: number for number, index in enumerate(self.measured)}
        found = [(index, place[graph.digest]) for index, graph in enumerate(graphs) if graph.digest in place]
        self.index, self.functions = np.array(found).T
        self.graphs = [graphs[index] for index in self.measured]

    @cached_property
    def pool(self) -> Pool:
        data = Path(os.environ.get("CATALOG_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
        table = pl.read_csv(data / "nb201" / "nb201_v1.1_200ep.csv.gz").sort("nb201_index")[self.index.tolist()]
        count = len(self.index)
        given = Given(SPACE.name, count, SPACE.vocabulary, {}, np.empty((count, 0)), np.ones(count, dtype=bool))
        targets = {
            name: Target(table[f"{column}_valid_acc"].to_numpy(), table[f"{column}_test_acc"].to_numpy())
            for name, column in TARGETS.items()
        }
        return Pool(SPACE.name, given, self.functions, targets, np.arange(count), np.arange(count))

    @cached_property
    def inputs(self) -> NDArray[np.float32]:
        return self._inputs(self.layers)

    @cached_property
    def bypassed(self) -> Layers:
        """With synflow as it is defined, without normalisation, in place of ParZC's."""
        return read_layers(self.folder, len(self.measured), BYPASSED)[1]

    @staticmethod
    def _inputs(layers: Layers) -> NDArray[np.float32]:
        from predictor.parzc.statistics import inputs, longest_of

        found, fits = inputs(layers, longest_of(layers))
        assert fits.all()
        return found

    @staticmethod
    def _sums(layers: Layers) -> Values:
        """Each proxy's sum over layers, as a logarithm."""
        values = layers.values.copy()
        for column, name in enumerate(layers.proxies):
            if "synflow" in name:
                values[:, column] = np.exp(np.where(np.isnan(values[:, column]), -np.inf, values[:, column]))
        totals = np.zeros((layers.networks, len(layers.proxies)))
        np.add.at(totals, layers.owner, values)
        return np.log(np.maximum(totals, 1e-30))

    @cached_property
    def arrays(self) -> tuple[list[object], int]:
        from predictor.parzc.graphs import arrays_of, operators_of, width_of

        graphs = [graph.canonical for graph in self.graphs]
        operators = operators_of(graphs)
        return [arrays_of(graph, operators) for graph in graphs], width_of(operators)

    def scores(self, case: Row, rows: NDArray[np.int64], labels: Values) -> Values:
        """(M,) a score of each function, learned from the labels of some."""
        if case.variant == "dagger":
            return self._sine()
        if case.variant.startswith("forest"):
            from sklearn.ensemble import RandomForestRegressor

            read = self._forest_reads(case.variant.partition(": ")[2])
            return RandomForestRegressor(200, random_state=case.seed).fit(read[rows], labels).predict(read)
        return self._mixed(case, rows, labels)

    def _forest_reads(self, what: str) -> NDArray[np.floating]:
        if what.startswith("sums"):
            return self._sums(self.bypassed if what.endswith("synflow") else self.layers)
        return (self.inputs > 0).astype(np.float32) if what == "presence" else self.inputs

    def _sine(self) -> Values:
        from predictor.parzc.predictors import ParZCDagger

        count = len(self.measured)
        connected = np.ones(count, dtype=bool)
        given = Given(SPACE.name, count, SPACE.vocabulary, {}, np.empty((count, 0)), connected, layers=self.layers)
        return ParZCDagger().score(given).mean

    def _mixed(self, case: Row, rows: NDArray[np.int64], labels: Values) -> Values:
        from predictor.parzc.mixer import MABNConfig
        from predictor.parzc.training import Schedule, predicted, train

        is_hybrid = case.variant.startswith("hybrid")
        inputs = self._inputs(self.bypassed) if case.variant.endswith("synflow") else self.inputs
        inputs = inputs * np.float32(case.variant != "hybrid, encoder alone")
        arrays, width = self.arrays if is_hybrid else (None, 0)
        config = MABNConfig(
            inputs.shape[1],
            channels=case.channels,
            mixes=case.variant != "no mixer",
            is_bayesian=case.variant != "no Bayes",
            nodes=width,
        )
        rate = CODED["learning_rate"] if case.variant == "as coded" else REDUCED["learning_rate"]
        schedule = Schedule(epochs=case.epochs, learning_rate=float(rate), loss=case.loss, labels=case.scale)
        known = None if arrays is None else [arrays[row] for row in rows.tolist()]
        model = train(inputs[rows], labels, config, schedule, case.seed, graphs=known)  # type: ignore[arg-type]
        return predicted(model, inputs, arrays)  # type: ignore[arg-type]

    def judged(self, case: Row) -> Row:
        start = time.process_time()
        pool, target = self.pool, self.pool.targets[case.target]
        drawn = draw(pool, case.labels, case.seed)
        labels = labels_of(pool, drawn.drawn, target.labels)
        rows = np.flatnonzero(np.isfinite(labels))
        found = self.scores(case, self.functions[rows], labels[rows])[self.functions]
        tested = drawn.tested
        quality = judge(found[tested], target.truth[tested], pool.given.connected[tested])
        best = float(target.truth[tested][np.argmax(found[tested])])
        seconds = round(time.process_time() - start, 1)
        return replace(case, tested=len(tested), **asdict(quality), best=best, seconds=seconds)


def run(folder: Path, count: int, until: float) -> None:
    import torch

    torch.set_num_threads(1)
    path = folder / "parzc.csv"
    names = [field.name for field in fields(Row)]
    done = {row.key for row in rows_of(path)}
    bench = Bench(folder, count)
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, names)
        if not done:
            writer.writeheader()
        for case in cases(len(bench.measured)):
            if case.key in done:
                continue
            if time.monotonic() > until:
                return
            done.add(case.key)
            writer.writerow(asdict(bench.judged(case)))
            file.flush()


def rows_of(path: Path) -> list[Row]:
    if not path.exists() or not path.stat().st_size:
        return []
    kinds = {"int": int, "str": str, "float": float}
    with path.open(newline="") as file:
        return [
            Row(**{field.name: kinds[str(field.type)](row[field.name]) for field in fields(Row)})
            for row in csv.DictReader(file)
        ]


# Tables


def print_table(folder: Path) -> None:
    rows = rows_of(folder / "parzc.csv")
    print(
        "| data set | variant | loss | labels as | mixer | epochs | labels | seeds | tau | rho | top tau | best | s |"
    )
    print("|---" * 13 + "|")
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        shape = (row.target, row.variant, row.loss, row.scale, row.channels, row.epochs, row.labels)
        groups.setdefault(shape, []).append(row)
    for shape, members in groups.items():
        shown = [f"{_mean([getattr(one, name) for one in members])}" for name in ("tau", "rho", "top_tau")]
        best = np.mean([one.best for one in members])
        seconds = np.mean([one.seconds for one in members])
        print("|", " | ".join(map(str, (*shape, len(members), *shown, f"{best:.2f}", f"{seconds:.0f}"))), "|")
    print_losses(rows)


def print_losses(rows: Sequence[Row]) -> None:
    """Each loss against the squared error on the same draws."""
    print("\n| labels as | loss | seeds | tau, paired with mse |\n|---|---|---|---|")
    taus = {
        (row.scale, row.loss, row.seed): row.tau
        for row in rows
        if (row.variant, row.labels, row.target, row.channels) == LOSS_ROWS
    }
    for scale in ("z", "normal"):
        for loss in LOSSES:
            seeds = [seed for seed in SEEDS if {(scale, loss, seed), (scale, "mse", seed)} <= taus.keys()]
            gains = [taus[scale, loss, seed] - taus[scale, "mse", seed] for seed in seeds]
            if gains and loss != "mse":
                print(f"| {scale} | {loss} | {len(gains)} | {_mean(gains)} |")


LOSS_ROWS = ("statistics", 78, "cifar10", REDUCED["channels"])


def _mean(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else f"{values[0]:.3f}"


def print_importance(folder: Path, count: int) -> None:
    """Which layers boosted trees look at, from all measured functions: the paper's figure 2."""
    from sklearn.ensemble import GradientBoostingRegressor

    bench = Bench(folder, count)
    target = bench.pool.targets["cifar10"].truth
    truth = np.zeros(len(bench.measured))
    truth[bench.functions] = target
    model = GradientBoostingRegressor(subsample=0.5, random_state=0).fit(bench.inputs, truth)
    shares = model.feature_importances_.reshape(len(STATISTICS), -1)
    print("| proxy | " + " | ".join(f"layers {10 * k + 1} to {10 * k + 10}" for k in range(10)) + " | all |")
    print("|---" * 12 + "|")
    for name, one in zip(STATISTICS, shares, strict=True):
        tens = [one[10 * k : 10 * k + 10].sum() for k in range(10)]
        print(f"| {name} | " + " | ".join(f"{share:.3f}" for share in tens) + f" | {one.sum():.3f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("layers", "run", "table", "importance"))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--functions", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    given = parser.parse_args()
    until = time.monotonic() + given.seconds
    if given.what == "layers":
        measure_layers(given.folder, given.functions, until)
    elif given.what == "run":
        run(given.folder, given.functions, until)
    elif given.what == "importance":
        print_importance(given.folder, given.functions)
    else:
        print_table(given.folder)


if __name__ == "__main__":
    main()
