"""How `few_label` ranks the spaces of the protocol from a few labels, beside controls.

    python -m benchmarks.few_label --folder DIR --space nb201 [--target cifar10] [--half A] [--labels 78] [--seeds 3]
    python -m benchmarks.few_label --folder DIR --table

A row a space, target, half, number of labels, seed and variant is written to ``DIR/few_label.csv`` as soon as it is
there; what is there is not made again. The space's catalog is made in the folder, from the public tables in
``$CATALOG_DATA``.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.protocol.draws import SEEDS, draw, labels_of
from benchmarks.protocol.pools import Pool, Target, half, part
from benchmarks.protocol.quality import judge
from benchmarks.protocol.spaces import SPACES, pool_of
from predictor.door import Labelled, Needs, Training
from predictor.few_label.intervals import HALF_WIDTH
from predictor.few_label.labels import normal_scores
from predictor.few_label.predictor import FewLabel, FewLabelOptions

Values = NDArray[np.float64]

SIZES: Mapping[str, tuple[int, ...]] = {
    "nb201": (78, 156, 469, 781, 1563),
    "darts": (50, 100, 300),
    "nb101": (100, 172, 424, 4236),
}
OTHER_SIZES = (50, 100, 200)
NEEDS = Needs(graphs=("native", "canonical"), optional=FewLabel.needs.optional, zero_shot=True)
MOST_READ = 50_000


@dataclass(frozen=True)
class Row:
    """One ranking, judged."""

    space: str
    target: str
    half: str
    labels: int
    seed: int
    variant: str
    functions: int
    tested: int
    tau: float
    rho: float
    top_tau: float
    coverage: float
    top_coverage: float
    share_of_trees: float
    seconds: float


KEY = ("space", "target", "half", "labels", "seed", "variant")


@dataclass(frozen=True)
class Case:
    """What a variant is given: a pool, one target, and the labels as a predictor has them."""

    pool: Pool
    target: Target
    labels: Values
    seed: int

    @property
    def labelled(self) -> NDArray[np.intp]:
        return np.flatnonzero(np.isfinite(self.labels))


@dataclass(frozen=True)
class Answer:
    """Scores of the whole pool, and what else is known of them."""

    scores: Values
    covered: NDArray[np.float64] | None = None
    share: float = np.nan


def few_label(options: FewLabelOptions) -> Callable[[Case], Answer]:
    def answer(case: Case) -> Answer:
        source = Labelled(f"{case.pool.name} label", case.pool.given, case.labels)
        model = FewLabel(options).fit([source], Training(case.seed))
        found = model.score(case.pool.given)
        assert found.spread is not None
        wanted = model.model.distribution.score(case.target.labels)
        covered = np.abs(wanted - found.mean) <= HALF_WIDTH * found.spread
        return Answer(found.mean, np.where(np.isfinite(found.mean), covered, np.nan), model.model.share)

    return answer


def forest(inputs: Callable[[Pool], Values]) -> Callable[[Case], Answer]:
    from sklearn.ensemble import RandomForestRegressor

    def answer(case: Case) -> Answer:
        read = np.nan_to_num(inputs(case.pool))
        model = RandomForestRegressor(200, random_state=case.seed)
        model.fit(read[case.labelled], normal_scores(case.labels[case.labelled]))
        return Answer(model.predict(read))

    return answer


def shuffled(case: Case) -> Answer:
    labels = case.labels.copy()
    labels[case.labelled] = np.random.default_rng(case.seed).permutation(labels[case.labelled])
    return few_label(FewLabelOptions(blind=True))(Case(case.pool, case.target, labels, case.seed))


def zero_shot(case: Case) -> Answer:
    return Answer(case.pool.given.zero_shot["tg_nas"])


def column(name: str) -> Callable[[Case], Answer]:
    return lambda case: Answer(case.pool.given.optional[name])


def scalars(pool: Pool) -> Values:
    from predictor.few_label.tables import proxies

    table = proxies(pool.given)
    return np.where(np.isfinite(table.values), table.values, 0.0)


def sizes(pool: Pool) -> Values:
    return np.stack([pool.given.optional[name] for name in ("params", "flops")], axis=1)


def one_hot(pool: Pool) -> Values:
    """Which operator stands in which place of the native graph."""
    columns: dict[tuple[str, int, str], Values] = {}
    for one in pool.given.native.cells:
        for place in range(one.cells.operators.shape[1]):
            for index, name in enumerate(one.cells.vocabulary):
                found = columns.setdefault((one.cells.name, place, name), np.zeros(len(pool)))
                found[one.rows] = one.cells.operators[:, place] == index
    return np.stack(list(columns.values()), axis=1)


def layer_parameters(pool: Pool) -> Values:
    """Parameters of the weighted layer in each place of the native graph, in units of width squared."""
    from predictor.encoding.descriptors import Descriptor

    columns: dict[tuple[str, int], Values] = {}
    for one in pool.given.native.cells:
        weights = np.array([Descriptor.of(pool.given.vocabulary[name]).parameters for name in one.cells.vocabulary])
        for place in range(one.cells.operators.shape[1]):
            found = columns.setdefault((one.cells.name, place), np.zeros(len(pool)))
            found[one.rows] = weights[one.cells.operators[:, place]]
    return np.stack(list(columns.values()), axis=1)


def presence(pool: Pool) -> Values:
    """Whether a weighted layer stands in each place of the native graph."""
    return (layer_parameters(pool) > 0).astype(np.float64)


VARIANTS: Mapping[str, Callable[[Case], Answer]] = {
    "few_label": few_label(FewLabelOptions()),
    "few_label blind": few_label(FewLabelOptions(blind=True)),
    "params": column("params"),
    "flops": column("flops"),
    "tg_nas": zero_shot,
    "forest on 13 scalars": forest(scalars),
    "forest on params and flops": forest(sizes),
    "forest on operators one-hot": forest(one_hot),
    "forest on presence of layers": forest(presence),
    "forest on parameters of layers": forest(layer_parameters),
    "shuffled labels": shuffled,
}
WITHOUT_LABELS = ("params", "flops", "tg_nas")


def variants_of(pool: Pool, *, cells: bool) -> list[str]:
    """The variants that a pool has inputs for."""
    given = pool.given
    lacking = set()
    if not given.zero_shot:
        lacking |= {"tg_nas", "few_label"}
    if not any(name.endswith("_published") for name in given.optional):
        lacking.add("forest on 13 scalars")
    if not cells:
        lacking |= {"forest on operators one-hot", "forest on presence of layers", "forest on parameters of layers"}
    return [name for name in VARIANTS if name not in lacking]


def rows(pool: Pool, target: str, half_name: str, labels: int, seed: int, names: list[str]) -> Iterator[Row]:
    """Judge variants on one draw."""
    drawn = draw(pool, labels, seed)
    known = labels_of(pool, drawn.drawn, pool.targets[target].labels)
    tested, case_pool, values = drawn.tested, pool, pool.targets[target]
    if len(pool) > MOST_READ:  # of a space that is not read whole: what is asked about
        kept = np.union1d(np.union1d(np.flatnonzero(np.isfinite(known)), drawn.drawn), tested)
        values = Target(values.labels[kept], values.truth[kept])
        case_pool = Pool(pool.name, part(pool.given, kept), pool.functions[kept], {target: values}, kept, kept)
        known, tested = known[kept], np.searchsorted(kept, tested)
    case = Case(case_pool, values, known, seed)
    connected = case_pool.given.connected[tested]
    best = values.truth[tested] >= np.quantile(values.truth[tested], 0.9)
    for name in names:
        started = time.perf_counter()
        found = VARIANTS[name](case)
        seconds = time.perf_counter() - started
        quality = judge(found.scores[tested], values.truth[tested], connected)
        covered = np.full(len(tested), np.nan) if found.covered is None else found.covered[tested]
        yield Row(
            pool.name, target, half_name, labels, seed, name, len(case.labelled), len(tested),
            *(round(number, 5) for number in (quality.tau, quality.rho, quality.top_tau)),
            *(round(_mean(one), 5) for one in (covered, covered[best])),
            round(found.share, 3), round(seconds, 3),
        )  # fmt: skip


def _mean(values: Values) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def run(arguments: argparse.Namespace) -> None:
    """Make the rows that are not there."""
    path = arguments.folder / "few_label.csv"
    done = {tuple(row[name] for name in KEY) for row in read(path)} if path.exists() else set()
    pool = pool_of(arguments.space, arguments.folder, NEEDS)
    pool = pool if arguments.half == "full" else half(pool, arguments.half)
    names = arguments.variant or variants_of(pool, cells=arguments.space in SIZES and arguments.space != "nb101")
    if not path.exists():
        path.write_text(",".join(field.name for field in fields(Row)) + "\n")
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        for seed in SEEDS[: arguments.seeds]:
            for labels in arguments.labels or SIZES.get(arguments.space, OTHER_SIZES):
                for target in arguments.target or SPACES[arguments.space].targets:
                    of_target = pool.of_target(target)
                    key = (arguments.space, target, arguments.half, str(labels), str(seed))
                    missing = [name for name in names if (*key, name) not in done]
                    if labels >= len(of_target.labelled):
                        continue
                    for row in rows(of_target, target, arguments.half, labels, seed, missing):
                        writer.writerow(asdict(row).values())
                        file.flush()
            sys.stderr.write(f"{arguments.space} {arguments.half}: seed {seed} is done\n")


def read(path: Path) -> list[dict[str, str]]:
    """The rows that are there."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def table(path: Path) -> Iterator[str]:
    """Markdown: one table a space, target and half; each figure the mean over seeds ± the standard deviation.

    Spaces of several targets and other sizes are in the table of `gains`.
    """
    found: dict[tuple[str, str, str], dict[str, dict[int, list[dict[str, str]]]]] = {}
    for row in read(path):
        if row["space"] not in SIZES:
            continue
        place = found.setdefault((row["space"], row["target"], row["half"]), {})
        place.setdefault(row["variant"], {}).setdefault(int(row["labels"]), []).append(row)
    for (space, target, half_name), variants in found.items():
        sizes_ = sorted({labels for of_variant in variants.values() for labels in of_variant})
        count = max(len(group) for of_variant in variants.values() for group in of_variant.values())
        whole = "" if half_name == "full" else f", half {half_name}"
        for figure, title in (("tau", "tau"), ("top_tau", "tau in the best tenth"), ("coverage", "coverage of 90 %")):
            lines = [
                f"| {name} | {' | '.join(_cell(of_variant.get(labels, []), figure) for labels in sizes_)} |"
                for name, of_variant in variants.items()
                if any(_cell(group, figure) for group in of_variant.values())
            ]
            if lines:
                yield f"\n{space}, {target}{whole}: {title}, {count} seeds\n"
                yield f"| labels | {' | '.join(map(str, sizes_))} |"
                yield "|---" * (len(sizes_) + 1) + "|"
                yield from lines


def gains(path: Path) -> Iterator[str]:
    """Markdown: tau, and its gain over the better of params and multiply-accumulates; means over targets and seeds."""
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    taus = {tuple(row[name] for name in KEY): float(row["tau"]) for row in read(path) if row["space"] not in SIZES}
    for (*key, name), tau in taus.items():
        sizes_ = [taus[(*key, size)] for size in ("params", "flops") if (*key, size) in taus]
        if name == "few_label blind" and sizes_:
            found.setdefault((key[0], int(key[3])), []).append((tau, tau - max(sizes_)))
    if not found:
        return
    yield "\nOther spaces, blind: tau, and its gain over the better of params and multiply-accumulates\n"
    yield f"| labels | {' | '.join(map(str, OTHER_SIZES))} |"
    yield "|---" * (len(OTHER_SIZES) + 1) + "|"
    means = {key: np.mean(values, axis=0) for key, values in found.items()}
    spaces = sorted({space for space, _ in found})
    for space in spaces:
        cells = [
            "{:.3f} ({:+.3f})".format(*means[space, size]) if (space, size) in means else "" for size in OTHER_SIZES
        ]
        yield f"| {space} | {' | '.join(cells)} |"
    overall = [
        np.mean([means[space, size] for space in spaces if (space, size) in means], axis=0) for size in OTHER_SIZES
    ]
    yield f"| mean of the spaces | {' | '.join('{:.3f} ({:+.3f})'.format(*mean) for mean in overall)} |"


def _cell(group: list[dict[str, str]], figure: str) -> str:
    values = np.array([float(row[figure]) for row in group])
    values = values[np.isfinite(values)]
    return f"{values.mean():.3f} ± {values.std():.3f}" if len(values) else ""


def main() -> None:
    """Make rows, or print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--space", choices=SPACES)
    parser.add_argument("--target", action="append")
    parser.add_argument("--half", choices=("full", "A", "B"), default="full")
    parser.add_argument("--labels", type=int, action="append")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--variant", choices=VARIANTS, action="append")
    arguments = parser.parse_args()
    if arguments.table:
        path = arguments.folder / "few_label.csv"
        print("\n".join([*table(path), *gains(path)]))
    else:
        run(arguments)


if __name__ == "__main__":
    main()
