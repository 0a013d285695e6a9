"""What the columns of a table mean, asked on a terminal and saved, so that it is asked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import typer

from catalog.cli.progress import note
from catalog.errors import UsageError
from catalog.message import visible
from catalog.output_file import write_text
from catalog.tables.measures import WORDS
from ingest.table.draft import Draft
from ingest.table.mapping import Column, MetricColumn, ProxyColumn, TableMapping, read_mapping

_KINDS = ("proxy", "metric", "neither")
_CHOICES = {"direction": tuple(WORDS), "split": ("train", "valid", "test")}
_MEANING = {
    "direction": "which values are better",
    "dataset": "the data set",
    "split": "the split of the data",
    "description": "what the proxy is, in one sentence",
}


def ask(draft: Draft, saved: Path) -> TableMapping:
    """The mapping of a draft with what its user answers, written into `saved`.

    Raises
    ------
    UsageError
        No column is left to be read.
    """
    asked = [_asked_of(one, draft) for one in draft.mapping.columns]
    columns = tuple(one for one in asked if one is not None)
    if not columns:
        raise UsageError("no column is a proxy or a metric; nothing was stored.")
    mapping = read_mapping(replace(draft.mapping, columns=columns).to_toml(), "what was answered")
    write_text(saved, mapping.to_toml())
    note(f"saved what the columns mean as {saved}; the next time it is given with --map {saved}.")
    return mapping


def _asked_of(one: Column, draft: Draft) -> Column | None:
    """One column with what was answered; None for one that is not to be read."""
    missing = [field for column, field in draft.missing if column == one.column]
    if draft.is_guess:
        comment = (draft.comments or {}).get(one.column, "")
        usual = "proxy" if isinstance(one, ProxyColumn) else "metric"
        kind = _answer(f"{one.column} ({comment}): is it", usual, _KINDS)
        if kind == "neither":
            return None
        if kind != usual:
            one = ProxyColumn(one.column, one.column) if kind == "proxy" else MetricColumn(one.column, one.column)
            missing = ["direction"] if kind == "proxy" else ["dataset", "split", "direction"]
        if isinstance(one, ProxyColumn):
            missing = [*missing, "description"]
        else:
            missing = list(
                dict.fromkeys([*missing, *(name for name in ("dataset", "split") if not getattr(one, name))])
            )
    known = {field.name for field in fields(one)}
    answers: dict[str, Any] = {
        field: _answer(
            f"{one.column}: {_MEANING[field]}",
            None,
            _CHOICES.get(field, ()),
            is_optional=field not in {name for column, name in draft.missing if column == one.column}
            and field != "direction",
        )
        for field in missing
        if field in known
    }
    return replace(one, **answers)


def _answer(question: str, usual: str | None, choices: Sequence[str], *, is_optional: bool = False) -> str:
    told = f" [{'/'.join(choices)}]" if choices else ""
    hint = ", or nothing" if is_optional else ""
    while True:
        said = typer.prompt(
            visible(f"{question}{told}{hint}"), default=usual or ("" if is_optional else None), err=True
        )
        if not choices or said in choices or (is_optional and not said):
            return str(said).strip()
        typer.echo(f"one of {', '.join(choices)} is needed.", err=True)
