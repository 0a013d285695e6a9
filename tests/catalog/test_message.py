"""Texts of strangers in messages: nothing to obey, no more than a reader wants, the rest untouched."""

import json
import pickle
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import errors
from catalog.errors import CatalogError, IngestError
from catalog.message import LONGEST_LINE, LONGEST_VALUE, as_message, readable_bytes


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\x07b\x9bc\x7f", r"a\x07b\x9bc\x7f"),
        ("right\u202eto left", r"right\u202eto left"),
        ("half \ud800", r"half \ud800"),
        ("over\rwritten", r"over\rwritten"),
        ("two\nlines\tof a message", "two\nlines\tof a message"),
        ("naïve – ünïcödé, 中文", "naïve – ünïcödé, 中文"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(text: str, shown: str) -> None:
    assert as_message(text) == shown
    assert str(CatalogError(text)) == shown


@pytest.mark.parametrize(
    "value", [repr("x" * 900), repr('"' * 900), repr("it's " * 200), repr(list(range(900))), "x" * 900]
)
def test_long_values_are_cut_in_their_middle(value: str) -> None:
    shown = as_message(f"file.csv line 7: the id is {value}; at most 20 letters are allowed. Nothing was stored.")
    assert len(shown) < 450
    assert shown.startswith("file.csv line 7: the id is ")
    assert shown.endswith("; at most 20 letters are allowed. Nothing was stored.")
    assert "..." in shown


def test_prose_is_not_cut() -> None:
    """Apostrophes are no quotes, and neither is a list of what is allowed."""
    prose = (
        "the benchmark's own accuracies, which this file's rows name, are those of the authors' archive; "
        f"allowed are {', '.join(f'column_{place}' for place in range(60))}, and the catalog's own ('a' or 'b')."
    )
    assert as_message(prose) == prose
    pair = f"[1] is wrong; {'give a list, ' * 30} such as [[0, 1], {{2: 3}}] or (] or [4]"
    assert as_message(pair) == pair
    example = json.dumps({f"operator {place}": {"kind": "conv", "kernel": 3} for place in range(30)}, indent=1)
    assert as_message(f"describe them:\n{example}") == f"describe them:\n{example}"


@pytest.mark.parametrize("text", ["'" + "\\\\" * 5000, "'" * 9999, "[" * 9999, "a'" * 5000, "'\\" * 5000, "[]" * 5000])
def test_no_text_takes_long(text: str) -> None:
    """An expression that goes back and forth over backslashes would not end."""
    assert len(as_message(text)) <= len(text)


@given(st.text())
def test_a_message_stays_short_printable_and_itself(text: str) -> None:
    shown = as_message(text)
    assert as_message(shown) == shown
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(one) for one in shown if one not in "\n\t"}
    assert all(len(line) <= 6 * LONGEST_LINE for line in shown.split("\n"))


def test_errors_survive_a_process_with_their_message() -> None:
    error = pickle.loads(pickle.dumps(IngestError(f"{'v' * 900!r} is wrong")))
    assert isinstance(error, IngestError)
    assert len(str(error)) < LONGEST_VALUE + 20
    assert str(pickle.loads(pickle.dumps(errors.LockedError("in use", 7)))) == "in use"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (999_999, "1,000 kB"),
        (1_500_000, "1.5 MB"),
        (99_999_999, "100 MB"),
        (123_456_789_012, "123 GB"),
        (5 * 10**15, "5,000 TB"),
    ],
)
def test_byte_counts_are_readable(count: int, text: str) -> None:
    assert readable_bytes(count) == text
