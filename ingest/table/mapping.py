"""What the columns of a user's table mean: which one names the architecture, which are metrics, which are proxies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from catalog.errors import UsageError
from catalog.nearest import did_you_mean
from catalog.spaces.staged.public_table import METRIC_KINDS
from catalog.tables.measures import WORDS
from catalog.tables.name_gate import fault_of_name, fault_of_text
from ingest.reading.dataset_names import dataset_word, split_word
from ingest.reading.percents import is_misspelt_accuracy
from ingest.reading.shown import shown
from ingest.table import units

_LONGEST = 200
_LONGEST_DESCRIPTION = 2_000
_LARGEST = {"epochs": 100_000, "seed": 2**31 - 1, "repeat": 2**15 - 1}
_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class ProxyColumn:
    """A column of scores.

    Parameters
    ----------
    column
        Its name in the table.
    proxy
        What its author calls the proxy.
    direction
        ``higher`` or ``lower`` is better; None where it is not said.
    description
        What the proxy is, in one sentence.
    dataset
        The data that it looks at; None for a proxy without any.
    seed
        A number, or the name of the table's column that has it.
    """

    column: str
    proxy: str
    direction: str | None = None
    description: str | None = None
    dataset: str | None = None
    seed: int | str | None = None


@dataclass(frozen=True)
class MetricColumn:
    """A column of ground truth; the fields are those of the table ``metric``.

    Parameters
    ----------
    column
        Its name in the table.
    metric
        The name of the metric, for example ``accuracy``.
    unit
        Of the values in the table; they are stored in the catalog's.
    direction
        ``higher`` or ``lower`` is better; None where it is not said.
    epochs, seed, repeat
        A number, or the name of the table's column that has it.
    """

    column: str
    metric: str
    kind: str = "trained"
    dataset: str | None = None
    split: str | None = None
    epochs: int | str | None = None
    seed: int | str | None = None
    repeat: int | str | None = None
    stage: str | None = None
    device: str | None = None
    unit: str | None = None
    direction: str | None = None


Column = ProxyColumn | MetricColumn


@dataclass(frozen=True)
class TableMapping:
    """The meaning of a whole table; what is None or missing is not said.

    Parameters
    ----------
    key
        The column that names the architectures.
    source
        The name of the source of the numbers.
    columns
        The columns that are read.
    """

    space: str | None = None
    key: str | None = None
    source: str | None = None
    columns: tuple[Column, ...] = ()

    @property
    def identity(self) -> str:
        """What tells this meaning from another one of the same bytes."""
        said = [{name: value for name, value in asdict(one).items() if value is not None} for one in self.columns]
        return json.dumps([self.key, sorted(said, key=lambda one: str(one["column"]))], sort_keys=True)

    def to_toml(self, comments: Mapping[str, str] | None = None) -> str:
        """The mapping as a file that says it; a text without anything in it stands for what is to be completed.

        Parameters
        ----------
        comments
            By column, what stands behind its head.
        """
        lines = [f"{name} = {_text(value)}" for name in ("space", "key", "source") if (value := getattr(self, name))]
        for one in self.columns:
            head = one.column if _BARE.fullmatch(one.column) else _text(one.column)
            comment = (comments or {}).get(one.column)
            lines += ["", f"[columns.{head}]" + (f"  # {comment}" if comment else "")]
            for field in fields(one)[1:]:
                value = getattr(one, field.name)
                if value is not None and value != (field.default if field.name == "kind" else None):
                    lines.append(f"{field.name} = {value if isinstance(value, int) else _text(value)}")
        return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_mapping(text: str, where: str) -> TableMapping:
    """A mapping from the TOML that says it.

    Raises
    ------
    UsageError
        It says something else.
    """
    import tomllib

    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where}: no TOML ({error}); nothing was stored.") from None
    return mapping_of(said, where)


def mapping_of(said: Mapping[str, Any], where: str) -> TableMapping:
    """A mapping from what a file or a caller says, in the form of its TOML.

    Raises
    ------
    UsageError
        It says something that a mapping does not.
    """
    _refuse_unknown(where, said, ("space", "key", "source", "columns"))
    columns = said.get("columns", {})
    if not isinstance(columns, Mapping):
        raise UsageError(f"{where}: columns is {columns!r:.100}; a table for each column is needed: [columns.NAME].")
    found = tuple(_column(f"{where}, columns.{shown(str(name))}", str(name), facts) for name, facts in columns.items())
    space, key, source = (_said_text(where, name, said.get(name), _LONGEST) for name in ("space", "key", "source"))
    return TableMapping(space, key, source, found)


def _column(where: str, name: str, facts: Any) -> Column:
    if not isinstance(facts, Mapping) or ("proxy" in facts) == ("metric" in facts):
        raise UsageError(
            f"{where}: it is {dict(facts) if isinstance(facts, Mapping) else facts!r:.100}; either "
            'proxy = "its name" or metric = "its name" is needed. Leave a column out that is not to be read.'
        )
    kind: type[Column] = ProxyColumn if "proxy" in facts else MetricColumn
    _refuse_unknown(where, facts, [field.name for field in fields(kind)[1:]])
    values = {name: value for name, value in facts.items() if value is not None and value != ""}
    if kind(name, "").__match_args__[1] not in values:
        raise UsageError(f"{where}: its {'proxy' if kind is ProxyColumn else 'metric'} has no name; give one.")
    for field, value in values.items():
        if field in _LARGEST:
            _check_number(where, field, value)
        else:
            _said_text(where, field, value, _LONGEST_DESCRIPTION if field == "description" else _LONGEST)
    return _checked(where, kind(column=name, **values))


def _refuse_unknown(where: str, said: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in said:
        if name not in known:
            raise UsageError(
                f"{where}: unknown {str(name)!r:.100}. {did_you_mean(str(name), known)}Known are {', '.join(known)}."
            )


def _said_text(where: str, field: str, value: Any, longest: int) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > longest:
        raise UsageError(f"{where}: {field} is {value!r:.100}; a text of at most {longest:,} characters is needed.")
    fault = fault_of_text(value) if field == "description" else fault_of_name(value)
    if fault:
        raise UsageError(f"{where}: {field} is {value!r:.100}: {fault}.")
    return value


def _check_number(where: str, field: str, value: Any) -> None:
    is_number = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST[field]
    if not is_number and not isinstance(value, str):
        raise UsageError(
            f"{where}: {field} is {value!r:.100}; a whole number from 0 to {_LARGEST[field]:,}, or the name of the "
            "column that has it, is needed."
        )


def _checked(where: str, one: Column) -> Column:
    """What follows from several fields, and words as the catalog spells them."""
    if one.direction is not None and one.direction not in WORDS:
        raise UsageError(f"{where}: direction is {one.direction!r:.100}; {' or '.join(WORDS)} is better.")
    words = {"dataset": None if one.dataset is None else dataset_word(one.dataset)}
    if isinstance(one, ProxyColumn):
        if one.proxy.lower().endswith("_published"):
            raise UsageError(
                f"{where}: the proxy {one.proxy!r} is called like the column of published scores; give it the name "
                "that its author gives it."
            )
        return _replaced(one, words)
    if is_misspelt_accuracy(one.metric):
        raise UsageError(f"{where}: the metric is called {one.metric!r}; call it 'accuracy', so that it is one column.")
    if one.kind not in METRIC_KINDS:
        raise UsageError(f"{where}: kind is {one.kind!r:.100}; known are {', '.join(METRIC_KINDS)}.")
    if units.factor(one.metric, one.unit) is None:
        raise UsageError(
            f"{where}: {one.metric} in the unit {one.unit!r:.100} is not known; known are {units.allowed(one.metric)}."
        )
    return _replaced(one, words | {"split": None if one.split is None else split_word(one.split)})


def _replaced(one: Column, words: Mapping[str, str | None]) -> Column:
    from dataclasses import replace

    return replace(one, **words)  # type: ignore[arg-type]


def refuse_same_meaning(columns: Iterable[Column], where: str) -> None:
    """Check that no two columns mean the same.

    Raises
    ------
    UsageError
        Two do; the message names both.
    """
    first: dict[str, str] = {}
    for one in columns:
        meaning = repr(
            [type(one).__name__]
            + [
                getattr(one, field.name)
                for field in fields(one)[1:]
                if field.name not in ("unit", "direction", "description")
            ]
        )
        if meaning in first:
            raise UsageError(
                f"{where}: the columns {first[meaning]!r:.100} and {one.column!r:.100} mean the same; nothing was "
                "stored. Leave one out, or say what tells them apart, such as the seed."
            )
        first[meaning] = one.column
