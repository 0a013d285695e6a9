"""Some architectures side by side: graphs, metrics by source, proxies as percentiles, and what is near each of them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

import polars as pl

from catalog.asking.profile import Profile, read_profiles
from catalog.errors import UsageError
from catalog.output_file import write_text
from catalog.quoting import identifier
from catalog.report.linked_table import LinkedTable
from catalog.report.number_format import readable
from catalog.report.similar_architectures import Neighbourhood, nearest_by_edits, nearest_by_embedding
from catalog.report.table import Column, Table
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    from catalog.storage.store import Store
    from predictor.scoring.architecture_vectors import Embedding

MOST = len(ascii_uppercase)
"""Architectures that one page can hold apart by a letter."""

Address = Callable[[int], str | None]
"""Where the page of an architecture is, given by ``architecture.id``; None where there is none."""

_PROVENANCE = ("source", "kind", "name", "dataset", "split", "epochs", "stage", "device")
_LONGEST_ID = 24


@dataclass(frozen=True)
class Shown:
    """One value of one architecture: its text, what it is sorted by, and what stands beside it."""

    value: float | None
    aside: str
    percentile: float | None = None


@dataclass(frozen=True)
class Line:
    """One number of every compared architecture, with the words that tell it from others."""

    words: tuple[str, ...]
    values: tuple[Shown, ...]


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a page of architectures shows.

    Parameters
    ----------
    space
        The search space.
    names
        What each architecture is called on the page, in the order in which they were asked for.
    profiles
        What the catalog knows about each.
    by_edits
        Per architecture the nearest stored ones by the number of edits.
    by_embedding
        The same by a predictor's view, or the reason why there is none.
    headline
        The column of the wide view that is shown beside a neighbour, and its values by ``architecture.id``.
    """

    space: str
    names: tuple[str, ...]
    profiles: tuple[Profile, ...]
    by_edits: tuple[Neighbourhood, ...]
    by_embedding: tuple[Neighbourhood, ...] | str
    headline: tuple[str | None, dict[int, float | None]]

    @property
    def letters(self) -> str:
        """The letter of each architecture."""
        return ascii_uppercase[: len(self.profiles)]

    @cached_property
    def facts(self) -> list[tuple[str, list[object]]]:
        """What the graphs are: a name and one value an architecture."""
        rows: list[tuple[str, list[object]]] = []
        for label, key in _FACTS:
            values = [profile.facts[key] for profile in self.profiles]
            if any(value is not None for value in values):
                rows.append((label, [str(value) if key == "native_index" else value for value in values]))
        rows.append(("others that compute the same function", [len(profile.twins) for profile in self.profiles]))
        return rows

    @cached_property
    def metrics(self) -> list[Line]:
        """Every kind of number that a source gives: the mean over its runs, which are counted beside it.

        A row without a seed and a repeat is a mean that the source publishes, and no run: it is shown where the source
        gives no runs, and stands beside their mean where it does.
        """
        is_run = pl.coalesce("seed", "repeat").is_not_null()
        of_runs = pl.col("value").filter(is_run)
        frames = []
        for place, profile in enumerate(self.profiles):
            found = profile.metrics.group_by(_PROVENANCE, maintain_order=True).agg(
                of_runs.mean().alias("value"),
                of_runs.std().alias("spread"),
                of_runs.count().alias("runs"),
                pl.col("value").filter(~is_run).mean().alias("published"),
            )
            frames.append(found.with_columns(place=pl.lit(place)))
        return self._lines(pl.concat(frames), _PROVENANCE, _metric_shown)

    @cached_property
    def scores(self) -> list[Line]:
        """Every proxy's score and its percentile in the space, averaged over seeds; 100 is what the proxy prefers."""
        keys = ("proxy", "source", "input")
        frames = []
        for place, profile in enumerate(self.profiles):
            found = profile.scores.group_by(keys, maintain_order=True).agg(
                pl.col("value").mean(), pl.col("percentile").mean(), pl.col("status").first(), pl.col("reason").first()
            )
            frames.append(found.with_columns(place=pl.lit(place)))
        return self._lines(pl.concat(frames), keys, _score_shown)

    def _lines(self, frame: pl.DataFrame, keys: Sequence[str], shown: Callable[[dict[str, Any]], Shown]) -> list[Line]:
        lines: dict[tuple[object, ...], list[Shown]] = {}
        for row in frame.iter_rows(named=True):
            cells = lines.setdefault(tuple(row[key] for key in keys), [Shown(None, "")] * len(self.profiles))
            cells[row["place"]] = shown(row)
        return [
            Line(tuple("" if word is None else str(word) for word in words), tuple(cells))
            for words, cells in lines.items()
        ]

    def neighbours(self, near: Neighbourhood, address: Address = lambda _: None) -> LinkedTable:
        """A neighbourhood as a table."""
        has_index = any(member.native_index is not None for member in near.members)
        key = "index" if has_index else "native id"
        names = [member.native_index if has_index else member.native_id for member in near.members]
        data: dict[str, list[object]] = {
            key: [str(name) for name in names],
            "distance": [member.distance for member in near.members],
        }
        columns = [Column(key, is_number=False), Column("distance", digits=None if near.is_whole else 4)]
        column, values = self.headline
        if column is not None:
            data[column] = [values.get(member.architecture_id) for member in near.members]
            columns.append(Column(column, digits=2))
        if has_index:
            data["native id"] = [member.native_id for member in near.members]
            columns.append(Column("native id", is_number=False))
        table = Table("near", "", pl.DataFrame(data, strict=False), tuple(columns))
        return LinkedTable(table, {key: [address(member.architecture_id) for member in near.members]})


_FACTS = (
    ("native index", "native_index"),
    ("nodes (canonical)", "nodes"),
    ("edges (canonical)", "edges"),
    ("depth", "depth"),
    ("path from input to output", "is_connected"),
)


def _metric_shown(row: dict[str, Any]) -> Shown:
    if row["value"] is None:
        return Shown(row["published"], "")
    spread = "" if row["spread"] is None else f"± {row['spread']:.2g}, "
    published = "" if row["published"] is None else f"; published mean {readable(row['published'])}"
    return Shown(row["value"], f"{spread}{row['runs']} run{'s' if row['runs'] != 1 else ''}{published}")


def _score_shown(row: dict[str, Any]) -> Shown:
    if row["value"] is None:
        return Shown(None, str(row["reason"] or row["status"]))
    return Shown(row["value"], "", row["percentile"])


def read_comparison(
    catalog: Store,
    space: str,
    ids: Sequence[int],
    embedding: Embedding | str,
    names: Iterable[str] | None = None,
    most: int = 10,
) -> Comparison:
    """Read what a page of architectures shows.

    Parameters
    ----------
    ids
        ``architecture.id`` of each.
    embedding
        The space's vectors, or the reason why there are none.
    names
        What each is called; by default its number or its native id.
    most
        Neighbours of each.

    Raises
    ------
    UsageError
        There are more architectures than letters, or one of them comes twice.
    """
    if len(set(ids)) < len(ids):
        raise UsageError("two of the given ids name one architecture; name each architecture once.")
    if len(ids) > MOST:
        raise UsageError(f"{len(ids)} architectures do not fit beside each other; {MOST} is the most.")
    profiles = tuple(read_profiles(catalog, space, ids))
    by_edits = tuple(
        nearest_by_edits(catalog, space, profile.native, number, most)
        for number, profile in zip(ids, profiles, strict=True)
    )
    by_embedding: tuple[Neighbourhood, ...] | str = (
        embedding
        if isinstance(embedding, str)
        else tuple(nearest_by_embedding(catalog, embedding, number, most) for number in ids)
    )
    near = [*by_edits, *(by_embedding if isinstance(by_embedding, tuple) else ())]
    shown = [member.architecture_id for neighbourhood in near for member in neighbourhood.members]
    return Comparison(
        space,
        tuple(names) if names is not None else tuple(_short_name(profile) for profile in profiles),
        profiles,
        by_edits,
        by_embedding,
        _headline(catalog, space, shown),
    )


def _short_name(profile: Profile) -> str:
    number, native_id = profile.facts["native_index"], str(profile.facts["native_id"])
    if number is not None:
        return str(number)
    return native_id if len(native_id) <= _LONGEST_ID else f"id {profile.facts['id']}"


def _headline(catalog: Store, space: str, ids: Sequence[int]) -> tuple[str | None, dict[int, float | None]]:
    """The first accuracy of the wide view, of a test split if there is one."""
    view = SpaceView.of(catalog, space)
    accuracies = [name for name in view.columns if "accuracy" in name]
    tested = [name for name in accuracies if "_test_" in name]
    if not accuracies:
        return None, {}
    column = (tested or accuracies)[0]
    rows = catalog.arrow(
        f"SELECT architecture_id, {identifier(column)}::DOUBLE AS value FROM {identifier(space)} SEMI JOIN wanted"
        " USING (architecture_id)",
        tables={"wanted": pl.DataFrame({"architecture_id": ids}, schema={"architecture_id": pl.Int64}).to_arrow()},
    )
    return column, dict(zip(rows["architecture_id"].to_pylist(), rows["value"].to_pylist(), strict=True))


def write_comparison(catalog: Store, space: str, identifiers: Sequence[object], path: Path) -> int:
    """Write the page of architectures given by native ids; returns its size in bytes.

    Raises
    ------
    IdentifierError
        An identifier names no stored architecture of the space.
    StoreError
        The file cannot be written.
    """
    from catalog.asking.lookup import lookup
    from predictor.scoring.architecture_vectors import embedding_of

    ids = lookup(catalog, identifiers, space)["architecture_id"].to_list()
    comparison = read_comparison(catalog, space, ids, embedding_of(catalog, space))
    command = shlex.join(["catalog", "compare", space, *map(str, identifiers), "--out", str(path)])
    page = comparison_page(comparison, command)
    write_text(path, page)
    return len(page.encode())


def comparison_page(comparison: Comparison, command: str = "") -> str:
    """The comparison as one self-contained page that needs no other file and runs offline."""
    from catalog.report.page import render
    from catalog.report.svg import picture

    return render(
        "comparison.html",
        title=f"{comparison.space}: {', '.join(comparison.names)}",
        comparison=comparison,
        command=command,
        drawing=picture,
        address=lambda _: None,
    )
