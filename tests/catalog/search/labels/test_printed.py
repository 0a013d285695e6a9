"""What a command prints is one finite number, or there is a reason why it gave no label."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.message import visible
from catalog.search.labels.printed import failure_of, label_of


@pytest.mark.parametrize("printed", [b"93.5", b" 93.5\n", b"\n\n93.5\r\n\n", b"+93.5", b"9.35e1", b"935E-1"])
def test_one_number_is_the_label(printed: bytes) -> None:
    found = label_of(printed, 2.0)
    assert (found.value, found.reason, found.seconds) == (93.5, None, 2.0)


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        (b"", "it printed nothing"),
        (b" \n\n", "it printed nothing"),
        (b"nan", "it printed 'nan', which is no number"),
        (b"inf", "which is no number"),
        (b"93.5%", "it printed '93.5%', which is no number"),
        (b"acc 93.5", "which is no number"),
        (b"93,5", "which is no number"),
        (b"1_000", "which is no number"),
        ("٩٣".encode(), "which is no number"),
        (b"0x10", "which is no number"),
        (b"\xff\xfe", "which is no number"),
        (b"1e999", "which no number of the catalog can hold"),
        (b"epoch 1\nepoch 2\n93.5\n", "it printed 3 lines, the last of them '93.5'"),
        (b"93.5\n94", "it printed 2 lines"),
        (b"x" * 60_000, "xxx...', which is no number"),
    ],
)
def test_everything_else_is_none_for_a_reason(printed: bytes, words: str) -> None:
    found = label_of(printed, 0.0)
    assert found.value is None
    assert words in str(found.reason)
    assert "progress goes to standard error" in str(found.reason)
    assert len(str(found.reason)) < 400


@given(st.binary(max_size=200))
def test_no_output_gives_anything_but_a_finite_number_or_a_printable_reason(printed: bytes) -> None:
    found = label_of(printed, 0.0)
    assert (found.value is None) != (found.reason is None)
    assert found.value is None or math.isfinite(found.value)
    assert found.reason is None or found.reason == visible(found.reason)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_whatever_python_prints_of_a_finite_number_is_read_back(value: float) -> None:
    assert label_of(f"{value!r}\n".encode(), 0.0).value == value


def test_a_bad_end_is_told_with_the_last_that_was_said() -> None:
    assert failure_of(3, b"", 0.0).reason == "exit code 3"
    assert failure_of(-9, b"", 0.0).reason == "it was ended by signal 9"
    assert (
        failure_of(1, b"Traceback\nValueError: \x1b[31mbad\n\n", 0.0).reason == r"exit code 1: ValueError: \x1b[31mbad"
    )
    assert len(str(failure_of(1, b"y" * 4000, 0.0).reason)) < 300
