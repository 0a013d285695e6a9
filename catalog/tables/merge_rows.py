"""The rows of another catalog under the ids of this one, and what they contradict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from catalog.quoting import identifier
from catalog.tables.merge_matching import Conflict, Matches
from catalog.tables.named_things import structural_ids
from catalog.tables.own_proxies import OWN_VERSION

_REFERENCES = {
    "architecture_id": "architecture",
    "shared_from": "architecture",
    "source_id": "source",
    "proxy_id": "proxy",
    "run_id": "run",
}
_ROUNDING = 1e-6  # relative: two machines measure the same proxy to about so many digits


@dataclass(frozen=True)
class Values:
    """A table of values, by what says which value it is.

    Parameters
    ----------
    key
        The columns that two rows about one thing have in common.
    value
        The column that must then be equal too.
    """

    table: str
    key: tuple[str, ...]
    value: str = "value"


_KIND_OF_METRIC = ("name", "kind", "dataset", "split", "epochs", "stage", "device")
_TRAINING = ("dataset", "split", "epochs", "seed", "epoch")

VALUES = (
    Values("metric", ("architecture_id", "source_id", *_KIND_OF_METRIC, "seed", "repeat")),
    Values("training_curve", ("architecture_id", "source_id", *_TRAINING)),
    Values("score", ("architecture_id", "proxy_id", "source_id", "input", "seed")),
)
"""The tables whose rows may be in both catalogs."""


def translated(matches: Matches, table: str, where: str = "true") -> pa.Table:
    """The rows of a table of the other catalog, with the ids that they have here."""
    theirs = matches.there.arrow(f"SELECT * FROM {table} WHERE {where}")
    columns = [name for name in theirs.column_names if name in _REFERENCES]
    joins = "".join(
        f" LEFT JOIN map_{_REFERENCES[name]} AS of_{name} ON of_{name}.theirs = given.{name}" for name in columns
    )
    replaced = ", ".join(f"of_{name}.ours AS {name}" for name in columns)
    maps = {f"map_{name}": of for name, of in matches.maps.items()}
    made = matches.here.arrow(
        f"SELECT given.* REPLACE ({replaced}) FROM given{joins}", tables={"given": theirs, **maps}
    )
    return made.cast(theirs.schema)


def new_architectures(matches: Matches) -> str:
    """The condition, in the other catalog, that a row is of an architecture that is new here."""
    architectures = {"mapped": matches.maps["architecture"]}
    ids = matches.here.rows(
        "SELECT min(theirs), max(theirs), count(*), (SELECT count(*) FROM mapped) FROM mapped WHERE is_new",
        tables=architectures,
    )
    first, last, count, whole = ids[0]
    if not count:
        return "false"
    if count == whole:
        return "true"
    if last - first + 1 == count:
        return f"architecture_id BETWEEN {first:d} AND {last:d}"
    listed = matches.here.rows(
        "SELECT theirs FROM mapped WHERE is_new", tables={"mapped": matches.maps["architecture"]}
    )
    return f"architecture_id IN ({', '.join(str(number) for (number,) in listed)})"


def comparable(matches: Matches, values: Values) -> pa.Table:
    """The other catalog's rows under our ids, without what follows from graphs that both have."""
    where = "true"
    if values.table == "score":
        structural = ", ".join(map(str, structural_ids(matches.there))) or "NULL"
        where = f"NOT (source_id IS NULL AND coalesce(proxy_id IN ({structural}), false))"
    return translated(matches, values.table, where)


def conflicts(matches: Matches, values: Values, theirs: pa.Table, most: int) -> Iterator[Conflict]:
    """Rows about one thing with different values, and rows of one file that only the other catalog has."""
    same = _same(values)
    is_other = f"({values.table}.value IS NULL) != (theirs.value IS NULL)"
    if values.table == "score":
        is_other += f" OR abs(score.value - theirs.value) > {_ROUNDING} * greatest(abs(score.value), abs(theirs.value))"
    else:
        is_other += f" OR {values.table}.value != theirs.value"
    named = {"metric": "source.name", "training_curve": "source.name", "score": 'proxy."column"'}[values.table]
    joined = {"metric": "source", "training_curve": "source", "score": "proxy"}[values.table]
    described = ", ".join(f"theirs.{identifier(name)}" for name in values.key if name not in _REFERENCES)
    rows = matches.rows(
        f"SELECT concat_ws(' ', architecture.space, architecture.native_id, {named}, {described}), "
        f"{values.table}.value::VARCHAR, theirs.value::VARCHAR "
        f"FROM theirs JOIN {values.table} ON {same} JOIN architecture ON architecture.id = theirs.architecture_id "
        f"JOIN {joined} ON {joined}.id = theirs.{joined}_id WHERE {is_other} ORDER BY ALL LIMIT {most:d}",
        theirs=theirs,
    )
    for name, here, there in rows:
        yield Conflict(
            values.table, str(name), "no value" if here is None else here, "no value" if there is None else there
        )
    if values.table == "score":
        yield from _own_tables(matches, theirs, most)
    rows = matches.rows(
        f"SELECT source.name, count(*) FROM theirs ANTI JOIN {values.table} ON {same} "
        "JOIN source ON source.id = theirs.source_id AND source.sha256 IS NOT NULL GROUP BY 1 ORDER BY 1",
        theirs=theirs,
    )
    for name, count in rows:
        yield Conflict(
            values.table,
            f"of the source {name}",
            "without these rows",
            f"{count:,} rows more: read with other options, or in part removed; read the file anew with --replace",
        )


def _own_tables(matches: Matches, theirs: pa.Table, most: int) -> Iterator[Conflict]:
    """Scores of one proxy in tables of two authors: its column could show one of them alone."""
    rows = matches.rows(
        f"""
        SELECT concat_ws(' ', architecture.space, architecture.native_id, proxy."column", score.input, score.seed),
            score.value::VARCHAR, theirs.value::VARCHAR
        FROM theirs JOIN proxy ON proxy.id = theirs.proxy_id AND version = '{OWN_VERSION}'
        JOIN score ON score.architecture_id = theirs.architecture_id AND score.proxy_id = theirs.proxy_id
            AND score.input IS NOT DISTINCT FROM theirs.input AND score.seed IS NOT DISTINCT FROM theirs.seed
            AND score.source_id != theirs.source_id
        JOIN architecture ON architecture.id = theirs.architecture_id
        WHERE score.value IS DISTINCT FROM theirs.value ORDER BY ALL LIMIT {most:d}
        """,
        theirs=theirs,
    )
    for name, here, there in rows:
        yield Conflict("score", str(name), here or "no value", there or "no value")


def missing(matches: Matches, values: Values, theirs: pa.Table) -> pa.Table:
    """The rows that this catalog does not have."""
    return matches.here.arrow(
        f"SELECT theirs.* FROM theirs ANTI JOIN {values.table} ON {_same(values)}", tables={"theirs": theirs}
    )


def missing_layers(matches: Matches) -> pa.Table:
    """Layers of scores of which this catalog has none."""
    theirs = translated(matches, "layer_score")
    key = ("architecture_id", "proxy_id", "input", "seed")
    same = " AND ".join(f"theirs.{name} IS NOT DISTINCT FROM layer_score.{name}" for name in key)
    return matches.here.arrow(f"SELECT theirs.* FROM theirs ANTI JOIN layer_score ON {same}", tables={"theirs": theirs})


def _same(values: Values) -> str:
    """The join, whose first columns are never NULL, so that it is done by hashing."""
    return " AND ".join(
        f"theirs.{identifier(name)} {'=' if name == 'architecture_id' else 'IS NOT DISTINCT FROM'} "
        f"{values.table}.{identifier(name)}"
        for name in values.key
    )
