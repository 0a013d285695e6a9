"""What the public table of a staged space looks like: which of its columns say the architecture, and what was measured.

Columns are paths: ``layers.{block}.width`` is, of each block, the member of that number of ``layers``, and its
``width``; a text is the list of its words, or the JSON that it is. ``{stage}`` and ``{block}`` count from 0,
``{number}`` the stages from 1, ``{place}`` all blocks, those of the deepest stages included, and ``{repeat}`` the
trainings of one architecture. Of ``a | b`` one has to be there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.spaces.staged.description import Description
from catalog.spaces.staged.formula import Value
from catalog.spaces.staged.tables import Table

_TABLE = (
    *("about", "licence", "values", "arch", "stages", "choices", "fixed", "absent", "unused", "ignored", "several"),
    *("moved", "refused", "counts", "metrics"),
)
_COUNT = ("column", "name", "dataset", "times", "exact")
_METRIC = (
    "columns",
    "name",
    "kind",
    "dataset",
    "split",
    "epochs",
    "stage",
    "times",
    "direction",
    "repeats",
    "optional",
    "unless",
)
METRIC_KINDS = ("trained", "surrogate", "reported", "supernet")
"""How the value of a metric came about; ``supernet`` is measured with the weights of a supernet, not trained."""

_OR = " | "

_COUNTS = ("parameters", "flops")
_MOST_REPEATS = 1000


def alternatives(path: str) -> list[str]:
    """The paths at one of which something has to stand."""
    return path.split(_OR)


@dataclass(frozen=True)
class CountColumn:
    """Published parameters or multiply-accumulates; `exact` where they have to be those of the network."""

    column: str
    name: str
    dataset: str
    times: float
    exact: bool


@dataclass(frozen=True)
class MetricColumn:
    """One measurement of each architecture, or one a training.

    `times` makes percent of fractions; `unless` is what stands at some paths where nothing was measured.
    """

    columns: tuple[str, ...]
    name: str
    kind: str
    dataset: str | None
    split: str | None
    epochs: int | None
    stage: str | None
    times: float
    direction: str | None
    repeats: int | None
    optional: bool
    unless: Mapping[str, Value]


@dataclass(frozen=True)
class PublicTable:
    """The table.

    Parameters
    ----------
    about
        What it is, in a sentence.
    values
        SHA-256 of all that it says was measured, by which it is known; see `ingest.formats.staged_table`.
    arch
        Where the native id stands; None where the choices are said one by one.
    stages
        Where the id of each stage stands; None where its choices are said one by one.
    choices
        Where each choice stands.
    fixed
        What stands at some paths in every record, since the space leaves no choice.
    absent
        Paths, and the values that choices have where nothing stands there.
    unused
        Columns of which some members are there and mean nothing, such as the blocks beyond a depth.
    ignored
        Columns that mean nothing here.
    several
        Whether an architecture may have several records, each a training of its own.
    moved
        Paths of another form of the table, and the columns that they then are.
    refused
        What stands at some paths of a record that has no results.
    """

    about: str
    licence: str | None
    values: str | None
    arch: str | None
    stages: str | None
    choices: Mapping[str, str]
    fixed: Mapping[str, Value]
    absent: Mapping[str, Mapping[str, Value]]
    unused: tuple[str, ...]
    ignored: tuple[str, ...]
    several: bool
    moved: Mapping[str, str]
    refused: Mapping[str, Value]
    counts: tuple[CountColumn, ...]
    metrics: tuple[MetricColumn, ...]


def public_table(described: Description, file: str) -> PublicTable | None:
    """The table of a space; None where its file describes none.

    Raises
    ------
    SpaceFileError
        The description of the table says something wrong.
    """
    if not described.table:
        return None
    table = Table(file, "table [table]", described.table, _TABLE)
    choices = table.said.get("choices", {})
    known = {choice.name for choice in described.network.choices}
    for stage in described.stages:
        known |= {*stage.level.names, *stage.block_level.names}
    if not isinstance(choices, Mapping) or not set(choices) <= known:
        raise table.fault("choices", choices, f"a table of paths of {', '.join(sorted(known))}")
    arch = table.text("arch") if "arch" in table else None
    stages = table.text("stages") if "stages" in table else None
    if (arch is None) is not bool(choices or stages):
        allowed = "either arch, the column with the native id, or stages and choices, the column of each,"
        raise table.fault("arch", arch, allowed)
    metrics = tuple(_metric(one) for one in table.tables("metrics", _METRIC))
    if not metrics:
        raise table.fault("metrics", None, "at least one table [[table.metrics]]")
    return PublicTable(
        table.text("about"),
        table.text("licence") if "licence" in table else None,
        table.text("values") if "values" in table else None,
        arch,
        stages,
        {name: str(path) for name, path in choices.items()},
        table.table("fixed").said,
        {path: _absent(table, path, said, known) for path, said in table.table("absent").said.items()},
        _texts(table, "unused", ()),
        _texts(table, "ignored", ()),
        _yes_or_no(table, "several", default=False),
        _columns_by_path(table, "moved"),
        _values_by_path(table, "refused"),
        tuple(_count(one) for one in table.tables("counts", _COUNT)),
        metrics,
    )


def _count(table: Table) -> CountColumn:
    return CountColumn(
        table.text("column"),
        _one_of(table, "name", _COUNTS),
        table.text("dataset"),
        _times(table),
        _yes_or_no(table, "exact", default=True),
    )


def _metric(table: Table) -> MetricColumn:
    return MetricColumn(
        _texts(table, "columns"),
        table.text("name"),
        _one_of(table, "kind", METRIC_KINDS),
        table.text("dataset") if "dataset" in table else None,
        table.text("split") if "split" in table else None,
        _whole(table, "epochs", 100_000),
        table.text("stage") if "stage" in table else None,
        _times(table),
        _one_of(table, "direction", ("higher", "lower")) if "direction" in table else None,
        _whole(table, "repeats", _MOST_REPEATS),
        _yes_or_no(table, "optional", default=False),
        _values_by_path(table, "unless"),
    )


def _columns_by_path(table: Table, key: str) -> Mapping[str, str]:
    said = table.table(key).said
    for path, column in said.items():
        if not isinstance(column, str) or not column or "." in column:
            raise table.fault(f"{key}.{path}", column, "the name of a column")
    return said


def _values_by_path(table: Table, key: str) -> Mapping[str, Value]:
    said = table.table(key).said
    for path, value in said.items():
        if not isinstance(value, int | float | str):
            raise table.fault(f"{key}.{path}", value, "a number, a word, true or false")
    return said


def _absent(table: Table, path: str, said: Any, known: Collection[str]) -> Mapping[str, Value]:
    if not isinstance(said, Mapping) or not set(said) <= set(known):
        raise table.fault(f"absent.{path}", said, f"a table of values of {', '.join(sorted(known))}")
    return said


def _yes_or_no(table: Table, key: str, *, default: bool) -> bool:
    said = table.said.get(key, default)
    if not isinstance(said, bool):
        raise table.fault(key, said, "true or false")
    return said


def _times(table: Table) -> float:
    times = table.said.get("times", 1)
    if type(times) not in (int, float) or not 0 < times < 1e12:
        raise table.fault("times", times, "a positive number")
    return float(times)


def _whole(table: Table, key: str, most: int) -> int | None:
    value = table.said.get(key)
    if value is not None and not (type(value) is int and 1 <= value <= most):
        raise table.fault(key, value, f"a whole number from 1 to {most:,}")
    return value


def _texts(table: Table, key: str, default: Any = None) -> tuple[str, ...]:
    listed = table.said.get(key, default)
    if not isinstance(listed, list | tuple) or not all(isinstance(one, str) for one in listed):
        raise table.fault(key, listed, "a list of texts")
    return tuple(listed)


def _one_of(table: Table, key: str, allowed: Collection[str]) -> str:
    word = table.text(key)
    if word not in allowed:
        raise table.fault(key, word, f"one of {', '.join(allowed)}")
    return word
