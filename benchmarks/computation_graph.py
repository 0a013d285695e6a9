"""How `cg` ranks the spaces of the protocol from a few labels, by the objective of its pre-training.

    python -m benchmarks.computation_graph --folder DIR [--space darts] [--objective masked] [--labels 50] [--seeds 3]
    python -m benchmarks.computation_graph --folder DIR --table

The encoder of a row was pre-trained on the development spaces without the row's own (families held out in turn), and
without labels. A row a space, target, objective, encoder seed, inputs, number of labels and label seed is written to
``DIR/computation_graph.csv`` as soon as it is there; what is there is not made again. Catalogs and vectors of networks
are kept in the folder.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.protocol.draws import SEEDS, draw, labels_of
from benchmarks.protocol.pools import Pool
from benchmarks.protocol.quality import judge
from benchmarks.protocol.spaces import SPACES, catalog_of, pool_of
from catalog.progress import ignore
from catalog.storage.store import Store
from catalog.tables.computation_graphs import computation_batch
from predictor.computation_graph.encoder import NetworkEncoder, encoded, untrained
from predictor.computation_graph.inputs import MOST_FROZEN, SIZES, VECTORS
from predictor.computation_graph.model import Model
from predictor.computation_graph.predictor import NAMES, NONE, ComputationGraphsOptions
from predictor.computation_graph.pretraining import Schedule, pretrained
from predictor.door import Needs
from predictor.few_label.groups import Group, Inputs
from predictor.few_label.tables import ZERO_SHOT, Table
from predictor.scoring.reading import read_given

Values = NDArray[np.float64]

DEVELOPMENT = ("accel_nasbench", "naap440", "nasbench_macro", "transnas_micro", "flexibert", "autoformer")
"""Choices are made on these; NAS-Bench-101, NAS-Bench-201 and DARTS are looked at afterwards."""
FIXED = ("params", "flops")
LABELS = (5, 20, 50, 100, 200)
OPTIONS = ComputationGraphsOptions()
NEEDS = Needs(columns=("architecture_id",), optional=FIXED, zero_shot=True)
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


def encoder_of(objective: str, seed: int, held_out: str, folder: Path) -> NetworkEncoder:
    """An encoder pre-trained on the development spaces but one."""
    if objective == NONE:
        return untrained(OPTIONS.config, seed)
    names = [name for name in DEVELOPMENT if name != held_out]
    needs = Needs(networks=True)
    stores = [Store.open(catalog_of(name, folder)) for name in names]
    sources = [read_given(store, name, needs)[1] for name, store in zip(names, stores, strict=True)]
    schedule = Schedule(OPTIONS.graphs, OPTIONS.steps)
    made = pretrained(sources, objective, OPTIONS.config, schedule, seed, ignore)
    for store in stores:
        store.close()
    return made


def vectors_of(pool: Pool, objective: str, seed: int, folder: Path) -> tuple[Values, Values]:
    """Vectors and sizes of the networks of a pool that compute something and are asked for; of the others 0."""
    path = folder / f"{pool.name}_{objective}_{seed}.npz"
    if not path.exists():
        encoder = encoder_of(objective, seed, pool.name, folder)
        ids = pool.given.columns[:, 0].astype(np.int64)
        rows = asked_for(pool)
        with Store.open(catalog_of(pool.name, folder)) as store:
            given = replace(
                pool.given, read_networks=lambda places: computation_batch(store, pool.name, ids[places].tolist())
            )
            found = encoded(encoder, given, rows)
        vectors, sizes = (np.zeros((len(pool), values.shape[1])) for values in found)
        vectors[rows], sizes[rows] = found
        np.savez(path, vectors=vectors.astype(np.float32), sizes=sizes)
    stored = np.load(path)
    return stored["vectors"].astype(np.float64), stored["sizes"]


def asked_for(pool: Pool) -> NDArray[np.int64]:
    """What computes something; of a space that is not read whole, what is drawn or tested."""
    rows = np.arange(len(pool))
    if len(pool) > MOST_READ:
        drawn = [draw(pool, max(LABELS), seed).drawn for seed in SEEDS]
        rows = np.unique(np.concatenate([pool.first_twins[np.concatenate(drawn)], *drawn, pool.tested]))
    return rows[pool.given.connected[rows]].astype(np.int64)


def inputs_of(pool: Pool, vectors: Values, sizes: Values, *, blind: bool) -> Inputs:
    connected = asked_for(pool)
    connected = connected[:: -(-len(connected) // MOST_FROZEN)]
    tables = {
        VECTORS: Table(tuple(f"v{place:04}" for place in range(vectors.shape[1])), vectors),
        SIZES: Table(("log_parameters", "log_multiply_accumulates"), sizes),
    }
    if pool.given.zero_shot and not blind:
        tables[ZERO_SHOT] = Table.of(dict(pool.given.zero_shot), len(pool))
    dense = {}
    for name, table in tables.items():
        group = Group.of(table, connected, ranked=name == ZERO_SHOT, counted=False)
        if group is not None:
            dense[name] = group.read(table)
    scores = dense.get(ZERO_SHOT)
    return Inputs(dense, {}, np.empty((0, len(pool))) if scores is None else scores[:, :1].T)


def judged(pool: Pool, target: str, inputs: Inputs, labels: int, seed: int) -> tuple[int, float, float, float]:
    """How many were tested, tau, rho and the share of the process in the mean."""
    drawn = draw(pool, labels, seed)
    known = labels_of(pool, drawn.drawn, pool.targets[target].labels)
    labelled = np.flatnonzero(np.isfinite(known))
    model = Model.fit(inputs.taken(labelled), known[labelled], seed=seed)
    scores = model.predict(inputs.taken(drawn.tested))[0]
    quality = judge(scores, pool.targets[target].truth[drawn.tested], pool.given.connected[drawn.tested])
    return len(drawn.tested), round(quality.tau, 5), round(quality.rho, 5), round(model.share, 3)


def controls(pool: Pool, target: str, labels: int, seed: int) -> Iterator[Row]:
    """Sizes, and the zero-shot score where there is one, on the same tested architectures."""
    tested = draw(pool, labels, seed).tested
    columns = {**pool.given.optional, **dict(list(pool.given.zero_shot.items())[:1])}
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
        for target in SPACES[pool.name].targets
        if labels < len(pool.of_target(target).labelled) / 2
    ]
    for target, labels, seed in draws:
        for row in controls(pool.of_target(target), target, labels, seed):
            if tuple(str(getattr(row, name)) for name in KEY) not in done:
                yield row
    for objective in arguments.objective or NAMES:
        for encoder_seed in range(arguments.encoder_seeds):
            for inputs_name in ("blind", "zero-shot")[: 1 + bool(pool.given.zero_shot)]:
                first = (pool.name, objective, encoder_seed, inputs_name)
                missing = [
                    (target, labels, seed)
                    for target, labels, seed in draws
                    if (pool.name, target, *map(str, (*first[1:], labels, seed))) not in done
                ]
                if not missing:
                    continue
                vectors, sizes = vectors_of(pool, objective, encoder_seed, arguments.folder)
                inputs = inputs_of(pool, vectors, sizes, blind=inputs_name == "blind")
                for target, labels, seed in missing:
                    found = judged(pool.of_target(target), target, inputs, labels, seed)
                    yield Row(pool.name, target, *first[1:], labels, seed, *found)


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
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--space", choices=SPACES, action="append")
    parser.add_argument("--objective", choices=NAMES, action="append")
    parser.add_argument("--labels", type=int, action="append")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--encoder-seeds", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.table:
        print("\n".join(table(arguments.folder / "computation_graph.csv")))
    else:
        run(arguments)


if __name__ == "__main__":
    main()
