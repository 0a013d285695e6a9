"""How `tg_nas_zc` ranks NAS-Bench-201 and DARTS, beside what it is made of.

    catalog demo && catalog score nb201 --proxy tg_nas_zc
    python benchmarks/fusion.py --db catalog.duckdb [--space nb201]

Everything is read from the catalog's columns. An architecture without a path or without a score ranks last.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau, spearmanr

from catalog.storage.store import Store
from catalog.tables.space_view import SpaceView
from predictor.door.registry import predictor_named
from predictor.pooled.ranks import AZ_NAS, votes

TRUTHS = {
    "nb201": ("cifar10_test_accuracy", "cifar100_test_accuracy", "imagenet16_120_test_accuracy"),
    "darts": ("cifar10_valid_accuracy_surrogate",),
}
SCORES = ("params", "tg_nas", "nwot", "jacov", *AZ_NAS, "az_nas", "tg_nas_zc")

MEMBERS = predictor_named("tg_nas_zc").needs.columns[1:]


def main() -> None:
    """Print one table a target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--space", choices=TRUTHS, action="append")
    arguments = parser.parse_args()
    with Store.open(arguments.db) as catalog:
        for space in arguments.space or TRUTHS:
            for truth in TRUTHS[space]:
                print("\n".join(table(catalog, space, truth)))


def table(catalog: Store, space: str, truth: str) -> list[str]:
    """Kendall tau-b and Spearman rho of every stored score of a space, and each member's vote in the fusion."""
    frame = SpaceView.of(catalog, space).frame()
    frame = frame.filter(frame[truth].is_not_null())
    accuracy = frame[truth].to_numpy()
    lines = [
        f"\n{space}, {truth}, {len(frame):,} architectures\n",
        "| | tau | rho | scored | vote |",
        "|---|---|---|---|---|",
    ]
    columns = {name: frame[name].cast(float).fill_null(np.nan).to_numpy() for name in SCORES if name in frame.columns}
    weights = {}
    if {"tg_nas", *MEMBERS} <= set(columns):
        weights = dict(zip(MEMBERS, votes(*(columns[name] for name in ("tg_nas", *MEMBERS))), strict=True))
    for name, values in columns.items():
        ranked = np.where(np.isnan(values), -np.inf, values)
        tau, rho = kendalltau(ranked, accuracy).statistic, spearmanr(ranked, accuracy).statistic
        vote = f"{weights[name]:.3f}" if name in weights else ""
        lines.append(f"| `{name}` | {tau:.3f} | {rho:.3f} | {np.isfinite(values).sum():,} | {vote} |")
    return lines


if __name__ == "__main__":
    main()
