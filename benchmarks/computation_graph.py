"""How `cg` ranks the spaces of the protocol from a few labels, by the objective of its pre-training.

    python -m benchmarks.computation_graph --folder DIR [--space darts] [--objective masked] [--labels 50] [--seeds 3]
    python -m benchmarks.computation_graph --folder DIR --table
    python -m benchmarks.computation_graph --speed

The encoder of a row was pre-trained on the development spaces without the row's own (families held out in turn), and
without labels. A row a space, target, objective, encoder seed, inputs, number of labels and label seed is written to
``DIR/computation_graph.csv`` as soon as it is there; what is there is not made again. Catalogs and vectors of networks
are kept in the folder. Of an objective an encoder learns from 200 networks of each space. "graphs" rows read no more
than the graphs, sizes and, unless they are blind, the zero-shot score; the others what `few_label` reads, too.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.protocol.draws import SEEDS, draw, labels_of
from benchmarks.protocol.pools import Pool, part
from benchmarks.protocol.quality import judge
from benchmarks.protocol.spaces import SPACES, catalog_of, pool_of
from catalog.progress import ignore
from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables.computation_graphs import computation_batch
from predictor.computation_graph.encoder import READ_AT_ONCE, NetworkEncoder, encoded, untrained
from predictor.computation_graph.inputs import MOST_FROZEN, left_out, tables_of, with_vectors
from predictor.computation_graph.model import Model
from predictor.computation_graph.predictor import NAMES, NONE, ComputationGraphsOptions
from predictor.computation_graph.pretraining import Schedule, pretrained
from predictor.door import Needs
from predictor.few_label.groups import Frozen
from predictor.few_label.predictor import FewLabel
from predictor.few_label.tables import Table
from predictor.scoring.candidates import given_of
from predictor.scoring.reading import read_given

Values = NDArray[np.float64]
Judged = tuple[int, float, float, float]

DEVELOPMENT = ("accel_nasbench", "naap440", "nasbench_macro", "transnas_micro", "flexibert", "autoformer")
"""Choices are made on these; NAS-Bench-101, NAS-Bench-201 and DARTS are looked at afterwards."""
FIXED = ("params", "flops")
LABELS = (5, 20, 50, 100, 200)
OPTIONS = ComputationGraphsOptions()
GRAPHS = 200
"""Networks of each space that an encoder is pre-trained on."""
FAST = ("nb201", "nb101", "darts")
SPEED_OF = 1024
READS = ("graphs blind", "graphs", "blind", "all")
"""What a row reads: the graphs alone or what `few_label` reads, too; with the zero-shot score or blind."""
NEEDS = replace(FewLabel.needs, columns=("architecture_id",), labels=False, extra=None)
MOST_READ = 50_000


@dataclass(frozen=True)
class Row:
    """One ranking, judged."""

    space: str
    target: str
    objective: str
    encoder_seed: int
    inputs: str
    labels: int
    seed: int
    tested: int
    tau: float
    rho: float
    share: float


KEY = ("space", "target", "objective", "encoder_seed", "inputs", "labels", "seed")


def encoders_of(objective: str, seed: int, held_out: str, folder: Path) -> list[NetworkEncoder]:
    """Encoders with random weights, or pre-trained on the development spaces but one."""
    seeds = [seed * OPTIONS.encoders + place for place in range(OPTIONS.encoders)]
    if objective == NONE:
        return [untrained(OPTIONS.config, one) for one in seeds]
    names = [name for name in DEVELOPMENT if name != held_out]
    needs = Needs(networks=True)
    stores = [Store.open(catalog_of(name, folder)) for name in names]
    sources = [read_given(store, name, needs)[1] for name, store in zip(names, stores, strict=True)]
    schedule = Schedule(GRAPHS, OPTIONS.steps)
    made = pretrained(sources, objective, OPTIONS.config, schedule, seeds, ignore)
    for store in stores:
        store.close()
    return made


def vectors_of(pool: Pool, objective: str, seed: int, folder: Path) -> Mapping[str, Table]:
    """By group: vectors and sizes of the networks of a pool that are asked for; of the others NaN."""
    path = folder / f"{pool.name}_{objective}_{seed}.npz"
    if not path.exists():
        encoders = encoders_of(objective, seed, pool.name, folder)
        ids = pool.given.columns[:, 0].astype(np.int64)
        rows = asked_for(pool)
        with Store.open(catalog_of(pool.name, folder)) as store:
            given = replace(
                pool.given, read_networks=lambda places: computation_batch(store, pool.name, ids[places].tolist())
            )
            vectors, sizes = encoded(encoders, given, rows)
        np.savez(path, rows=rows, sizes=sizes, **{name: values.astype(np.float32) for name, values in vectors.items()})
    stored = dict(np.load(path))
    rows = stored.pop("rows")
    whole = {name: _spread_out(values, rows, len(pool)) for name, values in stored.items()}
    return tables_of(whole, whole.pop("sizes"))


def _spread_out(values: Values, rows: NDArray[np.int64], count: int) -> Values:
    found = np.full((count, values.shape[1]), np.nan)
    found[rows] = values
    return found


def asked_for(pool: Pool) -> NDArray[np.int64]:
    """What computes something; of a space that is not read whole, what is drawn or tested."""
    rows = np.arange(len(pool))
    if len(pool) > MOST_READ:
        drawn = [draw(pool, max(LABELS), seed).drawn for seed in SEEDS]
        rows = np.unique(np.concatenate([pool.first_twins[np.concatenate(drawn)], *drawn, pool.tested]))
    return rows[pool.given.connected[rows]].astype(np.int64)


def judged(pool: Pool, target: str, tables: Mapping[str, Table], reads: str, labels: int, seed: int) -> Judged:
    """How many were tested, tau, rho and the share of the process in the mean."""
    drawn = draw(pool, labels, seed)
    known = labels_of(pool, drawn.drawn, pool.targets[target].labels)
    kept = np.union1d(np.flatnonzero(np.isfinite(known)), drawn.tested)
    kept = kept[pool.given.connected[kept]]
    given, known = part(pool.given, kept), known[kept]
    labelled = np.flatnonzero(np.isfinite(known))
    structure = "graphs" not in reads
    without = left_out(blind="blind" in reads, structure=structure)
    own = {name: replace(table, values=table.values[kept]) for name, table in tables.items()}
    few = np.arange(len(kept))[:: -(-len(kept) // MOST_FROZEN)]
    scales = with_vectors(
        Frozen.of(given, labelled, without),
        {name: replace(table, values=table.values[few]) for name, table in own.items()},
        structure=structure,
    )
    inputs = scales.read(given, own)
    model = Model.fit(inputs.taken(labelled), known[labelled], seed=seed)
    scores = np.full(len(pool), np.nan)
    scores[kept] = model.predict(inputs)[0]
    tested = drawn.tested
    quality = judge(scores[tested], pool.targets[target].truth[tested], pool.given.connected[tested])
    return len(tested), round(quality.tau, 5), round(quality.rho, 5), round(model.share, 3)


def controls(pool: Pool, target: str, labels: int, seed: int) -> Iterator[Row]:
    """Sizes, and the zero-shot score where there is one, on the same tested architectures."""
    tested = draw(pool, labels, seed).tested
    columns = {**{name: pool.given.optional[name] for name in FIXED}, **dict(list(pool.given.zero_shot.items())[:1])}
    for name, values in columns.items():
        quality = judge(values[tested], pool.targets[target].truth[tested], pool.given.connected[tested])
        numbers = (round(quality.tau, 5), round(quality.rho, 5), 0.0)
        yield Row(pool.name, target, name, 0, "control", labels, seed, len(tested), *numbers)


def run(arguments: argparse.Namespace) -> None:
    """Make the rows that are not there."""
    arguments.folder.mkdir(parents=True, exist_ok=True)
    path = arguments.folder / "computation_graph.csv"
    done = {tuple(row[name] for name in KEY) for row in read(path)} if path.exists() else set()
    if not path.exists():
        path.write_text(",".join(field.name for field in fields(Row)) + "\n")
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        for space in arguments.space or SPACES:
            pool = pool_of(space, arguments.folder, NEEDS)
            for row in rows(pool, arguments, done):
                writer.writerow(asdict(row).values())
                file.flush()
            sys.stderr.write(f"{space} is done\n")


def rows(pool: Pool, arguments: argparse.Namespace, done: set[tuple[str, ...]]) -> Iterator[Row]:
    """The rows of a space that are not there, those without labels first."""
    draws = [
        (target, labels, seed)
        for seed in SEEDS[: arguments.seeds]
        for labels in arguments.labels or LABELS
        for target in arguments.target or SPACES[pool.name].targets
        if labels < len(pool.of_target(target).labelled) / 2
    ]
    for target, labels, seed in draws:
        for row in controls(pool.of_target(target), target, labels, seed):
            if tuple(str(getattr(row, name)) for name in KEY) not in done:
                yield row
    for objective in arguments.objective or NAMES:
        for encoder_seed in range(arguments.encoder_seeds):
            for reads in arguments.reads or READS:
                if "blind" not in reads and not pool.given.zero_shot:
                    continue
                first = (pool.name, objective, encoder_seed, reads)
                missing = [
                    (target, labels, seed)
                    for target, labels, seed in draws
                    if (pool.name, target, *map(str, (*first[1:], labels, seed))) not in done
                ]
                if not missing:
                    continue
                tables = vectors_of(pool, objective, encoder_seed, arguments.folder)
                for target, labels, seed in missing:
                    found = judged(pool.of_target(target), target, tables, reads, labels, seed)
                    yield Row(pool.name, target, *first[1:], labels, seed, *found)


def speed() -> Iterator[str]:
    """Markdown: networks that one core encodes in a second of processor time, and with building their graphs."""
    torch.set_num_threads(1)
    encoders = encoders_of(NONE, 0, "", Path())
    yield "| space | encoded | built and encoded |"
    yield "|---|---|---|"
    for name in FAST:
        space = space_named(name)
        native = space.sample(SPEED_OF, 0)
        given = given_of(space, Needs(networks=True), native, native)
        rows = np.flatnonzero(given.connected).astype(np.int64)
        encoded(encoders, given, rows[:64])  # what is made once
        started = time.process_time()
        for start in range(0, len(rows), READ_AT_ONCE):
            given.networks(rows[start : start + READ_AT_ONCE])
        built = time.process_time()
        encoded(encoders, given, rows)
        both = time.process_time() - built
        yield f"| {name} | {len(rows) / (both - built + started):,.0f} | {len(rows) / both:,.0f} |"


def read(path: Path) -> list[dict[str, str]]:
    """The rows that are there."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def table(path: Path) -> Iterator[str]:
    """Markdown: tau / rho by space, target, inputs and objective: means over label seeds and encoder seeds."""
    found: dict[tuple[str, ...], dict[int, list[tuple[float, float]]]] = {}
    for row in read(path):
        place = found.setdefault(tuple(row[name] for name in ("space", "target", "inputs", "objective")), {})
        place.setdefault(int(row["labels"]), []).append((float(row["tau"]), float(row["rho"])))
    sizes = sorted({labels for of_row in found.values() for labels in of_row})
    yield f"| space | label | reads | encoder | {' | '.join(map(str, sizes))} |"
    yield "|---" * (len(sizes) + 4) + "|"
    for key, of_row in sorted(found.items()):
        yield f"| {' | '.join(key)} | {' | '.join(_cell(of_row.get(labels, [])) for labels in sizes)} |"


def _cell(group: list[tuple[float, float]]) -> str:
    if not group:
        return ""
    tau, rho = np.mean(group, axis=0)
    return f"{tau:.3f} / {rho:.3f} ({len(group)})"


def main() -> None:
    """Make rows, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--space", choices=SPACES, action="append")
    parser.add_argument("--objective", choices=NAMES, action="append")
    parser.add_argument("--target", action="append")
    parser.add_argument("--reads", choices=READS, action="append")
    parser.add_argument("--labels", type=int, action="append")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--encoder-seeds", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.speed:
        print("\n".join(speed()))
    elif arguments.folder is None:
        parser.error("--folder is missing")
    elif arguments.table:
        print("\n".join(table(arguments.folder / "computation_graph.csv")))
    else:
        run(arguments)


if __name__ == "__main__":
    main()
