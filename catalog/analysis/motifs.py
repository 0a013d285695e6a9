r"""Motifs: which small patterns are over-represented among the best architectures by a column.

Every operator edge and every path, fork and join of three nodes that occurs in the space is counted as present or
absent in each function. The unit is the function and not the architecture: architectures that share a canonical digest
compute the same thing, so they count once, with the mean of their values.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from catalog.analysis.intervals import NORMAL_QUANTILE
from catalog.analysis.significance import holm
from catalog.architecture.operators import Vocabulary
from catalog.asking.pattern_language import is_plain
from catalog.errors import UsageError
from catalog.quoting import identifier, literal
from catalog.tables.space_view import SpaceView
from catalog.tables.stored_graphs import read_vocabulary

if TYPE_CHECKING:
    from catalog.storage.store import Store

Values = NDArray[np.float64]

SHAPES = ("edge", "path", "fork", "join")


def motifs(
    catalog: Store,
    space: str,
    by: str,
    share: float = 0.01,
    direction: int | None = None,
    shapes: Sequence[str] = SHAPES,
) -> pl.DataFrame:
    r"""Small patterns in the canonical form, compared between the best functions and the rest.

    Parameters
    ----------
    catalog
        The open catalog.
    space
        A stored search space.
    by
        The numeric column of the wide view that says what is best; architectures without a value are left out.
    share
        Share of the functions that counts as best. All that tie with the last of them count too.
    direction
        +1 if the highest values are best, -1 if the lowest; by default the column's own direction.
    shapes
        Which motifs: ``edge`` a->b, ``path`` a->b->c, ``fork`` (one node feeds two), ``join`` (two nodes feed one).

    Returns
    -------
    polars.DataFrame
        One row a motif that occurs, most surely over-represented first (by ``odds_ratio_low``):

        * ``pattern``: the motif in the language of `catalog.asking.pattern_language`; ``shape``;
        * ``top_with``, ``top_total``, ``rest_with``, ``rest_total``: functions that hold it, of all, in both groups;
        * ``odds_ratio`` with its 95 % interval ``odds_ratio_low`` to ``odds_ratio_high``: a half is added to the four
          counts (Haldane 1955, Anscombe 1956), so that it is finite; the interval is Woolf's (1955) on the logarithm;
        * ``p_value``: Fisher's exact test, two-sided; ``p_holm``: the same after Holm's (1979) correction for all rows.

    Raises
    ------
    UnknownSpaceError, UnknownColumnError
        The catalog holds no such space, or its wide view no such column.
    UsageError
        The column is no number or has no values, or the share, direction or a shape is not allowed.
    """
    view = SpaceView.of(catalog, space)
    column = view.checked(by)
    _check(catalog, space, column, share, direction, shapes)
    if direction is None:
        from catalog.tables.direction import is_cost

        direction = -1 if is_cost(catalog, space, column) else 1
    vocabulary = read_vocabulary(catalog, space)
    words = _words(catalog, space, vocabulary)
    codes = {word: code for code, word in enumerate(sorted(set(words.values())))}
    found = catalog.arrow(_counting_sql(space, column, share, direction, shapes, words, codes)).to_pydict()
    texts = _Texts(vocabulary, list(codes))
    found_motifs = [_digits(number, len(codes)) for number in found["motif"]]
    counts = {
        name: np.array(found[name], dtype=np.int64) for name in ("top_with", "top_total", "rest_with", "rest_total")
    }
    ratio, low, high = odds_ratios(*counts.values())
    p_values = fisher_p_values(*counts.values())
    frame = pl.DataFrame(
        {
            "pattern": [texts.pattern(*motif) for motif in found_motifs],
            "shape": [shape for shape, *_ in found_motifs],
            **counts,
            "odds_ratio": ratio,
            "odds_ratio_low": low,
            "odds_ratio_high": high,
            "p_value": p_values,
            "p_holm": holm(p_values),
        },
        schema=_SCHEMA,
    )
    return frame.sort(["odds_ratio_low", "pattern"], descending=[True, False])


def odds_ratios(
    top_with: ArrayLike, top_total: ArrayLike, rest_with: ArrayLike, rest_total: ArrayLike
) -> tuple[Values, Values, Values]:
    r"""Odds ratios of presence, top against rest, with the ends of their 95 % intervals; each (n,).

    :math:`\frac{(a + \frac12)(d + \frac12)}{(b + \frac12)(c + \frac12)}` with a, b = with and without in the top and
    c, d = with and without in the rest; the logarithm's standard error is :math:`\sqrt{\sum 1 / (n + \frac12)}`.
    """
    a, top, c, rest = (np.asarray(values, dtype=np.float64) for values in (top_with, top_total, rest_with, rest_total))
    cells = np.stack([a, top - a, c, rest - c]) + 0.5
    logarithm = np.log(cells[0]) + np.log(cells[3]) - np.log(cells[1]) - np.log(cells[2])
    margin = NORMAL_QUANTILE * np.sqrt((1 / cells).sum(axis=0))
    return np.exp(logarithm), np.exp(logarithm - margin), np.exp(logarithm + margin)


def fisher_p_values(top_with: ArrayLike, top_total: ArrayLike, rest_with: ArrayLike, rest_total: ArrayLike) -> Values:
    """Two-sided p-values of Fisher's exact test, one a motif; (n,)."""
    from scipy.stats import fisher_exact

    a, top, c, rest = (np.asarray(values, dtype=np.int64) for values in (top_with, top_total, rest_with, rest_total))
    tables = np.stack([a, top - a, c, rest - c], axis=-1).reshape(-1, 2, 2)
    return np.array([fisher_exact(table).pvalue for table in tables], dtype=np.float64)


_SCHEMA: dict[str, Any] = {
    "pattern": pl.String,
    "shape": pl.String,
    "top_with": pl.Int64,
    "top_total": pl.Int64,
    "rest_with": pl.Int64,
    "rest_total": pl.Int64,
    "odds_ratio": pl.Float64,
    "odds_ratio_low": pl.Float64,
    "odds_ratio_high": pl.Float64,
    "p_value": pl.Float64,
    "p_holm": pl.Float64,
}


def _check(catalog: Store, space: str, column: str, share: float, direction: int | None, shapes: Sequence[str]) -> None:
    import pyarrow.types

    if not 0 < share < 1:
        raise UsageError(f"the share is {share}; it must lie between 0 and 1, for example 0.01 for the best 1 %.")
    if direction not in (None, 1, -1):
        raise UsageError(f"the direction is {direction}; it is +1 (highest is best), -1 (lowest is best) or None.")
    unknown = [shape for shape in shapes if shape not in SHAPES]
    if unknown or not shapes:
        raise UsageError(f"unknown motif shapes {unknown}; allowed are one or more of {', '.join(SHAPES)}.")
    kind = catalog.arrow(f"SELECT {identifier(column)} FROM {identifier(space)} LIMIT 0").schema.field(0).type
    if not (pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)):
        raise UsageError(f"the column {column!r} of {space} holds no numbers ({kind}); order by a metric or a proxy.")
    number = f"isfinite({identifier(column)}::DOUBLE)"
    found = catalog.arrow(f"SELECT count(DISTINCT canonical_digest) FROM {identifier(space)} WHERE {number}")
    if found.column(0)[0].as_py() < 2:
        raise UsageError(
            f"the column {column!r} of {space} has values for fewer than two functions, so nothing can be compared; "
            "order by a column that is filled."
        )


def _words(catalog: Store, space: str, vocabulary: Vocabulary) -> dict[str, str]:
    """Each operator of the space's canonical graphs, and the word that stands for it and those like it.

    A pattern's word means all operators of its meaning (``input`` both inputs of a DARTS cell), so motifs do too.
    """
    present = catalog.arrow(
        "SELECT DISTINCT operator FROM node WHERE form IN ('canonical', 'both')"
        " AND architecture_id IN (SELECT id FROM architecture WHERE space = ?)",
        [space],
    )
    operators = present.column(0).to_pylist()
    words = {}
    for operator in operators:
        alike = vocabulary.named(operator)
        words[operator] = operator if len(set(alike) & set(operators)) == 1 else alike[0]
    return words


# The codes of each shape's nodes, of two that can change places the smaller first; and the edges that make the shape.
_SHAPE_SQL = {
    "edge": (("a", "b", "0"), "edges"),
    "path": (
        ("first.a", "first.b", "second.b"),
        "edges AS first JOIN edges AS second"
        " ON second.id = first.id AND second.cell = first.cell AND second.source = first.target",
    ),
    "fork": (
        ("first.a", "least(first.b, second.b)", "greatest(first.b, second.b)"),
        "edges AS first JOIN edges AS second"
        " ON second.id = first.id AND second.cell = first.cell AND second.source = first.source"
        " AND second.target > first.target",
    ),
    "join": (
        ("least(first.a, second.a)", "greatest(first.a, second.a)", "first.b"),
        "edges AS first JOIN edges AS second"
        " ON second.id = first.id AND second.cell = first.cell AND second.target = first.target"
        " AND second.source > first.source",
    ),
}


def _occurrences_sql(shape: str, words: int) -> str:
    """One row a function and motif, the motif as one number: shape, a, b, c as digits of base `words`."""
    nodes, edges = _SHAPE_SQL[shape]
    number = f"{SHAPES.index(shape)}::BIGINT"
    for node in nodes:
        number = f"({number} * {words} + {node})"
    owner = "edges" if shape == "edge" else "first"
    return f"SELECT DISTINCT {owner}.id, {owner}.top, {number} AS motif FROM {edges}"


def _counting_sql(
    space: str,
    column: str,
    share: float,
    direction: int,
    shapes: Sequence[str],
    words: dict[str, str],
    codes: dict[str, int],
) -> str:
    """One row a motif, as the number that `_occurrences_sql` gives it, with the four counts."""
    value = f"{identifier(column)}::DOUBLE"
    coded = ", ".join(f"({literal(operator)}, {codes[word]}::USMALLINT)" for operator, word in sorted(words.items()))
    occurrences = "\n    UNION ALL ".join(_occurrences_sql(shape, len(codes)) for shape in dict.fromkeys(shapes))
    return f"""
WITH functions AS (
    -- architectures that compute the same function count once, with the mean of their values; favg adds with Kahan's
    -- correction, so that the order of the rows does not decide between functions that tie
    SELECT min(architecture_id) AS id, favg({value}) AS value
    FROM {identifier(space)} WHERE isfinite({value}) GROUP BY canonical_digest
),
members AS (
    SELECT id, rank() OVER (ORDER BY {direction} * value DESC) <= ceil({share!r} * count(*) OVER ()) AS top
    FROM functions
),
words(operator, code) AS (VALUES {coded}),
nodes AS (
    SELECT architecture_id, cell, position, code
    FROM node JOIN words ON words.operator = node.operator WHERE form IN ('canonical', 'both')
),
edges AS MATERIALIZED (
    SELECT members.id, top, edge.cell, edge.source, edge.target, source_node.code AS a, target_node.code AS b
    FROM members
    JOIN edge ON edge.architecture_id = members.id AND edge.form IN ('canonical', 'both')
    JOIN nodes AS source_node ON source_node.architecture_id = edge.architecture_id
        AND source_node.cell = edge.cell AND source_node.position = edge.source
    JOIN nodes AS target_node ON target_node.architecture_id = edge.architecture_id
        AND target_node.cell = edge.cell AND target_node.position = edge.target
),
occurrences AS (
    {occurrences}
)
SELECT motif,
    count(*) FILTER (top) AS top_with, (SELECT count(*) FILTER (top) FROM members) AS top_total,
    count(*) FILTER (NOT top) AS rest_with, (SELECT count(*) FILTER (NOT top) FROM members) AS rest_total
FROM occurrences GROUP BY motif ORDER BY motif
"""


def _digits(number: int, words: int) -> tuple[str, int, int, int]:
    """Shape, a, b and c of a motif's number."""
    number, c = divmod(number, words)
    number, b = divmod(number, words)
    shape, a = divmod(number, words)
    return SHAPES[shape], a, b, c


class _Texts:
    """Writes motifs as patterns."""

    def __init__(self, vocabulary: Vocabulary, words: Sequence[str]) -> None:
        self._words = [_label(word, vocabulary) for word in words]
        names = (*ascii_lowercase, *(f"{letter}{letter}" for letter in ascii_lowercase))
        self._name = next(name for name in names if name not in vocabulary)

    def pattern(self, shape: str, a: int, b: int, c: int) -> str:
        first, second, third = (self._words[code] for code in (a, b, c))
        if shape == "edge":
            return f"({first})->({second})"
        if shape == "path":
            return f"({first})->({second})->({third})"
        if shape == "fork":
            return f"({self._name}:{first})->({second}), ({self._name})->({third})"
        return f"({first})->({self._name}:{third}), ({second})->({self._name})"


def _label(word: str, vocabulary: Vocabulary) -> str:
    """A word as a pattern writes it, in backquotes where it would mean something else or is no plain word."""
    is_other_kind = set(vocabulary.of_kind(word)) not in (set(), set(vocabulary.named(word)))
    return f"`{word}`" if is_other_kind or not is_plain(word) else word
