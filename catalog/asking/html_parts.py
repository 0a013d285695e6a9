"""Parts of what a result shows in a notebook: tables and sentences, with every name escaped."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from html import escape
from typing import TYPE_CHECKING

from catalog.asking.text_table import text_cell
from catalog.storage.answer import plain

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from catalog.storage.answer import Answer

_STYLES = {
    True: ' style="text-align: right"',
    False: ' style="text-align: left; max-width: 36em; overflow-wrap: anywhere"',  # ids are long and have no spaces
}


def html_table(rows: Answer | pa.Table | pl.DataFrame, uncut: Collection[str] = ()) -> str:
    """Rows as a table: what `catalog.asking.text_table.as_text` shows on a terminal, cell by cell."""
    answer = plain(rows)
    columns = list(zip(answer.columns, answer.is_number, strict=True))
    head = "".join(f"<th{_STYLES[is_number]}>{escape(name)}</th>" for name, is_number in columns)
    body = "\n".join(
        "<tr>"
        + "".join(
            f"<td{_STYLES[is_number]}>{escape(text_cell(value, whole=name in uncut))}</td>"
            for value, (name, is_number) in zip(row, columns, strict=True)
        )
        + "</tr>"
        for row in answer.rows
    )
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def html_sentences(sentences: Iterable[str]) -> str:
    """A paragraph for each sentence."""
    return "\n".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def html_list(sentences: Iterable[str]) -> str:
    """Sentences as a list."""
    return "<ul>\n" + "\n".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "\n</ul>"


def html_folded(summary: str, content: str) -> str:
    """Content that is seen when its summary is pressed; `content` is HTML."""
    return f"<details><summary>{escape(summary)}</summary>\n{content}\n</details>"
