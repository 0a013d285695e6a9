"""Everything that the catalog knows about some architectures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from catalog.architecture.drawing import draw_svg, draw_text
from catalog.architecture.graph import ArchitectureGraph
from catalog.asking.html_parts import html_folded, html_table
from catalog.asking.text_table import as_text
from catalog.errors import UsageError
from catalog.message import visible
from catalog.tables.stored_graphs import read_graphs

if TYPE_CHECKING:
    from catalog.storage.store import Store


FORMS = ("native", "canonical")
_SHOWN_TWINS = 3


@dataclass(frozen=True, repr=False)
class Profile:
    """One architecture with its graphs, metrics, scores and functional twins.

    Parameters
    ----------
    facts
        The columns of ``architecture``.
    native, canonical
        The stored graphs; equal in a space whose forms are equal.
    metrics
        One row a number: source, kind, name, dataset, split, epochs, stage, device, seed, repeat, value.
    scores
        One row a score: proxy, source, input, seed, value, status, reason, and the percentile among the space's
        architectures that have a score (100 is the best by the proxy's direction).
    twins
        Native ids of the other architectures that compute the same function.
    """

    facts: dict[str, object]
    native: ArchitectureGraph
    canonical: ArchitectureGraph
    metrics: pl.DataFrame
    scores: pl.DataFrame
    twins: tuple[str, ...]

    def graph(self, form: str = "native") -> ArchitectureGraph:
        """The ``native`` or the ``canonical`` graph.

        Raises
        ------
        UsageError
            There is no such form.
        """
        if form not in FORMS:
            raise UsageError(f"unknown form {form!r}; allowed are {' and '.join(FORMS)}.")
        return self.native if form == "native" else self.canonical

    def text(self, form: str = "native") -> str:
        """All of it for a terminal: names, twins, the graph drawn with characters, metrics and scores."""
        return visible(
            f"{self._names}\n\n"
            f"{form} graph\n{draw_text(self.graph(form))}\n\n"
            f"metrics\n{as_text(self.metrics) if self.metrics.height else 'none'}\n\n"
            f"proxies\n{as_text(self.scores) if self.scores.height else 'none'}"
        )

    @property
    def _names(self) -> str:
        facts, twins = self.facts, self.twins
        shown = ", ".join(twins[:_SHOWN_TWINS])
        shown += f" and {len(twins) - _SHOWN_TWINS} more" if len(twins) > _SHOWN_TWINS else ""
        index = "" if facts["native_index"] is None else f"index {facts['native_index']}   "
        return (
            f"{facts['space']} {facts['native_id']}\n"
            f"{index}digest {facts['canonical_digest']}   id {facts['id']}\n"
            f"computes the same function as {len(twins)} others{': ' + shown if shown else ''}"
        )

    def svg(self, form: str = "native") -> str:
        """The drawing of a graph as SVG; raises as `graph`."""
        return draw_svg(self.graph(form))

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        names = "<br>\n".join(map(escape, self._names.splitlines()))
        tables = [
            html_folded(f"{name}: {rows.height}", html_table(rows))
            for name, rows in (("metrics", self.metrics), ("proxies", self.scores))
        ]
        return "\n".join([f"<p>{names}</p>", self.svg(), *tables])

    def __repr__(self) -> str:
        return self.text()

    def numbers(self) -> pl.DataFrame:
        """Metrics and scores in one long frame, for programs: ``what``, ``source``, ``name``, ..., ``value``."""
        metrics = self.metrics.with_columns(pl.lit("metric").alias("what"))
        scores = self.scores.rename({"proxy": "name", "input": "dataset"}).with_columns(pl.lit("score").alias("what"))
        return pl.concat([metrics, scores], how="diagonal_relaxed").select("what", pl.exclude("what"))


def read_profiles(catalog: Store, space: str, ids: Sequence[int]) -> list[Profile]:
    """Profiles of architectures given by ``architecture.id``, each table read once."""
    wanted = {"wanted": pa.table({"architecture_id": pa.array(ids, pa.int64())})}
    facts = catalog.arrow(
        "SELECT architecture.* FROM architecture JOIN wanted ON architecture_id = id", tables=wanted
    ).to_pylist()
    by_id = {int(row["id"]): row for row in facts}
    metrics = pl.from_arrow(
        catalog.arrow(
            """
            SELECT architecture_id, source.name AS source, source.version, metric.kind, metric.name, dataset, split,
                epochs, stage, device, seed, repeat, value
            FROM metric SEMI JOIN wanted USING (architecture_id) JOIN source ON source.id = source_id
            ORDER BY source_id, dataset, split, epochs, metric.name, device, seed NULLS FIRST, repeat NULLS FIRST
            """,
            tables=wanted,
        )
    )
    scores = pl.from_arrow(catalog.arrow(_SCORES, [space], tables=wanted))
    twins = catalog.arrow(
        """
        SELECT member.id AS architecture_id, list(other.native_id ORDER BY other.id) AS twins
        FROM architecture AS member JOIN wanted ON wanted.architecture_id = member.id
        JOIN architecture AS other ON other.space = member.space AND other.canonical_digest = member.canonical_digest
            AND other.id != member.id
        GROUP BY member.id
        """,
        tables=wanted,
    ).to_pylist()
    twins_by_id = {int(row["architecture_id"]): tuple(row["twins"]) for row in twins}
    native = read_graphs(catalog, space, ids, "native")
    canonical = read_graphs(catalog, space, ids, "canonical")
    return [
        Profile(
            by_id[number],
            native[place],
            canonical[place],
            _of(metrics, number),
            _of(scores, number),
            twins_by_id.get(number, ()),
        )
        for place, number in enumerate(ids)
    ]


_SCORES = """
    WITH own AS (
        SELECT score.*, proxy.name AS proxy, proxy.direction, source.name AS source
        FROM score SEMI JOIN wanted USING (architecture_id)
        JOIN proxy ON proxy.id = proxy_id LEFT JOIN source ON source.id = source_id
    ), placed AS (
        SELECT own.architecture_id, own.proxy_id, own.source_id, own.input, own.seed,
            100 * avg((own.direction * other.value <= own.direction * own.value)::INTEGER) AS percentile
        FROM own JOIN score AS other ON other.proxy_id = own.proxy_id
            AND other.source_id IS NOT DISTINCT FROM own.source_id AND other.input IS NOT DISTINCT FROM own.input
            AND other.seed IS NOT DISTINCT FROM own.seed
        WHERE own.value IS NOT NULL AND other.value IS NOT NULL
            AND other.architecture_id IN (SELECT id FROM architecture WHERE space = ?)
        GROUP BY ALL
    )
    SELECT own.architecture_id, proxy, source, own.input, own.seed, value, percentile, status, reason
    FROM own LEFT JOIN placed ON placed.architecture_id = own.architecture_id AND placed.proxy_id = own.proxy_id
        AND placed.source_id IS NOT DISTINCT FROM own.source_id AND placed.input IS NOT DISTINCT FROM own.input
        AND placed.seed IS NOT DISTINCT FROM own.seed
    ORDER BY own.architecture_id, own.proxy_id, own.source_id NULLS FIRST, own.input, own.seed
"""


def _of(frame: pl.DataFrame | pl.Series, architecture: int) -> pl.DataFrame:
    if not isinstance(frame, pl.DataFrame):
        raise TypeError(f"expected a frame, got {type(frame).__name__}")
    return frame.filter(pl.col("architecture_id") == architecture).drop("architecture_id")
