"""Writes my_scores.csv: a made-up proxy, and accuracies of one seed, as a study of one's own has them.

The proxy is ``conv_paths``, the number of paths from a cell's input to its output that meet a convolution; ``acc`` is
the accuracy of the first training of each cell in NB201-digits, which comes with the package.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import polars

EVERY = 10
"""Of the 2,000 cells that were trained, a tenth."""
TABLE = Path(__file__).resolve().parent.parent / "ingest/formats/nb201_digits.parquet"


def conv_paths(cell: str) -> int:
    """Paths through a NAS-Bench-201 string, node by node: (paths with a convolution, paths without)."""
    reached = [(0, 1)]
    for node in cell.split("+"):
        having, lacking = 0, 0
        for edge in node.strip("|").split("|"):
            operator, source = edge.split("~")
            if operator == "none":
                continue
            before_having, before_lacking = reached[int(source)]
            is_convolution = operator.startswith("nor_conv")
            having += before_having + (before_lacking if is_convolution else 0)
            lacking += 0 if is_convolution else before_lacking
        reached.append((having, lacking))
    return reached[-1][0]


def main(out: Path) -> None:
    """Write the table."""
    trained = polars.read_parquet(TABLE).filter(polars.col("seed") == 0).gather_every(EVERY)
    with out.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["arch", "conv_paths", "acc"])
        for cell, accuracy in trained.select("native_id", "test_accuracy").iter_rows():
            writer.writerow([cell, conv_paths(cell), f"{accuracy:.4f}"])


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "my_scores.csv"))
