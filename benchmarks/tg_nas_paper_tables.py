"""The paper's own tables, by its own recipe: sentences and encoders, share of the source, and two sources.

    python benchmarks/tg_nas_paper_tables.py sentences|share|sources --out ROWS.jsonl [--mpnet FOLDER] [--seeds 3]

A row that `ROWS.jsonl` holds is not measured again; the table is printed at the end. Everything is the released recipe
(`predictor.tg_nas.paper`) but the number of graphs and epochs, which the table's title says: the schedule is shortened
in proportion. The epoch is chosen on held-out graphs of the source. `--mpnet` names a folder with all-mpnet-base-v2,
whose rows are left out without it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import tg_nas_data as data
from numpy.typing import NDArray
from scipy.stats import kendalltau, spearmanr
from tg_nas_paper import MODULES_ARE, modules
from torch import Tensor

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.operators import VOCABULARY, Operator
from predictor.encoding.embedding import embed, one_hot, random_vectors, reduced
from predictor.encoding.encoder import DEFAULT, Encoder
from predictor.tg_nas.job import use_threads
from predictor.tg_nas.paper import (
    PaperConfig,
    PaperGraphs,
    PaperNetwork,
    encode,
    first_cells,
    paper_scores,
    table_of,
    train_paper,
)

Values = NDArray[np.float64]
Describe = Callable[[Sequence[Operator]], NDArray[np.float32]]

STYLES = ("short", "medium", "long")
SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.9)
SHOWN = 423_624 * 2
"""Graphs that a network of `share` is shown in all, each at most a hundred times."""

PADDED = 8
"""Nodes of a cell of NAS-Bench-201: what modules are padded to where both are in a batch."""


@dataclass(frozen=True)
class Task:
    """A target with its graphs in the released encoding, whose rows index `names`."""

    name: str
    names: tuple[str, ...]
    graphs: PaperGraphs
    truth: Values


@cache
def tasks() -> tuple[Task, ...]:
    """NAS-Bench-201 on three data sets, and the DARTS cells, native as the released code reads them."""
    found = []
    for target in (data.nb201(canonical=False), data.darts(canonical=False), data.darts_trained(canonical=False)):
        cells = CellArrays.of(first_cells(target.graphs))
        found += [
            Task(f"{target.name} {label}", cells.vocabulary, encode(cells), truth)
            for label, truth in target.labels.items()
        ]
    return tuple(found)


def judged(network: PaperNetwork, describe: Describe) -> dict[str, list[float]]:
    """Tau and rho of a network on every task."""
    found = {}
    for task in tasks():
        scores = paper_scores(network, task.graphs, table_for(task.names, describe))
        found[task.name] = [float(kendalltau(scores, task.truth)[0]), float(spearmanr(scores, task.truth)[0])]
    return found


def table_for(names: Sequence[str], describe: Describe) -> Tensor:
    """The operators' features in the released form."""
    return table_of(describe([VOCABULARY[name] for name in names]))


def shortened(graphs: int, epochs: int) -> PaperConfig:
    """The released schedule in fewer epochs."""
    whole = PaperConfig()
    return PaperConfig(graphs=graphs, epochs=epochs, step=max(1, round(whole.step * epochs / whole.epochs)))


# Table 2


def descriptions(mpnet: Path | None) -> dict[str, Describe]:
    """What operators are told by: encoders and sentences, and the same sizes without meaning."""
    found: dict[str, Describe] = {}
    encoder = None if mpnet is None else Encoder.named(mpnet)
    for style in STYLES:
        found[f"MiniLM, {style}"] = lambda operators, style=style: embed(operators, style)
        found[f"MiniLM PCA-64, {style}"] = lambda operators, style=style: reduced(embed(operators, style), 64, style)
        if encoder is not None:
            found[f"mpnet, {style}"] = lambda operators, style=style, encoder=encoder: embed(operators, style, encoder)
    for width in (64, DEFAULT.width, 768):
        found[f"random, {width}"] = lambda operators, width=width: random_vectors(operators, width)
    found["one-hot, 384"] = one_hot
    return found


def sentences(arguments: argparse.Namespace) -> Iterator[tuple[str, int, Callable[[], dict[str, object]]]]:
    """One small network a description and seed, on the same graphs."""
    for name, describe in descriptions(arguments.mpnet).items():
        for seed in range(arguments.seeds):
            yield name, seed, lambda seed=seed, describe=describe: _of_sentences(seed, describe)


def _of_sentences(seed: int, describe: Describe) -> dict[str, object]:
    graphs, accuracy, _ = _modules()
    config = shortened(20_000, 12)
    network, facts = train_paper(graphs, accuracy, table_for(MODULES_ARE, describe), config, seed)
    return {"held_out": max(facts["held_out_kendall_tau"]), "tasks": judged(network, describe)}


@cache
def _modules() -> tuple[PaperGraphs, Values, str]:
    return modules()


# Figure 2


def share(arguments: argparse.Namespace) -> Iterator[tuple[str, int, Callable[[], dict[str, object]]]]:
    """Trained on a share of NAS-Bench-101, judged on all of the rest."""
    for part in SHARES:
        for seed in range(arguments.seeds):
            yield f"{part:.0%}", seed, lambda part=part, seed=seed: _of_share(part, seed)


def _of_share(part: float, seed: int) -> dict[str, object]:
    graphs, accuracy, _ = _modules()
    order = np.random.default_rng([seed, 2]).permutation(len(graphs))
    count = round(part * len(graphs))
    taught, rest = np.sort(order[:count]), np.sort(order[count:])
    table = table_for(MODULES_ARE, embed)
    config = shortened(count, min(100, round(SHOWN / count)))
    network, _ = train_paper(graphs.taken(taught), accuracy[taught], table, config, seed)
    scores = paper_scores(network, graphs, table, rest)
    own = [float(kendalltau(scores, accuracy[rest])[0]), float(spearmanr(scores, accuracy[rest])[0])]
    return {"epochs": config.epochs, "tasks": {"nb101, the rest": own, **judged(network, embed)}}


# The model for DARTS


def sources(arguments: argparse.Namespace) -> Iterator[tuple[str, int, Callable[[], dict[str, object]]]]:
    """NAS-Bench-101 alone; with NAS-Bench-201's three data sets; and as much of each."""
    for seed in range(arguments.seeds):
        yield "nb101", seed, lambda seed=seed: _of_sources(seed, 423_624, with_cells=False)
        yield "nb101 + nb201 x 3, all of both", seed, lambda seed=seed: _of_sources(seed, 423_624)
        yield "nb101 + nb201 x 3, as many of each", seed, lambda seed=seed: _of_sources(seed, 15_625)


def _of_sources(seed: int, count: int, *, with_cells: bool = True) -> dict[str, object]:
    from tg_nas_paper import two_sources

    graphs, accuracy, names = two_sources(count, seed) if with_cells else two_sources(count, seed, cells=0)
    epochs = min(40, round(4 * 423_624 / len(graphs)))
    config = shortened(len(graphs), epochs)
    network, facts = train_paper(graphs, accuracy, table_for(names, embed), config, seed)
    return {"epochs": epochs, "held_out": max(facts["held_out_kendall_tau"]), "tasks": judged(network, embed)}


EXPERIMENTS = {"sentences": sentences, "share": share, "sources": sources}


def measure(experiment: str, arguments: argparse.Namespace) -> None:
    """Measure what the file of rows lacks, one line a network."""
    done = {(row["experiment"], row["name"], row["seed"]) for row in rows(arguments.out)}
    for name, seed, run in EXPERIMENTS[experiment](arguments):
        if (experiment, name, seed) in done:
            continue
        begin = time.process_time()
        found = {"experiment": experiment, "name": name, "seed": seed, **run()}
        found["seconds"] = round(time.process_time() - begin, 1)
        with arguments.out.open("a") as file:
            file.write(json.dumps(found) + "\n")


def rows(path: Path) -> list[dict[str, object]]:
    """What was measured so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def table(experiment: str, path: Path) -> list[str]:
    """Mean and deviation over seeds, tau and rho of each task."""
    groups: dict[str, list[dict[str, object]]] = {}
    for row in rows(path):
        if row["experiment"] == experiment:
            groups.setdefault(str(row["name"]), []).append(row)
    names = list(dict.fromkeys(name for group in groups.values() for row in group for name in row["tasks"]))
    fixed = "| | networks | seconds each | tau, held out | "
    lines = [fixed + " | ".join(names) + " |", "|---|---|---|---|" + "---|" * len(names)]
    for name, group in groups.items():
        values = np.array([[row["tasks"][task] for task in names] for row in group])
        spread = values[:, :, 0].std(axis=0, ddof=1) if len(group) > 1 else None
        cells = [
            f"{tau:.3f}{'' if spread is None else f' ± {spread[place]:.3f}'} / {rho:.3f}"
            for place, (tau, rho) in enumerate(values.mean(axis=0))
        ]
        seconds = np.mean([row["seconds"] for row in group])
        held = np.mean([row.get("held_out", np.nan) for row in group])
        told = "" if np.isnan(held) else f"{held:.2f}"
        lines.append(f"| {name} | {len(group)} | {seconds:.0f} | {told} | " + " | ".join(cells) + " |")
    return lines


def draw_shares(path: Path, picture: Path) -> None:
    """Tau against the share of NAS-Bench-101 that was trained on: each network a point, means joined."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "catalog", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    found = [row for row in rows(path) if row["experiment"] == "share"]
    figure, axes = pyplot.subplots(figsize=(6, 3.6), layout="constrained")
    for task, label in DRAWN.items():
        shares = [float(row["name"].rstrip("%")) for row in found]
        taus = [row["tasks"][task][0] for row in found]
        means = {
            share: np.mean([tau for one, tau in zip(shares, taus, strict=True) if one == share]) for share in shares
        }
        (line,) = axes.plot(sorted(means), [means[share] for share in sorted(means)], label=label)
        axes.scatter(shares, taus, s=14, color=line.get_color())
    axes.set_xscale("log")
    axes.set_xticks(sorted(means), [f"{share:g} %" for share in sorted(means)], minor=False)
    axes.minorticks_off()
    axes.set_xlabel("share of NAS-Bench-101 that is trained on")
    axes.set_ylabel("Kendall tau")
    axes.axhline(0, color="grey", linewidth=0.6)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, metadata={"Date": None} if picture.suffix == ".svg" else None)
    pyplot.close(figure)


DRAWN = {
    "nb101, the rest": "NAS-Bench-101, the rest",
    "nb201 cifar10_test": "NAS-Bench-201, CIFAR-10",
    "darts surrogate_val": "DARTS",
}


def main() -> None:
    """Measure what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", choices=tuple(EXPERIMENTS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--mpnet", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--picture", type=Path, help="of `share`: the figure's file")
    arguments = parser.parse_args()
    use_threads(1)
    measure(arguments.experiment, arguments)
    sys.stdout.write("\n".join(table(arguments.experiment, arguments.out)) + "\n")
    if arguments.picture is not None and arguments.experiment == "share":
        draw_shares(arguments.out, arguments.picture)


if __name__ == "__main__":
    main()
