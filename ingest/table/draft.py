"""What is still to be said of a table before it can be read, as a mapping to complete."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.nearest import did_you_mean
from catalog.tables.measures import known_measure
from catalog.tables.own_proxies import OWN_VERSION
from catalog.tables.proxies import known_direction
from ingest.reading.dataset_names import dataset_word, split_word
from ingest.reading.percents import is_accuracy
from ingest.reading.shown import shown, shown_names
from ingest.table.mapping import Column, MetricColumn, ProxyColumn, TableMapping, refuse_same_meaning
from ingest.table.rows import Rows
from ingest.table.values import number_facts

if TYPE_CHECKING:
    from catalog.storage.store import Store

_SPLITS = ("valid", "val", "validation", "test", "train")
_DATASETS = re.compile(r"imagenet16[-_]?120|imagenet16|cifar100|cifar10[-_]valid|cifar10|imagenet", re.IGNORECASE)


@dataclass(frozen=True)
class Draft:
    """A mapping as far as it is known.

    Parameters
    ----------
    mapping
        What is not said stands in it as a text without anything in it.
    missing
        (column, field) of what has to be said.
    is_guess
        Whether nobody has said yet which columns are to be read, so that all of them stand in it.
    left_out
        Columns that are not read.
    comments
        By column, the values that it has.
    """

    mapping: TableMapping
    missing: tuple[tuple[str, str], ...] = ()
    is_guess: bool = False
    left_out: tuple[str, ...] = ()
    comments: Mapping[str, str] | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the table can be read."""
        return not self.missing and not self.is_guess

    def to_toml(self) -> str:
        """The mapping to save and complete."""
        return self.mapping.to_toml(self.comments)


class IncompleteMappingError(UsageError):
    """Something has to be said of a table first.

    Parameters
    ----------
    summary
        What is missing.
    draft
        The mapping to complete.
    """

    def __init__(self, summary: str, draft: Draft) -> None:
        super().__init__(f"{summary}\n{draft.to_toml()}")
        self.summary = summary
        self.draft = draft


def incomplete(rows: Rows, draft: Draft) -> IncompleteMappingError:
    """The error for a table of which something is not said."""
    if draft.is_guess:
        what = f"nothing says what the columns {shown_names([one.column for one in draft.mapping.columns])} mean"
    else:
        what = "not said is " + ", ".join(f"the {field} of {shown(column)}" for column, field in draft.missing[:20])
    saved = f"{rows.name.partition('.')[0]}.map.toml"
    return IncompleteMappingError(
        f"{rows.name}: {what}; nothing was stored. Save this mapping as {saved}, complete it, take out the columns "
        f"that are not to be read, and give it with --map {saved}:",
        draft,
    )


def draft_of(rows: Rows, mapping: TableMapping, key: str, store: Store | None) -> Draft:
    """What is known of a table, and what is missing.

    Raises
    ------
    UsageError
        The mapping names columns that the table does not have, or one meaning twice.
    """
    _refuse_missing_columns(rows, mapping)
    columns = mapping.columns
    is_guess = not columns
    if is_guess:
        columns = tuple(_guess(name) for name in rows.columns if name != key and _has_numbers(rows.columns[name]))
        if not columns:
            raise UsageError(f"{rows.name} has no column of numbers beside {shown(key)!r}; nothing was stored.")
    refuse_same_meaning(columns, rows.name) if not is_guess else None
    missing = {one.column: _missing(one, store) for one in columns}
    completed = tuple(replace(one, **dict.fromkeys(missing[one.column], "")) for one in columns)  # type: ignore[arg-type]
    if is_guess:
        completed = tuple(
            replace(one, description=one.description or "") if isinstance(one, ProxyColumn) else one
            for one in completed
        )
    used = {key, *(one.column for one in columns), *(name for one in columns for name in number_facts(one))}
    return Draft(
        replace(mapping, key=key, columns=completed),
        tuple((column, field) for column, fields in missing.items() for field in fields),
        is_guess,
        tuple(name for name in rows.columns if name not in used),
        {one.column: _told(one, rows.columns[one.column]) for one in columns},
    )


def _refuse_missing_columns(rows: Rows, mapping: TableMapping) -> None:
    named = [one.column for one in mapping.columns]
    named += [name for one in mapping.columns for name in number_facts(one)]
    for name in [*([mapping.key] if mapping.key else []), *named]:
        if name not in rows.columns:
            raise UsageError(
                f"{rows.name} has no column {shown(name)!r}. {did_you_mean(name, rows.columns)}It has "
                f"{shown_names(list(rows.columns))}. Nothing was stored."
            )
    if mapping.key in named:
        raise UsageError(f"{rows.name}: {shown(str(mapping.key))!r} is the key and cannot be a metric or proxy too.")


def _missing(one: Column, store: Store | None) -> list[str]:
    """The fields without which a column has no meaning."""
    found = []
    if isinstance(one, MetricColumn):
        is_measured_on_data = is_accuracy(one.metric)
        found += [field for field in ("dataset", "split") if is_measured_on_data and not getattr(one, field)]
        known = known_measure(one.metric).direction is not None or _has(
            store, "SELECT 1 FROM measure WHERE name = ? AND direction IS NOT NULL", one.metric
        )
    else:
        known = known_direction(one.proxy) is not None or _has(
            store, f"SELECT 1 FROM proxy WHERE name = ? AND version = '{OWN_VERSION}'", one.proxy
        )
    return found if known or one.direction else [*found, "direction"]


def _has(store: Store | None, question: str, name: str) -> bool:
    return store is not None and bool(store.rows(question, [name]))


def _guess(name: str) -> Column:
    """What a column may mean, to begin with; its user looks at it."""
    data = _DATASETS.search(name)
    words = [word for word in re.split(r"[\W_]+", name if data is None else name.replace(data[0], " ")) if word]
    split = next((word for word in words if word.lower() in _SPLITS), None)
    dataset = None if data is None else dataset_word(data[0].replace("_", "-"))
    if is_accuracy(name):
        rest = [word for word in words if word != split]
        metric = "accuracy" if len(rest) == 1 else "_".join(rest)
        return MetricColumn(name, metric, dataset=dataset, split=None if split is None else split_word(split))
    if known_direction(name) is None and known_measure(name).direction is not None:
        return MetricColumn(name, name.lower())
    return ProxyColumn(name, name)


def _has_numbers(cells: Sequence[object]) -> bool:
    return all(_number(cell) is not None for cell in [cell for cell in cells if cell is not None][:20])


def _number(cell: object) -> float | None:
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return None


def _told(one: Column, cells: Sequence[object]) -> str:
    numbers = [number for cell in cells if (number := _number(cell)) is not None]
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 0.0)
    kind = "direction: higher or lower is better" if isinstance(one, ProxyColumn) else "ground truth"
    return f"{len(numbers):,} numbers from {low:g} to {high:g}; {kind}"
