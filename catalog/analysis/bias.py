"""What a proxy prefers: its correlation with depth, convolutions, skips and parameters, beside that of the truth."""

from __future__ import annotations

import math
from collections.abc import Mapping

import polars as pl
from numpy.typing import ArrayLike

from catalog.analysis.independence import Ranks


def structure_bias(
    scores: Mapping[str, ArrayLike], truth: ArrayLike, structure: Mapping[str, ArrayLike]
) -> pl.DataFrame:
    """Spearman's rho of each proxy, and of the truth, with each structural number, on the rows that have all three.

    Returns
    -------
    polars.DataFrame
        One row a structural number and proxy: ``structure``, ``proxy``, ``n``, ``spearman_rho``, ``truth_rho``,
        ``difference`` (how much more the proxy likes it than the truth does); NULL where a number is not defined.
    """
    columns = {f"proxy {name}": values for name, values in scores.items()}
    columns |= {f"structure {name}": values for name, values in structure.items()}
    ranks = Ranks.of({**columns, "truth": truth})
    rows = []
    for number in structure:
        for name in scores:
            x, z = f"proxy {name}", f"structure {number}"
            common = ranks.rows(x, "truth", z)
            rho, truth_rho = ranks.rho(x, z, common), ranks.rho("truth", z, common)
            values = {"spearman_rho": rho, "truth_rho": truth_rho, "difference": rho - truth_rho}
            defined = {column: None if math.isnan(value) else value for column, value in values.items()}
            rows.append({"structure": number, "proxy": name, "n": int(common.sum()), **defined})
    return pl.DataFrame(rows, schema=_SCHEMA)


_SCHEMA = {
    "structure": pl.String,
    "proxy": pl.String,
    "n": pl.Int64,
    "spearman_rho": pl.Float64,
    "truth_rho": pl.Float64,
    "difference": pl.Float64,
}
