"""Zero-cost proxies on every space with real truth: which of them rank what.

    python benchmarks/proxies_by_space.py --out DIR naap440=naap440.jsonl.gz ofa=ofa_mobilenetv3.csv.gz ...
    python benchmarks/proxies_by_space.py --out DIR --table

The first measures proxies on seeded random architectures of each space, those with truth. A name is that of a command
of `catalog ingest`, with the file that it reads. The spaces take turns, one architecture each, so that all have as
many whenever it is stopped; given again, with more spaces or rows too, it measures what is missing. The second writes
the table of `docs/proxies.md` and the measured values that come with the package. Everything runs on one thread.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import catalog
from catalog.architecture.graph import ArchitectureGraph
from catalog.errors import UsageError
from catalog.spaces import space_named
from predictor.pooled.ranks import AZ_NAS
from predictor.zero_cost import MeasureConfig, Measurement, measure, proxies_named

HEADLINE = {
    "nasbench_macro": "cifar10_test_accuracy",
    "naap440": "cifar10_test_accuracy",
    "accel_nasbench": "imagenet_valid_accuracy",
    "ofa": "imagenet_valid_accuracy_supernet",
    "autoformer": "cifar100_accuracy",
    "flexibert": "glue_valid_glue_score",
    "decoder_lm": "valid_loss",
    "face_landmark": "facesynthetics_valid_error_30ep",
    "transnas_micro": "class_object_valid_accuracy",
    "nb201": "cifar10_test_accuracy",
}
"""The one metric by which the proxies of a space are judged: a column of its wide view."""

COUNTED = ("params", "flops")
MEASURED = (
    *COUNTED,
    *("synflow", "snip", "grad_norm", "fisher", "nwot", "jacov", "plain", "l2_norm", "zen", "zico", "swap", "meco"),
    *AZ_NAS,
)
MOST_PARAMETERS = 100_000_000
"""Of a network that is built and run; the passes of larger ones alone would take the time of all others."""

FIELDS = ("space", "architecture", "proxy", "value", "status", "reason", "seconds")


class Row(NamedTuple):
    """One architecture to measure."""

    space: str
    architecture: str


def main() -> None:
    """Measure, or make the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "files", nargs="*", metavar="BENCHMARK=FILE", help="what `catalog ingest` calls it, and its file"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the catalog and of the scores")
    parser.add_argument("--rows", type=int, default=300, help="architectures of a space at most (default 300)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (default 0)")
    parser.add_argument("--table", action="store_true", help="write the table and the values instead")
    arguments = parser.parse_args()
    if arguments.table:
        from benchmarks.proxies_by_space_table import write

        write(arguments.out)
        return
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    spaces = stored_spaces(arguments.out, dict(file.split("=", 1) for file in arguments.files))
    plan = rows_in_turn([drawn(arguments.out, space, arguments.rows, arguments.seed) for space in spaces])
    measure_rows(plan, arguments.out / "scores.csv")


def stored_spaces(out: Path, files: dict[str, str]) -> list[str]:
    """Read the files into the folder's catalog; the spaces that they are of."""
    with catalog.open(out / "truth.duckdb", mode="write") as stored:
        return [stored.ingest(benchmark, file)[0].space for benchmark, file in files.items()]


def truth_of(out: Path, space: str) -> list[str]:
    """Native ids of the architectures with the headline metric, in the order of the ids."""
    if space not in HEADLINE:
        raise UsageError(f"nobody says by which metric {space!r} is judged; add its column to HEADLINE.")
    name, metric = space_named(space).native_id_name, HEADLINE[space]
    with catalog.open(out / "truth.duckdb") as stored:
        found = stored.query(f'SELECT "{name}" AS id FROM "{space}" WHERE "{metric}" IS NOT NULL ORDER BY id')
    return [str(native_id) for native_id in found["id"]]


def drawn(out: Path, space: str, rows: int, seed: int) -> list[Row]:
    """The first of a seeded random order, so that more rows hold the fewer ones."""
    pool = truth_of(out, space)
    order = np.random.default_rng(seed).permutation(len(pool))[:rows]
    return [Row(space, pool[place]) for place in order]


def rows_in_turn(spaces: Sequence[Sequence[Row]]) -> Iterator[Row]:
    """One row of each space, then the next one of each; a space that has no more is passed over."""
    for place in range(max(map(len, spaces), default=0)):
        yield from (rows[place] for rows in spaces if place < len(rows))


def measure_rows(rows: Iterator[Row], file: Path) -> None:
    """Measure what the file does not hold in full yet, and add it architecture by architecture."""
    kept = complete(file)
    done = {Row(line["space"], line["architecture"]) for line in kept}
    written = file.with_suffix(".part")
    with written.open("w", newline="") as stream:  # what a kill cut off is left behind
        table = csv.DictWriter(stream, FIELDS)
        table.writeheader()
        table.writerows(kept)
    written.replace(file)
    with file.open("a", newline="") as stream:
        table = csv.DictWriter(stream, FIELDS)
        for row in rows:
            if row not in done:
                start = time.perf_counter()
                table.writerows(_line(row, one) for one in measured(space_named(row.space).graph(row.architecture)))
                stream.flush()
                print(f"{row.space} {row.architecture}: {time.perf_counter() - start:.1f} s", flush=True)


def complete(file: Path) -> list[dict[str, str]]:
    """The lines of the architectures that have a score, or a reason for none, of each proxy."""
    if not file.exists():
        return []
    with file.open(newline="") as stream:
        lines = [line for line in csv.DictReader(stream) if line["seconds"] is not None and line["proxy"] in MEASURED]
    counts = Counter((line["space"], line["architecture"]) for line in lines)
    return [line for line in lines if counts[line["space"], line["architecture"]] == len(MEASURED)]


def measured(graph: ArchitectureGraph) -> list[Measurement]:
    """All proxies of one architecture, in the default configuration; of a very large one the counts alone."""
    counts = measure(graph, proxies_named(COUNTED))
    others = MEASURED[len(COUNTED) :]
    if (parameters := counts[0].value) is not None and parameters > MOST_PARAMETERS:
        reason = f"not measured: it has more than {MOST_PARAMETERS:,} parameters"
        return counts + [Measurement(name, None, "failed", reason) for name in others]
    return counts + measure(graph, proxies_named(others), MeasureConfig())


def _line(row: Row, one: Measurement) -> dict[str, object]:
    seconds = "" if one.seconds is None else f"{one.seconds:.4f}"
    value = "" if one.value is None else repr(one.value)
    return {
        "space": row.space,
        "architecture": row.architecture,
        "proxy": one.proxy,
        "value": value,
        "status": one.status,
        "reason": one.reason or "",
        "seconds": seconds,
    }


if __name__ == "__main__":
    main()
